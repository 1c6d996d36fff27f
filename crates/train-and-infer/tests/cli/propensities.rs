//! Propensities of a log that does not say them: estimated once, and kept for all who judge by it.

use std::fs;

use dataset::{CostKind, EstimatedPropensities, Part, TablePropensities, TestSet, WholeSet};
use ndarray::Array2;

use crate::bench::{N_TEST, N_TRAIN, Tiny};

/// One LLM is known on each prompt: the dear one on a third of them.
fn log() -> Tiny {
    let bench = Tiny::new(CostKind::OutputTokens);
    for part in Part::ALL {
        bench.edit_split(part, |split| {
            for row in 0..split.n_prompts() {
                let asked = usize::from(row % 4 == 3 || row % 7 == 0);
                split.scores[[row, 1 - asked]] = f32::NAN;
                split.cost_usd[[row, 1 - asked]] = f64::NAN;
            }
        });
    }
    bench
}

fn kept(bench: &Tiny) -> EstimatedPropensities {
    EstimatedPropensities::read(&bench.dir().propensities()).expect("read")
}

fn bytes(bench: &Tiny) -> Vec<u8> {
    fs::read(bench.dir().propensities()).expect("read")
}

#[test]
fn a_log_s_propensities_are_kept_for_all_who_judge_by_it() {
    let bench = log();
    bench.fit("carrot-linear", &[], 0);
    let found = kept(&bench);
    assert_eq!(found.values.dim(), (N_TRAIN + N_TEST, 2));
    for row in found.values.outer_iter() {
        assert!((row.sum() - 1.0).abs() < 1e-9, "{row}");
        assert!(row.iter().all(|p| *p > 0.0), "{row}");
    }
    // The dear one was asked for some three or four of ten.
    let mean = found.values.column(1).mean().expect("rows");
    assert!((0.2..0.5).contains(&mean), "{mean}");
    let folds: Vec<u32> = found.folds.iter().flatten().copied().collect();
    assert_eq!(
        (folds.len(), folds.iter().max()),
        (N_TRAIN + N_TEST, Some(&4))
    );
    assert_eq!(found.fit["settings"]["n-folds"], 4);

    let whole = WholeSet::open(&bench.dir()).expect("both parts");
    let expected = Some(TablePropensities::estimated(found.values.clone()));
    assert_eq!(whole.table().propensities, expected);
    let test = TestSet::open(&bench.dir()).expect("the test part");
    let of_test = test.split().propensities.as_ref().expect("estimated");
    let rows = ndarray::s![N_TRAIN.., ..];
    assert_eq!(of_test.values, found.values.slice(rows));

    // Another router takes them as they are, and so does a cross-fit; the bytes are the same again.
    let first = bytes(&bench);
    bench.fit("carrot-cluster", &[], 0);
    bench.fit("carrot-linear", &["--cross-fit", "3"], 0);
    bench.fit("carrot-linear", &["--force"], 0);
    assert_eq!(bytes(&bench), first);
}

#[test]
fn a_person_is_told_what_they_rest_on() {
    let bench = log();
    let args = [
        "--dataset",
        "tiny",
        "--embedding",
        "given",
        "--routers",
        "carrot-linear",
    ];
    for status in ["read splits", "kept from an earlier run"] {
        let output = bench.run(&args);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for part in [
            status,
            "this log does not say with which probability it asked each LLM",
            "log loss",
            "right only if whoever chose went by nothing else that matters",
            "propensities.parquet",
        ] {
            assert!(text.contains(part), "no `{part}` in: {text}");
        }
    }
}

#[test]
fn other_settings_and_damage_make_them_anew() {
    let bench = log();
    bench.fit("carrot-linear", &[], 0);
    let first = kept(&bench);
    fs::write(bench.dir().propensities(), "damaged").expect("written");
    let message = bench.fit("carrot-linear", &[], 0);
    assert!(message.contains("estimating them anew"), "{message}");
    assert_eq!(kept(&bench), first);
    bench.write_settings(&[(
        "alphas = [300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01]",
        "alphas = [1000.0]",
    )]);
    // The settings are among those that a fit depends on.
    let message = bench.fit("carrot-linear", &["--config", "routers.toml"], 0);
    assert!(message.contains("refitting it"), "{message}");
    let settings = &kept(&bench).fit["settings"];
    assert_eq!(settings["alphas"], serde_json::json!([1000.0]));
    // Other parts: the old ones belong to nothing.
    bench.edit_split(Part::Train, |split| split.scores[[0, 1]] = 0.5);
    let test = TestSet::open(&bench.dir()).expect("the test part");
    assert_eq!(test.split().propensities, None);
    bench.fit("carrot-linear", &[], 0);
    let test = TestSet::open(&bench.dir()).expect("the test part");
    assert!(test.split().propensities.is_some());
}

#[test]
fn tables_that_are_no_log_or_say_them_have_none() {
    let bench = Tiny::new(CostKind::OutputTokens);
    bench.fit("carrot-linear", &[], 0);
    assert!(!bench.dir().propensities().exists());
    let bench = log();
    for part in Part::ALL {
        bench.edit_split(part, |split| {
            let half = Array2::from_elem(split.scores.dim(), 0.5);
            split.propensities = Some(TablePropensities::recorded(half));
        });
    }
    bench.fit("carrot-linear", &[], 0);
    assert!(!bench.dir().propensities().exists());
}
