//! The figure and table `regret` on a data set with a known truth.

use std::{fs, path::Path};

use dataset::{DatasetDir, Part, PerModel, Predictions, Split};
use ndarray::Array2;

use crate::{MODELS, N_PROMPTS, cells, chance, check_ok, check_snapshot, made_from, plots, write};

/// Writes the true expectations: chances for scores, and the very costs.
pub(crate) fn write_truth(dir: &DatasetDir) {
    let test = Split::read(&dir.split(Part::Test)).expect("read");
    let models = &MODELS[..test.models.len()];
    let truth = PerModel {
        ids: test.ids,
        models: test.models,
        scores: Array2::from_shape_fn((N_PROMPTS, models.len()), |(i, m)| {
            chance(models, i, m) as f32
        }),
        output_tokens: None,
        cost_usd: test.cost_usd,
    };
    let path = dir.truth(Part::Test);
    Predictions::PerModel(truth)
        .write(&path, &made_from(dir))
        .expect("written");
}

/// Writes the data set `known` of the first LLMs, with its true expectations.
fn write_known(folder: &Path, n_models: usize, routers: &[&str]) -> DatasetDir {
    let dir = write(&folder.join("data"), "known", &MODELS[..n_models], routers);
    write_truth(&dir);
    dir
}

/// Writes predictions that draw near the truth as there are more train prompts.
pub(crate) fn write_learning_curve(dir: &DatasetDir, router: &str) {
    let Ok(Predictions::PerModel(predicted)) = Predictions::read(&dir.predictions(router)) else {
        panic!("`{router}` predicts scores");
    };
    let Ok(Predictions::PerModel(truth)) = Predictions::read(&dir.truth(Part::Test)) else {
        panic!("the truth is of scores");
    };
    for (n_train, share) in [(50, 4.0), (100, 2.0)] {
        let scores = &truth.scores + &((&predicted.scores - &truth.scores) * share);
        let part = PerModel {
            scores,
            ..predicted.clone()
        };
        let path = dir.learning_curve_predictions(router, n_train);
        Predictions::PerModel(part)
            .write(&path, &made_from(dir))
            .expect("written");
    }
}

#[test]
fn regret_is_drawn_by_train_prompts_and_by_lambda() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = write_known(folder.path(), 6, &["carrot-knn", "mf"]);
    write_learning_curve(&dir, "carrot-knn");
    let args = ["--figure", "regret", "--format", "svg"];
    check_ok(&plots(folder.path(), &args));
    let made = folder.path().join("plots/known");
    check_snapshot(&made.join("regret.svg"), "regret.svg");
    check_snapshot(&made.join("regret.md"), "regret.md");
    assert!(made.join("bw/regret.svg").is_file());

    let rows = cells(&made.join("regret.csv"));
    let of = |name: &str, n_train: &str, lambda: &str| -> f64 {
        let found = rows
            .iter()
            .find(|row| row[0] == name && row[1] == n_train && row[2] == lambda);
        found.expect("a row")[3].parse().expect("a number")
    };
    let knn = ["50", "100", "200"].map(|n_train| of("carrot-knn", n_train, ""));
    assert!(
        knn[0] > knn[1] && knn[1] > knn[2] && knn[2] > 0.0,
        "{knn:?}"
    );
    assert!(of("zero-router", "", "") > 0.0);
    assert!(of("mf", "200", "0.5") >= 0.0);
    for row in &rows[1..] {
        let [estimate, low, high] = [3, 4, 5].map(|i| row[i].parse::<f64>().expect("a number"));
        assert!(low <= estimate && estimate <= high, "{row:?}");
        assert_eq!(row[6], N_PROMPTS.to_string());
    }
}

#[test]
fn without_a_truth_there_is_no_regret() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(
        &folder.path().join("data"),
        "unknown",
        &MODELS[..3],
        &["carrot-knn"],
    );
    let output = plots(folder.path(), &["--figure", "regret"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(
        message.contains("the data set has no true expectations"),
        "{message}"
    );
}

#[test]
fn without_a_learning_curve_the_one_number_is_shown_and_the_cure_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_known(folder.path(), 3, &["rorf"]);
    let output = plots(
        folder.path(),
        &["--figure", "regret", "--format", "svg", "--look", "color"],
    );
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    check_ok(&output);
    assert!(message.contains("--train-sizes"), "{message}");
    let svg = fs::read_to_string(folder.path().join("plots/known/regret.svg")).expect("written");
    assert!(svg.contains("Train prompts"));
}
