//! The figures and the table of a study of rates.

use dataset::{RateCurve, RateInterval, RatePoint, RateProblem, RateStudy};

use super::*;

/// A study in some dimensions whose excess risks are power laws; `1-nn` never learns.
pub(crate) fn write_study(path: &Path, dims: &[usize]) {
    let interval = |estimate: f64| RateInterval {
        estimate,
        low: 0.95 * estimate,
        high: 1.05 * estimate,
    };
    let curve = |router: &str, exponent: f64, height: f64| RateCurve {
        router: router.to_owned(),
        exponent: Some(interval(exponent)),
        predicted_exponent: (router == "carrot-knn").then_some(exponent),
        points: (8..16)
            .map(|log2_n| {
                let n = 1 << log2_n;
                let risk = height * f64::from(n).powf(-exponent);
                RatePoint {
                    n: n as usize,
                    n_neighbors: (router != "random").then_some(1),
                    excess_risk: interval(risk),
                    predicted_excess_risk: (router == "carrot-knn").then_some(risk),
                }
            })
            .collect(),
    };
    let problem = |dim: usize| {
        let bound_exponent = 2.0 / (2.0 + dim as f64);
        RateProblem {
            name: "lipschitz".to_owned(),
            dim,
            smoothness: 1.0,
            margin_exponent: 1.0,
            bound_exponent,
            neighbors: 4.0,
            n_repetitions: 10,
            curves: vec![
                // In eight dimensions it misses the bound.
                curve(
                    "carrot-knn",
                    bound_exponent + if dim == 8 { 0.1 } else { 0.0 },
                    0.5,
                ),
                curve("1-nn", 0.0, 0.05),
                curve("random", 0.0, 0.1),
                curve("carrot-knn-chosen-k", bound_exponent / 2.0, 0.3),
            ],
        }
    };
    let study = RateStudy {
        made_by: "a test".to_owned(),
        settings: Source {
            path: "a test".into(),
            sha256: String::new(),
            n_bytes: 0,
        },
        seed: 1,
        mu: 0.5,
        level: 0.95,
        n_test: 1,
        fit_from_n: 1024,
        problems: dims.iter().map(|&dim| problem(dim)).collect(),
    };
    study.write(path).expect("written");
}

#[test]
fn a_study_of_rates_is_drawn_when_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    write_study(
        &folder.path().join("data/rate-study/rate-study.json"),
        &[1, 2, 4, 8],
    );
    write_study(&folder.path().join("data/one/rate-study.json"), &[1]);
    let output = plots(folder.path(), &["--figure", "rate_optimality"]);
    let stdout = check_ok(&output);
    let expected = |name: &str| {
        let figure = ["", "bw/"].map(|folder| {
            ["svg", "pdf", "png", "csv"]
                .map(|extension| format!("{folder}rate_optimality-lipschitz.{extension}"))
        });
        let table = ["md", "csv"].map(|extension| format!("rate_optimality.{extension}"));
        let files = [&figure.concat()[..], &table].concat();
        let path = |file| format!("plots/{name}/{file}");
        files.into_iter().map(path).collect::<Vec<String>>()
    };
    let all = [expected("one"), expected("rate-study")].concat();
    assert_eq!(stdout.lines().collect::<Vec<_>>(), all);

    let svg = fs::read_to_string(folder.path().join(&expected("rate-study")[0])).expect("written");
    for text in [
        "4 dimensions",
        "1 neighbor",
        "k by the shipped rule",
        "fitted 0.667 [0.633, 0.700]",
        "bound 0.200",
        "fitted 0.300 [0.285, 0.315]",
    ] {
        assert!(svg.contains(text), "the figure lacks `{text}`");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"));

    let rows = cells(&folder.path().join(&expected("rate-study")[3]));
    // Four dimensions, three routers, eight sizes, and the header where it is kept.
    assert_eq!(rows.iter().filter(|row| row[1] == "1-nn").count(), 32);
    let table =
        fs::read_to_string(folder.path().join(&expected("rate-study")[8])).expect("written");
    let verdicts: Vec<bool> = table
        .lines()
        .filter(|line| line.starts_with("| lipschitz"))
        .map(|line| line.contains("| yes |"))
        .collect();
    assert_eq!(verdicts, [true, true, true, false], "{table}");
}

#[test]
fn a_study_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("data")).expect("made");
    for args in [
        &["--figure", "rate_optimality"][..],
        &["--figure", "rate_optimality", "--dataset", "nothing"],
    ] {
        let output = plots(folder.path(), args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("cargo run -p rate-study"), "{stderr}");
    }
}
