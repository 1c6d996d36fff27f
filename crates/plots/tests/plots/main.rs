//! Runs the built program on a small made-up data set and looks at what it leaves.

use std::{
    collections::BTreeMap,
    env, fs,
    path::Path,
    process::{Command, Output},
};

use dataset::{
    DatasetDir, DatasetInfo, Embeddings, EmbeddingsMeta, KeptColumns, MadeFrom, OutOfFold, Pair,
    Part, PartTable, PerModel, Precision, Predictions, RunManifest, SmallWins, Source, WholeSet,
    sha256_file,
};
use ndarray::{Array1, Array2};
use test_support::{dataset_info, expect_success as check_ok, stderr};

mod broken;
mod browser;
mod degenerate;
mod embeddings;
mod figures;
mod locks;
mod metrics;
mod names;
mod rate;
mod regret;
mod report;
mod rule;
mod spider;

/// Fifteen LLMs whose costs span two decades: name, US dollars per query, share of the prompts that it answers.
const MODELS: [(&str, f64, f64); 15] = [
    ("meta/llama-3b", 0.00007, 0.58),
    ("meta/llama-1b", 0.00005, 0.41),
    ("granite-2b", 0.00009, 0.50),
    ("granite-8b", 0.00015, 0.61),
    ("llama-8b", 0.00024, 0.63),
    ("mini", 0.00034, 0.74),
    ("mixtral", 0.00037, 0.57),
    ("llama-70b", 0.00055, 0.75),
    ("llama-70b-v2", 0.00071, 0.76),
    ("titan", 0.00116, 0.53),
    ("llama-405b", 0.00199, 0.72),
    ("large", 0.00500, 0.82),
    ("sonnet", 0.00765, 0.80),
    (
        "a-model-with-a-very-long-name-that-no-figure-has-room-for-70b-instruct",
        0.00300,
        0.66,
    ),
    ("qwen", 0.00100, 0.70),
];
const N_PROMPTS: usize = 200;

/// A number in [0, 1) from two integers, the same everywhere.
fn noise(a: usize, b: usize) -> f64 {
    let mut x = (a as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ (b as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    x = (x ^ (x >> 31)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x ^ (x >> 29)) as u32 as f64 / 4_294_967_296.0
}

/// Chance of model `m` to solve prompt `i`: prompts differ in difficulty, and each LLM has its own subjects.
fn chance(models: &[(&str, f64, f64)], i: usize, m: usize) -> f64 {
    (models[m].2 + 0.5 * (noise(i, 1_000) - 0.5) + 0.4 * (noise(i % 7, 2_000 + m) - 0.5))
        .clamp(0.0, 1.0)
}

/// Writes a data set with the given LLMs and routers.
fn write(data_dir: &Path, name: &str, models: &[(&str, f64, f64)], routers: &[&str]) -> DatasetDir {
    let dir = DatasetDir::new(data_dir, name);
    let names: Vec<String> = models.iter().map(|model| model.0.to_owned()).collect();
    let shape = (N_PROMPTS, models.len());
    let chances = Array2::from_shape_fn(shape, |(i, m)| chance(models, i, m));
    let ids: Vec<String> = (0..N_PROMPTS).map(|i| format!("p{i}")).collect();
    let split = PartTable {
        ids: ids.clone(),
        tasks: vec!["made-up".to_owned(); N_PROMPTS],
        prompts: ids.iter().map(|id| format!("prompt {id}")).collect(),
        models: names.clone(),
        scores: Array2::from_shape_fn(shape, |(i, m)| {
            if noise(i + 7, m) < chances[[i, m]] {
                1.0
            } else {
                0.0
            }
        }),
        input_tokens: None,
        output_tokens: None,
        cost_usd: Array2::from_shape_fn(shape, |(i, m)| models[m].1 * (0.5 + noise(i, 3_000))),
        propensities: None,
        kept: KeptColumns::default(),
    };
    split
        .write(&dir.split(Part::Test))
        .expect("the test part is written");
    write_train(&dir, split);
    let llms: Vec<&str> = models.iter().map(|model| model.0).collect();
    let info = DatasetInfo {
        pair: (models.len() > 1).then(|| Pair {
            small: names[0].clone(),
            large: names[names.len() - 1].clone(),
        }),
        ..dataset_info(name, &llms, [N_PROMPTS; 2])
    };
    info.write(&dir.info()).expect("dataset.json is written");
    for (r, router) in routers.iter().enumerate() {
        let predictions = if ["mf", "rorf", "roberta-binary"].contains(router) {
            let probability = Array1::from_shape_fn(N_PROMPTS, |i| {
                (noise(i, 4_000 + r) * 0.6 + 0.4 * noise(i, 1_000)) as f32
            });
            Predictions::SmallWins(SmallWins {
                ids: ids.clone(),
                probability,
            })
        } else {
            let blur = 0.3 + 0.1 * r as f64;
            let guess =
                |i: usize, m: usize| chances[[i, m]] + blur * (noise(i, 5_000 + 100 * r + m) - 0.5);
            Predictions::PerModel(PerModel {
                ids: ids.clone(),
                models: names.clone(),
                scores: Array2::from_shape_fn(shape, |(i, m)| guess(i, m) as f32),
                output_tokens: None,
                cost_usd: Array2::from_shape_fn(shape, |(i, m)| {
                    models[m].1 * (0.5 + noise(i, 3_000))
                }),
            })
        };
        predictions
            .write(&dir.predictions(router), &made_from(&dir))
            .expect("predictions are written");
    }
    dir
}

/// Writes the data set `many`, of three hundred LLMs whose costs grow by a fiftieth from one to the next.
fn write_many(data_dir: &Path) {
    let names: Vec<String> = (0..300)
        .map(|i| format!("owner/model-number-{i}"))
        .collect();
    let models: Vec<(&str, f64, f64)> = (names.iter().zip(0..))
        .map(|(name, i)| {
            let score = 0.4 + 0.3 * noise(i as usize, 9);
            (name.as_str(), 0.0001 * 1.02_f64.powi(i), score)
        })
        .collect();
    write(data_dir, "many", &models, &["carrot-knn"]);
}

/// Says that predictions are for the test part as it is now.
fn made_from(dir: &DatasetDir) -> MadeFrom {
    MadeFrom::split(sha256_file(&dir.split(Part::Test)).expect("hashed"))
}

/// Edits the test part, and marks the predictions as made for what it is then.
fn edit_test(dir: &DatasetDir, edit: impl FnOnce(&mut PartTable)) {
    let path = dir.split(Part::Test);
    let mut split = PartTable::read(&path).expect("read");
    edit(&mut split);
    split.write(&path).expect("written");
    for router in dir.routers().expect("listed") {
        let path = dir.predictions(&router);
        let predictions = Predictions::read(&path).expect("read");
        predictions.write(&path, &made_from(dir)).expect("written");
    }
}

/// Writes a train part like the test part, at half the costs.
fn write_train(dir: &DatasetDir, mut split: PartTable) {
    for id in &mut split.ids {
        id.insert_str(0, "train-");
    }
    split.cost_usd.mapv_inplace(|cost| 0.5 * cost);
    split
        .write(&dir.split(Part::Train))
        .expect("the train part is written");
}

fn plots(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_plots"))
        .args(args)
        .current_dir(folder)
        .env_remove("CARROT_DATA_DIR")
        .env_remove("CARROT_PLOTS_DIR")
        .output()
        .expect("the program starts")
}

/// Compares with a file under tests/snapshots, or writes it where `PLOTS_BLESS` is set.
fn check_snapshot(found: &Path, name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(name);
    let found = fs::read_to_string(found).expect("the program wrote it");
    if env::var_os("PLOTS_BLESS").is_some() {
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("the folder is made");
        fs::write(&path, &found).expect("the snapshot is written");
    }
    let expected =
        fs::read_to_string(&path).expect("the snapshot is there; PLOTS_BLESS=1 makes it");
    assert!(
        found == expected,
        "`{name}` changed; look at the figure, then bless it with PLOTS_BLESS=1"
    );
}

/// The files of a figure of the data set `made-up`, in the order in which they are written.
fn files_of(stem: &str) -> Vec<String> {
    let look = |folder| {
        ["svg", "pdf", "png", "csv"]
            .map(|extension| format!("plots/made-up{folder}/{stem}.{extension}"))
    };
    [look(""), look("/bw")].concat()
}

/// The cells of a CSV file without quotes, the header first.
fn cells(path: &Path) -> Vec<Vec<String>> {
    let text = fs::read_to_string(path).expect("written");
    text.lines()
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect()
}
