use std::fs;

use dataset::{CostKind, Predictions, RunManifest};

use crate::bench::{N_TEST, N_TRAIN, Tiny, names};

/// What stands above the seed in the settings.
const SPLITS: &str = "42 is that of CARROT's own splits.";
const SIZES: [&str; 2] = ["--train-sizes", "12,30"];

#[test]
fn a_learning_curve_stands_beside_the_ordinary_predictions() {
    for router in ["carrot-knn", "mf", "rorf"] {
        let bench = Tiny::new(CostKind::OutputTokens);
        bench.fit(router, &[], 0);
        let (predictions, manifest) = (bench.bytes(router), bench.dir().manifest(router));
        let manifest_bytes = fs::read(&manifest).expect("read");

        let message = bench.fit(router, &SIZES, 0);
        assert!(!message.contains("keeping"), "{message}");
        let dir = bench.dir();
        assert_eq!(
            dir.learning_curve_sizes(router).expect("listed"),
            [12, N_TRAIN]
        );
        let small = Predictions::read(&dir.learning_curve_predictions(router, 12)).expect("read");
        assert_eq!(small.ids().len(), N_TEST);
        let of_all = fs::read(dir.learning_curve_predictions(router, N_TRAIN)).expect("read");
        assert_eq!(of_all, predictions, "{router} on all of the train part");
        let small = RunManifest::read(&dir.learning_curve_manifest(router, 12)).expect("read");
        assert_eq!(small.config["train-prompts"]["n"], 12);

        // Nothing of the ordinary run was touched, and no part is kept among the models.
        assert_eq!(bench.bytes(router), predictions);
        assert_eq!(fs::read(&manifest).expect("read"), manifest_bytes);
        assert_eq!(names(&bench.path().join("models/tiny")), [router]);
        assert_eq!(dir.routers().expect("listed"), [router]);

        let message = bench.fit(router, &["--train-sizes", "30", "12", "12"], 0);
        assert_eq!(message.matches("keeping").count(), 2, "{message}");
        let message = bench.fit(router, &[&SIZES[..], &["--force"]].concat(), 0);
        assert!(!message.contains("keeping"), "{message}");
        assert_eq!(
            fs::read(dir.learning_curve_predictions(router, N_TRAIN)).expect("read"),
            predictions
        );
    }
}

#[test]
fn another_seed_takes_other_prompts() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let settings = ["--config", "routers.toml", "--train-sizes", "3"];
    let path = bench.dir().learning_curve_predictions("carrot-knn", 3);
    let mut seen = Vec::new();
    for seed in 0..4 {
        let of_mine = format!("{SPLITS}\nseed = {seed}");
        bench.write_settings(&[(&format!("{SPLITS}\nseed = 42"), &of_mine)]);
        let message = bench.fit("carrot-knn", &settings, 0);
        assert!(!message.contains("keeping"), "{message}");
        seen.push(fs::read(&path).expect("read"));
    }
    seen.sort();
    seen.dedup();
    assert!(
        seen.len() > 1,
        "three prompts of thirty are others with another seed"
    );
}

#[test]
fn sizes_that_no_split_has_are_bad_usage() {
    let bench = Tiny::new(CostKind::OutputTokens);
    for size in ["0", "31", "12,31"] {
        let message = bench.fit("carrot-knn", &["--train-sizes", size], 2);
        assert!(
            message.contains("expected numbers from 1 to the 30 train prompts"),
            "{message}"
        );
    }
    bench.fit("carrot-knn", &["--train-sizes", "-3"], 2);
    assert_eq!(
        bench
            .dir()
            .learning_curve_sizes("carrot-knn")
            .expect("listed"),
        [0_usize; 0]
    );
}

#[test]
fn a_part_without_both_outcomes_fails_and_says_which() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let message = bench.fit("mf", &["--train-sizes", "1"], 1);
    assert!(
        message.contains("cannot fit on 1 train prompts"),
        "{message}"
    );
    assert!(!bench.dir().learning_curve_predictions("mf", 1).exists());
}
