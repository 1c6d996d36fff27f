//! Runs the built program on a small made-up data set and looks at what it leaves.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use dataset::{
    CostKind, CostRule, DatasetDir, DatasetInfo, ModelInfo, Pair, Part, PerModel, Predictions,
    RunManifest, SmallWins, Source, Split, SplitOrigin, sha256_file,
};
use ndarray::{Array1, Array2};

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
    let split = Split {
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
    };
    split
        .write(&dir.split(Part::Test))
        .expect("the test split is written");
    let info = DatasetInfo {
        name: name.to_owned(),
        models: names
            .iter()
            .map(|name| ModelInfo {
                name: name.clone(),
                price: None,
                cost_rule: CostRule::Given,
            })
            .collect(),
        pair: (models.len() > 1).then(|| Pair {
            small: names[0].clone(),
            large: names[names.len() - 1].clone(),
        }),
        cost_kind: CostKind::Usd,
        n_train: 0,
        n_test: N_PROMPTS,
        n_validation: None,
        split: SplitOrigin::Given,
        sources: Vec::new(),
        made_by: "a test".to_owned(),
        options: BTreeMap::new(),
        findings: BTreeMap::new(),
        notes: Vec::new(),
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
                cost_usd: Array2::from_shape_fn(shape, |(_, m)| models[m].1),
            })
        };
        predictions
            .write(&dir.predictions(router))
            .expect("predictions are written");
    }
    dir
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

fn check_ok(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned()
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

#[test]
fn a_figure_and_its_numbers_stay_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    write(
        &folder.path().join("data"),
        "made-up",
        &MODELS,
        &["carrot-knn", "carrot-roberta", "mf"],
    );
    let stdout = check_ok(&plots(folder.path(), &["--dataset", "made-up"]));
    let expected: Vec<PathBuf> = ["svg", "pdf", "png", "csv"]
        .iter()
        .map(|extension| format!("plots/made-up/accuracy_cost.{extension}"))
        .chain(["md", "csv"].map(|extension| format!("plots/made-up/table.{extension}")))
        .chain(["md", "csv"].map(|extension| format!("plots/knn_accuracy_table.{extension}")))
        .map(PathBuf::from)
        .collect();
    assert_eq!(
        stdout.lines().map(PathBuf::from).collect::<Vec<_>>(),
        expected
    );
    for file in ["accuracy_cost.svg", "accuracy_cost.csv", "table.md"] {
        check_snapshot(&folder.path().join("plots/made-up").join(file), file);
    }
    check_snapshot(
        &folder.path().join("plots/knn_accuracy_table.md"),
        "knn_accuracy_table.md",
    );

    let svg = fs::read_to_string(folder.path().join(&expected[0])).expect("written");
    for text in [
        "CARROT (KNN)",
        "RouteLLM (MF)",
        "llama-3b",
        "Accuracy",
        "Cost per query, $",
    ] {
        assert!(svg.contains(text), "the figure lacks `{text}`");
    }
    let pdf = fs::read(folder.path().join(&expected[1])).expect("written");
    assert!(pdf.starts_with(b"%PDF-"));
    // The text is text: the font is in the file.
    assert!(pdf.windows(14).any(|bytes| bytes == b"LiberationSans"));
    let png = fs::read(folder.path().join(&expected[2])).expect("written");
    assert!(png.starts_with(b"\x89PNG"));
    // Width in pixels, as the header has it: 4.3 in at 300 dots per inch.
    let width = u32::from_be_bytes([png[16], png[17], png[18], png[19]]);
    assert!((1285..=1295).contains(&width), "{width}");
}

#[test]
fn without_names_all_data_sets_with_predictions_are_drawn() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(&data, "first", &MODELS[..4], &["carrot-knn"]);
    write(&data, "second", &MODELS[..3], &["rorf", "my-own"]);
    write(&data, "bare", &MODELS[..2], &[]);
    let output = plots(folder.path(), &["--format", "svg", "--json"]);
    let stdout = check_ok(&output);
    assert!(stdout.trim_start().starts_with('['), "{stdout}");
    for name in [
        "plots/first/accuracy_cost.svg",
        "plots/second/accuracy_cost.svg",
    ] {
        assert!(
            stdout.contains(name) && folder.path().join(name).is_file(),
            "{name}"
        );
    }
    assert!(!folder.path().join("plots/first/accuracy_cost.png").exists());
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("skipping `bare`") && stderr.contains("train-and-infer -- --dataset bare"),
        "{stderr}"
    );
    let table =
        fs::read_to_string(folder.path().join("plots/knn_accuracy_table.csv")).expect("written");
    assert!(
        table.contains("\nfirst,200,4,") && !table.contains("second"),
        "{table}"
    );
}

#[test]
fn the_accuracy_table_spans_all_data_sets() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(&data, "first", &MODELS[..4], &["carrot-knn"]);
    write(&data, "second", &MODELS[..3], &["carrot-knn"]);
    check_ok(&plots(
        folder.path(),
        &["--dataset", "second", "--format", "svg"],
    ));
    let table =
        fs::read_to_string(folder.path().join("plots/knn_accuracy_table.csv")).expect("written");
    let names: Vec<&str> = table
        .lines()
        .skip(1)
        .filter_map(|row| row.split(',').next())
        .collect();
    assert_eq!(names, ["first", "second"]);
    assert!(
        !folder.path().join("plots/first").exists(),
        "only `second` was to be drawn"
    );
}

#[test]
fn predictions_of_another_split_are_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write(&data, "remade", &MODELS[..4], &["carrot-knn", "my-own"]);
    let manifest = |router: &str, sha256: String| {
        let source = Source {
            path: "data/remade/test.parquet".into(),
            sha256,
            n_bytes: 1,
        };
        let manifest = RunManifest {
            dataset: "remade".to_owned(),
            router: router.to_owned(),
            embedder: None,
            seed: None,
            made_by: "a test".to_owned(),
            config: serde_json::Value::Null,
            inputs: vec![source],
            results: serde_json::Value::Null,
            stages: Vec::new(),
            peak_memory_bytes: None,
            environment: BTreeMap::new(),
        };
        manifest.write(&dir.manifest(router)).expect("written");
    };
    manifest("carrot-knn", "of an older split".to_owned());
    manifest(
        "my-own",
        sha256_file(&dir.split(Part::Test)).expect("hashed"),
    );
    let output = plots(folder.path(), &["--dataset", "remade", "--format", "svg"]);
    check_ok(&output);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("leaving out") && stderr.contains("--routers carrot-knn"),
        "{stderr}"
    );
    let csv =
        fs::read_to_string(folder.path().join("plots/remade/accuracy_cost.csv")).expect("written");
    assert!(csv.contains("curve,my-own,") && !csv.contains("carrot-knn"));

    manifest("my-own", "of an older split".to_owned());
    let output = plots(folder.path(), &["--dataset", "remade"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no predictions belong to"));
}

#[test]
fn the_true_expectations_are_drawn_where_they_are_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let dir = write(&data, "known", &MODELS[..6], &["carrot-knn"]);
    let predicted = Predictions::read(&dir.predictions("carrot-knn")).expect("read");
    predicted.write(&dir.truth(Part::Test)).expect("written");
    check_ok(&plots(folder.path(), &["--format", "svg"]));
    let read = |file: &str| {
        fs::read_to_string(folder.path().join("plots/known").join(file)).expect("written")
    };
    assert!(read("accuracy_cost.svg").contains("Bayes-optimal"));
    // The same predictions give the same curve.
    let csv = read("accuracy_cost.csv");
    let curve = |name: &str| -> Vec<String> {
        let start = format!("curve,{name},");
        csv.lines()
            .filter_map(|line| line.strip_prefix(&start))
            .map(str::to_owned)
            .collect()
    };
    assert!(curve("carrot-knn").len() > 3);
    assert_eq!(curve("carrot-knn"), curve("bayes-optimal"));
}

#[test]
fn degenerate_data_sets_give_figures_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    write(&data, "one-model", &MODELS[..1], &["carrot-knn"]);
    write(
        &data,
        "free",
        &[("a", 0.0, 0.5), ("b", 0.0, 0.6)],
        &["carrot-knn", "mf"],
    );
    write(
        &data,
        "always-right",
        &[("a", 0.001, 9.0), ("b", 0.001, 9.0)],
        &["carrot-knn"],
    );
    let many: Vec<(String, f64, f64)> = (0..100)
        .map(|i| {
            (
                format!("owner/model-number-{i}"),
                0.0001 * 1.05_f64.powi(i),
                0.4 + 0.3 * noise(i as usize, 9),
            )
        })
        .collect();
    let many: Vec<(&str, f64, f64)> = many
        .iter()
        .map(|(name, cost, score)| (name.as_str(), *cost, *score))
        .collect();
    write(&data, "many", &many, &["carrot-knn"]);
    check_ok(&plots(folder.path(), &[]));
    for name in ["one-model", "free", "always-right", "many"] {
        let svg = fs::read_to_string(
            folder
                .path()
                .join("plots")
                .join(name)
                .join("accuracy_cost.svg"),
        )
        .expect("written");
        assert!(
            svg.contains("Accuracy") && !svg.contains("NaN") && !svg.contains("inf"),
            "{name}"
        );
    }
}

#[test]
fn what_cannot_be_drawn_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("made");
    let check = |args: &[&str], code: i32, message: &str| {
        let output = plots(folder.path(), args);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
        assert!(output.stdout.is_empty());
    };
    check(&[], 1, "no data set under `data` has predictions");
    check(
        &["--dataset", "nowhere"],
        1,
        "there is no data set `nowhere`",
    );
    write(&data, "bare", &MODELS[..2], &[]);
    check(
        &["--dataset", "bare"],
        1,
        "cargo run -p train-and-infer -- --dataset bare",
    );
    write(&data, "no-pair", &MODELS[..1], &["mf"]);
    check(&["--dataset", "no-pair"], 1, "names no small and large LLM");
    check(&["--format", "gif"], 2, "gif");
    fs::write(folder.path().join("bad.toml"), "width-in = 3\n").expect("written");
    check(
        &["--config", "bad.toml"],
        1,
        "cannot use the settings in `bad.toml`",
    );
}
