//! The built program on small sizes.

use std::{
    collections::HashSet,
    fs,
    path::Path,
    process::{Command, Output},
};

use dataset::{CostKind, DatasetDir, DatasetInfo, Part, PerModel, Predictions, Split};

fn run(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gen-synthetic"))
        .args(args)
        .current_dir(folder)
        .env_remove("CARROT_DATA_DIR")
        .env_remove("CARROT_LOG")
        .output()
        .expect("the program starts")
}

fn make(folder: &Path, args: &[&str]) -> DatasetDir {
    let output = run(folder, args);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    DatasetDir::existing(&folder.join("data"), "synthetic").expect("a data set")
}

fn truth(dir: &DatasetDir, part: Part) -> PerModel {
    match Predictions::read(&dir.truth(part)).expect("readable") {
        Predictions::PerModel(truth) => truth,
        Predictions::SmallWins(_) => panic!("the truth is per LLM"),
    }
}

#[test]
fn the_default_data_set_is_whole_and_routing_pays_on_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = run(folder.path(), &["--json", "--quiet"]);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let dir = DatasetDir::existing(&folder.path().join("data"), "synthetic").expect("a data set");
    let info = DatasetInfo::read(&dir.info()).expect("readable");
    assert_eq!((info.n_train, info.n_test), (3200, 800));
    assert_eq!(info.cost_kind, CostKind::OutputTokens);
    assert_eq!(report["dataset"]["n-train"], 3200);

    let mut ids = HashSet::new();
    for part in Part::ALL {
        let path = dir.split(part);
        let split = Split::read(&path).expect("readable");
        let truth = truth(&dir, part);
        Predictions::PerModel(truth.clone())
            .check_fits(&dir.truth(part), &path, &split)
            .expect("the same rows");
        assert_eq!(split.models, info.model_names());
        assert!(!split.scores.iter().any(|score| score.is_nan()));
        for (m, model) in info.models.iter().enumerate() {
            let price = model.price.as_ref().expect("synthetic LLMs have prices");
            let tokens = |of: &Option<ndarray::Array2<f64>>| of.as_ref().expect("given")[(0, m)];
            let cost = price.cost_usd(tokens(&split.input_tokens), tokens(&split.output_tokens));
            assert_eq!(split.cost_usd[(0, m)], cost);
        }
        ids.extend(split.ids);
    }
    assert_eq!(ids.len(), 4000);

    let number = |key: &str| report["truth"][key].as_f64().expect("a number");
    assert_eq!(report["truth"]["best-single"], "atlas-large");
    // The claims that the data set exists for: the router beats the best single LLM, or is as good for well below its cost.
    assert!(
        number("bayes-score") > number("best-single-score") + 0.04,
        "{report}"
    );
    assert!(
        number("match-score") >= number("best-single-score"),
        "{report}"
    );
    assert!(
        number("match-cost-usd") < 0.4 * number("best-single-cost-usd"),
        "{report}"
    );
}

#[test]
fn the_bayes_router_dominates_every_single_model() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let truth = truth(&make(folder.path(), &["--n", "1000"]), Part::Train);
    let n = truth.ids.len() as f64;
    for weight in [0.0, 10.0, 100.0, 1000.0] {
        let value =
            |i: usize, m: usize| f64::from(truth.scores[(i, m)]) - weight * truth.cost_usd[(i, m)];
        let rows = 0..truth.ids.len();
        let best = |i: usize| {
            (0..truth.models.len())
                .map(|m| value(i, m))
                .fold(f64::MIN, f64::max)
        };
        let routed = rows.clone().map(best).sum::<f64>() / n;
        for m in 0..truth.models.len() {
            let single = rows.clone().map(|i| value(i, m)).sum::<f64>() / n;
            assert!(
                routed > single + 1e-3,
                "{}, {weight}: {routed} {single}",
                truth.models[m]
            );
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |args: &[&str]| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = make(folder.path(), args);
        let files = Part::ALL
            .map(|part| [dir.split(part), dir.truth(part)])
            .concat();
        let files = files.into_iter().chain([dir.info()]);
        files
            .map(|path| fs::read(path).expect("written"))
            .collect::<Vec<_>>()
    };
    let first = bytes(&["--n", "300"]);
    assert!(bytes(&["--n", "300", "--seed", "42"]) == first);
    let other = bytes(&["--n", "300", "--seed", "43"]);
    assert!(first.iter().zip(&other).all(|(a, b)| a != b));
}

#[test]
fn tiny_sizes_work_or_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = make(folder.path(), &["--n", "2", "--test-size", "0.5"]);
    assert_eq!(truth(&dir, Part::Test).ids.len(), 1);
    for (args, expected) in [
        (&["--n", "0"][..], "--n"),
        (&["--n", "1"], "neither may be empty"),
        (&["--test-size", "1.5"], "neither may be empty"),
        (&["--name", "a/b"], "cannot name a data set"),
    ] {
        let output = run(folder.path(), args);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.contains(expected), "{args:?}: {message}");
    }
}

#[test]
fn another_configuration_can_be_used() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = include_str!("../../../configs/synthetic.toml");
    let path = folder.path().join("mine.toml");
    fs::write(&path, text.replace("n-prompts = 4000", "n-prompts = 10")).expect("written");
    let dir = make(folder.path(), &["--config", "mine.toml"]);
    assert_eq!(DatasetInfo::read(&dir.info()).expect("readable").n_train, 8);

    for (from, to, expected) in [
        (
            "discrimination = 1.7",
            "discrimination = -1",
            "`discrimination` is -1",
        ),
        (
            "n-prompts = 4000",
            "n-prompts = 4000\nbeta = 1",
            "unknown field `beta`",
        ),
        (
            "family = \"units\"",
            "family = \"poems\"",
            "unknown variant `poems`",
        ),
    ] {
        fs::write(&path, text.replace(from, to)).expect("written");
        let output = run(folder.path(), &["--config", "mine.toml"]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(
            message.contains(expected) && message.contains("mine.toml"),
            "{message}"
        );
    }
}
