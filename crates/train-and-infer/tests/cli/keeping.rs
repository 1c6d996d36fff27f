use std::fs;

use dataset::{CostKind, Part, TestSet};
use saved_routers::SavedRouter;

use crate::bench::{N_TEST, Tiny, stderr};

#[test]
fn what_is_unchanged_is_kept() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let settings = ["--config", "routers.toml"];
    bench.write_settings(&[]);
    let manifest = || fs::read(bench.dir().manifest("carrot-knn")).expect("read");
    let is_kept = |args: &[&str]| {
        let before = manifest();
        let message = bench.fit("carrot-knn", args, 0);
        let is_kept = message.contains("keeping `carrot-knn`");
        // Timings differ from run to run.
        assert_eq!(before == manifest(), is_kept, "{message}");
        is_kept
    };
    bench.fit("carrot-knn", &settings, 0);
    let bytes = bench.bytes("carrot-knn");
    assert!(is_kept(&settings));
    assert!(!is_kept(&["--config", "routers.toml", "--force"]));
    assert_eq!(bench.bytes("carrot-knn"), bytes);
    assert!(is_kept(&settings));

    // Other settings, and back.
    bench.write_settings(&[("n-folds = 5", "n-folds = 4")]);
    assert!(!is_kept(&settings));
    bench.write_settings(&[]);
    assert!(!is_kept(&settings));
    // Another router's settings are nothing to it.
    bench.write_settings(&[("n-trees = 100", "n-trees = 99")]);
    assert!(is_kept(&settings));

    // Other data.
    bench.edit_split(Part::Test, |split| split.scores[[0, 0]] = 0.5);
    assert!(!is_kept(&settings));
    assert!(is_kept(&settings));

    // Another version of the program.
    let mut other = bench.manifest("carrot-knn");
    other.made_by = "train-and-infer 0.0.1".to_owned();
    other
        .write(&bench.dir().manifest("carrot-knn"))
        .expect("written");
    assert!(!is_kept(&settings));

    // A result that is gone, and one that is broken.
    fs::remove_file(bench.dir().predictions("carrot-knn")).expect("removed");
    assert!(!is_kept(&settings));
    fs::write(bench.dir().manifest("carrot-knn"), "{").expect("written");
    assert!(!is_kept(&settings));
}

#[test]
fn a_saved_router_that_is_broken_is_fitted_anew() {
    let bench = Tiny::new(CostKind::OutputTokens);
    bench.fit("carrot-knn", &[], 0);
    let folder = bench.model("carrot-knn");
    let tensors = folder.join("router.safetensors");
    let whole = fs::read(&tensors).expect("read");
    for (break_it, expected) in [
        (
            &(|| fs::write(&tensors, &whole[..whole.len() - 1])) as &dyn Fn() -> _,
            "router.safetensors",
        ),
        (
            &|| fs::write(folder.join("router.json"), "{}"),
            "format version none",
        ),
        (&|| fs::remove_dir_all(&folder), "no saved router"),
    ] {
        break_it().expect("broken");
        let message = bench.fit("carrot-knn", &[], 0);
        assert!(message.contains("cannot be used"), "{message}");
        assert!(message.contains(expected), "{message}");
        SavedRouter::open(&folder).expect("mended");
        assert_eq!(fs::read(&tensors).expect("read"), whole);
    }
}

#[test]
fn predictions_that_are_damaged_are_made_anew() {
    let bench = Tiny::new(CostKind::OutputTokens);
    bench.fit("carrot-knn", &[], 0);
    let path = bench.dir().predictions("carrot-knn");
    let whole = bench.bytes("carrot-knn");
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let cases: [&[u8]; 4] = [&whole[..300], &flipped, b"", b"PAR1"];
    for bytes in cases {
        fs::write(&path, bytes).expect("written");
        let message = bench.fit("carrot-knn", &[], 0);
        assert!(
            message.contains("cannot be used, refitting it"),
            "{message}"
        );
        assert!(message.contains("carrot-knn.parquet"), "{message}");
        assert_eq!(bench.bytes("carrot-knn"), whole);
    }
    // A manifest of an earlier version has no hash of them; then they are read.
    let mut manifest = bench.manifest("carrot-knn");
    manifest.predictions_sha256 = None;
    for (bytes, is_kept) in [(&whole[..], true), (&whole[..300], false)] {
        manifest
            .write(&bench.dir().manifest("carrot-knn"))
            .expect("written");
        fs::write(&path, bytes).expect("written");
        let message = bench.fit("carrot-knn", &[], 0);
        assert_eq!(message.contains("keeping"), is_kept, "{message}");
        assert_eq!(bench.bytes("carrot-knn"), whole);
    }
}

#[test]
fn tensors_of_another_fit_are_not_kept() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let tensors = bench.model("carrot-knn").join("router.safetensors");
    let one = {
        bench.fit("carrot-knn", &[], 0);
        fs::read(&tensors).expect("read")
    };
    bench.edit_split(Part::Train, |split| split.scores[[0, 0]] = 0.5);
    bench.fit("carrot-knn", &[], 0);
    let other = fs::read(&tensors).expect("read");
    assert!(one.len() == other.len() && one != other);
    fs::write(&tensors, one).expect("written");
    let message = bench.fit("carrot-knn", &[], 0);
    assert!(
        message.contains("cannot be used, refitting it"),
        "{message}"
    );
    assert_eq!(fs::read(&tensors).expect("read"), other);
}

#[test]
fn all_is_what_the_data_set_allows() {
    let bench = Tiny::new(CostKind::Known);
    bench.edit_info(|info| info.pair = None);
    // Neither the sentence embedder nor roberta-base is at hand, so those two fail and take no other with them.
    let message = bench.fit("all", &[], 1);
    for router in ["mf", "rorf", "roberta-binary"] {
        let expected = format!("leaving out `{router}`: data set `tiny` names no pair");
        assert!(message.contains(&expected), "{message}");
    }
    assert!(
        message.contains("2 of 7 routers failed: carrot-knn-sbert, carrot-roberta"),
        "{message}"
    );
    assert_eq!(
        bench.dir().routers().expect("listed"),
        [
            "carrot-blend",
            "carrot-cluster",
            "carrot-kernel",
            "carrot-knn",
            "carrot-linear"
        ]
    );
}

#[test]
fn results_can_be_read_by_programs() {
    let bench = Tiny::new(CostKind::Known);
    let args = [
        "--dataset",
        "tiny",
        "--routers",
        "carrot-knn",
        "--embedding",
    ];
    for status in ["fitted", "kept"] {
        let output = bench.run(&[&args[..], &["given", "--json", "--quiet"]].concat());
        // Of the embeddings, which say little, a warning remains.
        let message = stderr(&output);
        assert!(output.status.success(), "{message}");
        assert!(!message.contains("INFO"), "{message}");
        let reports: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(reports[0]["status"], status);
        assert_eq!(reports[0]["n-test"], N_TEST);
        assert_eq!(reports[0]["model"], "models/tiny/carrot-knn");
        assert_eq!(reports[0]["manifest"]["router"], "carrot-knn");
    }
}

/// A run removes the older manifest first and writes the new one last, so a run that is killed leaves none.
#[test]
fn what_a_killed_run_leaves_is_not_taken_for_fresh() {
    let bench = Tiny::new(CostKind::OutputTokens);
    bench.fit("carrot-knn", &[], 0);
    let (dir, manifest) = (bench.dir(), bench.dir().manifest("carrot-knn"));
    let older = bench.bytes("carrot-knn");
    let is_fresh = || {
        let test = TestSet::open(&dir).expect("opened");
        test.router("carrot-knn").expect("read").is_ok()
    };
    assert!(is_fresh());

    // Killed after the router took its place: the newer router beside predictions of an older test part.
    bench.edit_split(Part::Test, |split| split.scores[[0, 0]] = 0.5);
    bench.fit("carrot-knn", &[], 0);
    fs::write(dir.predictions("carrot-knn"), &older).expect("written");
    fs::remove_file(&manifest).expect("removed");
    assert!(!is_fresh(), "they say themselves what they are for");
    let message = bench.fit("carrot-knn", &[], 0);
    assert!(!message.contains("keeping"), "{message}");
    assert!(is_fresh());

    // Killed after the predictions were written: they are usable, and yet the router is fitted again.
    fs::remove_file(&manifest).expect("removed");
    assert!(is_fresh());
    let message = bench.fit("carrot-knn", &[], 0);
    assert!(!message.contains("keeping"), "{message}");
}
