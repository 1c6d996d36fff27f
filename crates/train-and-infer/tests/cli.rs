//! The built program on tiny data sets in a temporary folder.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use dataset::{
    CostKind, CostRule, DatasetDir, DatasetInfo, Embeddings, EmbeddingsMeta, ModelInfo, Part,
    PerModel, Predictions, Price, RunManifest, Split, SplitOrigin,
};
use ndarray::{Array2, array};

const N_TRAIN: usize = 30;
const N_TEST: usize = 6;

/// A folder with the data set `tiny`: prompts about three things, of which each LLM knows some.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new(cost_kind: CostKind) -> Self {
        let bench = Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        let price = |input_usd_per_mtok, output_usd_per_mtok| Price {
            input_usd_per_mtok,
            output_usd_per_mtok,
            source: None,
        };
        let model = |name: &str, price| ModelInfo {
            name: name.to_owned(),
            price: Some(price),
            cost_rule: match cost_kind {
                CostKind::Known => CostRule::InputTokens,
                CostKind::OutputTokens => CostRule::InputAndOutputTokens,
                CostKind::Usd => CostRule::Given,
            },
        };
        let info = DatasetInfo {
            name: "tiny".to_owned(),
            models: vec![
                model("cheap", price(1.0, 2.0)),
                model("owner/dear", price(10.0, 20.0)),
            ],
            pair: None,
            cost_kind,
            n_train: N_TRAIN,
            n_test: N_TEST,
            n_validation: None,
            split: SplitOrigin::Given,
            sources: Vec::new(),
            made_by: "a test".to_owned(),
            options: BTreeMap::new(),
            findings: BTreeMap::new(),
            notes: Vec::new(),
        };
        for (part, n_rows) in [(Part::Train, N_TRAIN), (Part::Test, N_TEST)] {
            let split = split(n_rows, part);
            split.write(&bench.dir().split(part)).expect("written");
            let values = Array2::from_shape_fn((n_rows, 3), |(row, column)| {
                f32::from(u8::from(topic(row) == column))
            });
            let meta = EmbeddingsMeta {
                embedder: "given".to_owned(),
                embedder_sha256: None,
                split_sha256: None,
            };
            let embeddings = Embeddings {
                ids: split.ids,
                values,
                meta,
            };
            embeddings
                .write(&bench.dir().embeddings("given", part))
                .expect("written");
        }
        info.write(&bench.dir().info()).expect("written");
        bench
    }

    fn dir(&self) -> DatasetDir {
        DatasetDir::new(&self.folder.path().join("data"), "tiny")
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_train-and-infer"))
            .args(args)
            .current_dir(self.folder.path())
            .env_remove("CARROT_DATA_DIR")
            .env("CARROT_MODELS_DIR", models_dir())
            .env("HF_HUB_OFFLINE", "1")
            .env("HF_HOME", self.folder.path())
            .output()
            .expect("started")
    }

    fn fit(&self, args: &[&str]) -> (PerModel, RunManifest) {
        let output = self.run(&[&["--dataset", "tiny", "--routers", "carrot-knn"], args].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let predictions = Predictions::read(&self.dir().predictions("carrot-knn")).expect("read");
        let Predictions::PerModel(per_model) = predictions else {
            panic!("predictions for each LLM")
        };
        (
            per_model,
            RunManifest::read(&self.dir().manifest("carrot-knn")).expect("read"),
        )
    }
}

fn topic(row: usize) -> usize {
    row % 3
}

/// On topic 0 both LLMs are right, on topic 1 only the dear one, on topic 2 none; answers have 10, 20 and 30 tokens.
fn split(n_rows: usize, part: Part) -> Split {
    let shape = (n_rows, 2);
    let scores = Array2::from_shape_fn(shape, |(row, model)| {
        [[1.0, 1.0], [0.0, 1.0], [0.0, 0.0]][topic(row)][model]
    });
    let output_tokens = Array2::from_shape_fn(shape, |(row, _)| 10.0 * (topic(row) + 1) as f64);
    let input_tokens = Array2::from_elem(shape, 100.0);
    let cost_usd = Array2::from_shape_fn(shape, |(row, model)| {
        [1e-6, 1e-5][model] * (100.0 + 2.0 * output_tokens[[row, model]])
    });
    let words = [
        "the weather in Lisbon",
        "a proof by induction",
        "the price of tea",
    ];
    Split {
        ids: (0..n_rows)
            .map(|row| format!("{}-{row}", part.name()))
            .collect(),
        tasks: vec!["all".to_owned(); n_rows],
        prompts: (0..n_rows)
            .map(|row| format!("Tell me about {}, number {row}.", words[topic(row)]))
            .collect(),
        models: vec!["cheap".to_owned(), "owner/dear".to_owned()],
        scores,
        input_tokens: Some(input_tokens),
        output_tokens: Some(output_tokens),
        cost_usd,
    }
}

/// Where scripts/minilm.sh puts models.
fn models_dir() -> PathBuf {
    std::env::var_os("CARROT_MODELS_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models"),
        PathBuf::from,
    )
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn output_tokens_become_costs() {
    let bench = Bench::new(CostKind::OutputTokens);
    let (predictions, manifest) = bench.fit(&["--embedding", "given"]);
    // Rows of one topic have one embedding, so the neighbors of a test prompt are prompts of its topic.
    let test = split(N_TEST, Part::Test);
    assert_eq!(predictions.scores, test.scores);
    assert_eq!(
        predictions.output_tokens.expect("predicted"),
        test.output_tokens
            .expect("known")
            .mapv(|tokens| tokens as f32)
    );
    for (cost, expected) in predictions.cost_usd.iter().zip(&test.cost_usd) {
        assert!((cost - expected).abs() < 1e-12, "{cost}, not {expected}");
    }
    assert_eq!(manifest.embedder.as_deref(), Some("given"));
    assert_eq!(manifest.results["targets"][0]["n-neighbors"], 2);
    let inputs: Vec<String> = manifest
        .inputs
        .iter()
        .map(|input| input.path.to_string_lossy().into_owned())
        .collect();
    let expected = [
        "train",
        "test",
        "embeddings/given/train",
        "embeddings/given/test",
    ];
    assert_eq!(
        inputs,
        expected.map(|name| format!("data/tiny/{name}.parquet"))
    );
    let stages: Vec<&str> = manifest
        .stages
        .iter()
        .map(|stage| stage.name.as_str())
        .collect();
    assert_eq!(stages, ["read splits", "embed", "fit", "predict", "write"]);
}

#[test]
fn dollars_are_predicted_or_known() {
    for cost_kind in [CostKind::Usd, CostKind::Known] {
        let bench = Bench::new(cost_kind);
        let (predictions, manifest) = bench.fit(&["--embedding", "given"]);
        assert!(predictions.output_tokens.is_none());
        for (cost, expected) in predictions
            .cost_usd
            .iter()
            .zip(&split(N_TEST, Part::Test).cost_usd)
        {
            assert!(
                (cost - expected).abs() < 1e-9,
                "{cost_kind:?}: {cost}, not {expected}"
            );
        }
        let n_targets = manifest.results["targets"].as_array().map(Vec::len);
        assert_eq!(
            n_targets,
            Some(if cost_kind == CostKind::Known { 1 } else { 2 })
        );
    }
}

#[test]
fn the_same_input_gives_the_same_bytes_with_every_back_end() {
    let bench = Bench::new(CostKind::OutputTokens);
    let settings = include_str!("../../../configs/routers.toml");
    let mut bytes = Vec::new();
    for backend in [
        "gemm",
        "gemm",
        "linfa-linear",
        "linfa-balltree",
        "linfa-kdtree",
    ] {
        let config = bench.folder.path().join("routers.toml");
        fs::write(
            &config,
            settings.replace("\"gemm\"", &format!("\"{backend}\"")),
        )
        .expect("written");
        bench.fit(&["--embedding", "given", "--config", "routers.toml"]);
        bytes.push(fs::read(bench.dir().predictions("carrot-knn")).expect("read"));
    }
    assert!(bytes.iter().all(|other| *other == bytes[0]));
}

#[test]
fn embeddings_are_computed_once_for_a_split_and_a_model() {
    let bench = Bench::new(CostKind::OutputTokens);
    assert!(
        models_dir().join("all-MiniLM-L6-v2").is_dir(),
        "this test needs the local embedding model: run scripts/minilm.sh, or scripts/test.sh, which does"
    );
    let run = |routers: &[&str]| {
        let args = [
            &[
                "--dataset",
                "tiny",
                "--embedding",
                "minilm",
                "--device",
                "cpu",
                "--routers",
            ],
            routers,
        ]
        .concat();
        let output = bench.run(&args);
        assert!(output.status.success(), "{}", stderr(&output));
        stderr(&output)
    };
    let first = run(&["carrot-knn,carrot-knn-sbert"]);
    assert_eq!(
        first.matches("INFO embedding").count(),
        2,
        "each part once for two routers: {first}"
    );
    assert_eq!(
        bench.dir().routers().expect("listed"),
        ["carrot-knn", "carrot-knn-sbert"]
    );
    let vectors = Embeddings::read(&bench.dir().embeddings("minilm", Part::Test)).expect("read");
    assert_eq!(vectors.values.dim(), (N_TEST, 384));

    assert!(
        !run(&["carrot-knn"]).contains("INFO embedding"),
        "nothing changed"
    );
    let mut changed = split(N_TEST, Part::Test);
    changed.prompts[0] = "Something else.".to_owned();
    changed
        .write(&bench.dir().split(Part::Test))
        .expect("written");
    let second = run(&["carrot-knn"]);
    assert_eq!(
        second.matches("INFO embedding").count(),
        1,
        "only the changed part: {second}"
    );
    let renewed = Embeddings::read(&bench.dir().embeddings("minilm", Part::Test)).expect("read");
    assert_ne!(renewed.values.row(0), vectors.values.row(0));
    // The prompts were batched anew, which costs the last bits.
    let difference = (&renewed.values.row(1) - &vectors.values.row(1)).mapv(f32::abs);
    assert!(difference.iter().all(|&difference| difference < 1e-5));
}

#[test]
fn results_can_be_read_by_programs() {
    let bench = Bench::new(CostKind::Known);
    let output = bench.run(&[
        "--dataset",
        "tiny",
        "--routers",
        "carrot-knn",
        "--embedding",
        "given",
        "--json",
        "--quiet",
    ]);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        stderr(&output)
    );
    let reports: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(reports[0]["n-test"], N_TEST);
    assert_eq!(reports[0]["manifest"]["router"], "carrot-knn");
}

#[test]
fn what_cannot_be_done_is_said_in_one_line() {
    let bench = Bench::new(CostKind::OutputTokens);
    let check = |args: &[&str], code: i32, expected: &str| {
        let output = bench.run(args);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
        assert!(message.contains(expected), "{args:?}: {message}");
        assert!(
            bench.dir().routers().expect("listed").is_empty(),
            "{args:?} wrote predictions"
        );
    };
    let knn = |extra: &[&'static str]| {
        [&["--dataset", "tiny", "--routers", "carrot-knn"], extra].concat()
    };
    check(
        &["--dataset", "tiny", "--routers", "carrot-magic"],
        2,
        "carrot-magic",
    );
    check(&["--dataset", "tiny"], 2, "--routers");
    check(
        &["--dataset", "huge", "--routers", "carrot-knn"],
        1,
        "there is no data set `huge` under `data`",
    );
    check(
        &knn(&["--embedding", "no-such-thing"]),
        2,
        "`no-such-thing` is no embedding",
    );
    check(
        &knn(&["--embedding", "given", "--device", "abacus"]),
        2,
        "abacus",
    );
    check(
        &knn(&["--embedding", "owner/model"]),
        1,
        "HF_HUB_OFFLINE is set",
    );
    check(&knn(&["--embedding", "data"]), 1, "config.json");

    fs::write(
        bench.folder.path().join("bad.toml"),
        "[carrot-knn]\nk = 3\n",
    )
    .expect("written");
    check(
        &knn(&["--embedding", "given", "--config", "bad.toml"]),
        1,
        "unknown field `k`",
    );
    let settings =
        include_str!("../../../configs/routers.toml").replace("n-folds = 5", "n-folds = 1");
    fs::write(bench.folder.path().join("bad.toml"), settings).expect("written");
    check(
        &knn(&["--embedding", "given", "--config", "bad.toml"]),
        1,
        "`n-folds` is 1, expected at least 2",
    );

    let path = bench.dir().embeddings("given", Part::Train);
    let mut embeddings = Embeddings::read(&path).expect("read");
    embeddings.ids.swap(0, 1);
    embeddings.write(&path).expect("written");
    check(
        &knn(&["--embedding", "given"]),
        1,
        "row 1 has id `train-1` instead of `train-0`",
    );
    embeddings.ids.swap(0, 1);
    embeddings.meta.split_sha256 = Some("of another split".to_owned());
    embeddings.write(&path).expect("written");
    check(
        &knn(&["--embedding", "given"]),
        1,
        "were made from another version of",
    );
    embeddings.meta.split_sha256 = None;
    embeddings.values = array![[1.0_f32]]
        .broadcast((N_TRAIN, 2))
        .expect("broadcast")
        .to_owned();
    embeddings.write(&path).expect("written");
    check(&knn(&["--embedding", "given"]), 1, "expected (6, 2)");
}
