use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use nets::{
    BatchOrder, Decayed, Error, TrainPadding, TrainParams, TrainReport, TrainSetup,
    forget_checkpoint,
};

use test_support::try_mutations;

use crate::tiny::{params, setup, train};

/// The metrics without those that are wall time.
fn timeless(report: &TrainReport) -> Vec<String> {
    let line = |record: &nets::Record| {
        let record = nets::Record {
            seconds: 0.,
            tokens_per_second: 0.,
            ..*record
        };
        format!("{record:?}")
    };
    report.records.iter().map(line).collect()
}

#[test]
fn one_seed_gives_the_same_weights_and_another_gives_others() {
    let (report, weights) = train(&params(), &setup(None)).unwrap();
    let (again, same) = train(&params(), &setup(None)).unwrap();
    assert_eq!(timeless(&report), timeless(&again));
    assert!(weights == same);
    let (_, other) = train(
        &TrainParams {
            seed: 43,
            ..params()
        },
        &setup(None),
    )
    .unwrap();
    assert!(weights != other);
}

/// Kills a training after `n_steps` steps, as a panic does: nothing is tidied up.
fn kill(params: &TrainParams, folder: &PathBuf, n_steps: u64) {
    let n_calls = AtomicU64::new(0);
    let on_progress = |_| assert!(n_calls.fetch_add(1, Ordering::Relaxed) < n_steps, "killed");
    let setup = TrainSetup {
        on_progress: &on_progress,
        ..setup(Some(folder))
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| train(params, &setup)));
    assert!(outcome.is_err(), "it was to be killed");
}

#[test]
fn killed_and_resumed_equals_uninterrupted() {
    for params in [
        // 30 train rows, 8 steps in an epoch; checkpoints at 3, 6, 8, 9, 12, ...
        TrainParams {
            checkpoint_every_steps: 3,
            ..params()
        },
        TrainParams {
            checkpoint_every_steps: 2,
            gradient_accumulation: 3,
            batch_order: BatchOrder::LikeLengths,
            validate_every_steps: Some(2),
            log_every_steps: 5,
            decayed: Decayed::Matrices,
            padding: TrainPadding::Attended,
            ..params()
        },
    ] {
        let (expected, weights) = train(&params, &setup(None)).unwrap();
        // In the first epoch, at its end, in the second; twice in one training; and before any checkpoint.
        for kills in [&[5][..], &[8], &[3, 4], &[1]] {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path().join("new folder");
            for n_steps in kills {
                kill(&params, &folder, *n_steps);
            }
            let (found, resumed) = train(&params, &setup(Some(&folder))).unwrap();
            assert_eq!(timeless(&found), timeless(&expected), "{kills:?}");
            assert!(resumed == weights, "{kills:?}");
            assert_eq!(found.resumed_at.is_some(), *kills != [1], "{kills:?}");

            // Taken up once more, there is nothing left to do.
            let (done, again) = train(&params, &setup(Some(&folder))).unwrap();
            assert_eq!(done.resumed_at, Some(expected.n_steps));
            assert!(again == weights);
            let csv = fs::read_to_string(folder.join("metrics.csv")).unwrap();
            assert_eq!(csv.lines().count(), 1 + expected.records.len());
            forget_checkpoint(&folder).unwrap();
            forget_checkpoint(&folder).unwrap();
            let files: Vec<_> = fs::read_dir(&folder).unwrap().collect();
            assert_eq!(files.len(), 1, "{files:?}");
        }
    }
}

#[test]
fn progress_counts_prompts_those_of_a_checkpoint_too() {
    let params = TrainParams {
        checkpoint_every_steps: 3,
        ..params()
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_path_buf();
    kill(&params, &folder, 5);
    let n_done = AtomicU64::new(0);
    let on_progress = |n| {
        n_done.fetch_add(n, Ordering::Relaxed);
    };
    train(
        &params,
        &TrainSetup {
            on_progress: &on_progress,
            ..setup(Some(&folder))
        },
    )
    .unwrap();
    assert_eq!(n_done.into_inner(), 3 * 30);
}

#[test]
fn the_checkpoint_of_another_training_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_path_buf();
    train(&params(), &setup(Some(&folder))).unwrap();
    let other = TrainParams {
        learning_rate: 1e-4,
        ..params()
    };
    let error = train(&other, &setup(Some(&folder))).unwrap_err();
    assert!(matches!(error, Error::OtherCheckpoint { .. }), "{error}");

    let rows = [1, 2, 3];
    let other = TrainSetup {
        validation_rows: Some(&rows),
        ..setup(Some(&folder))
    };
    let error = train(&params(), &other).unwrap_err();
    assert!(matches!(error, Error::OtherCheckpoint { .. }), "{error}");

    let path = folder.join("checkpoint.safetensors");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let error = train(&params(), &setup(Some(&folder))).unwrap_err();
    assert!(
        matches!(error, Error::Model(encoder::Error::Weights { .. })),
        "{error}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    fs::write(&file, "").unwrap();
    let error = train(&params(), &setup(Some(&file))).unwrap_err();
    assert!(matches!(error, Error::Dataset(_)), "{error}");
}

#[test]
fn mutations_of_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap().keep();
    let params = TrainParams {
        n_epochs: 1,
        ..params()
    };
    train(&params, &setup(Some(&folder))).unwrap();
    let is_checkpoint = |path: &PathBuf| path.extension().is_some_and(|end| end == "safetensors");
    let mut files = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let checkpoint = files.find(is_checkpoint).unwrap();
    try_mutations(&[fs::read(&checkpoint).unwrap()], |bytes| {
        fs::write(&checkpoint, bytes).unwrap();
        _ = train(&params, &setup(Some(&folder)));
    });
    fs::remove_dir_all(folder).unwrap();
}
