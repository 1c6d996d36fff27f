//! Out-of-fold predictions: their file, and which of them belong to a data set.

use std::{fs, path::Path};

use dataset::{
    DatasetDir, EqualPrompts, Error, KeptColumns, MadeFrom, OutOfFold, Part, PartTable, PerModel,
    Predictions, Reason, SmallWins, WholeSet,
};
use ndarray::{Array1, Array2, array};
use test_support::dataset_info;

const MODELS: [&str; 2] = ["a", "owner/b"];

fn part(ids: &[&str], prompts: &[&str]) -> PartTable {
    let texts = |texts: &[&str]| texts.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
    let shape = (ids.len(), MODELS.len());
    PartTable {
        ids: texts(ids),
        tasks: vec!["t".to_owned(); ids.len()],
        prompts: texts(prompts),
        models: texts(&MODELS),
        scores: Array2::from_shape_fn(shape, |(row, model)| ((row + model) % 2) as f32),
        input_tokens: None,
        output_tokens: None,
        cost_usd: Array2::from_elem(shape, 0.25),
        propensities: None,
        kept: KeptColumns::default(),
    }
}

/// A data set of three train and two test prompts.
fn tiny(folder: &Path) -> DatasetDir {
    let dir = DatasetDir::new(folder, "tiny");
    fs::create_dir_all(dir.root()).expect("made");
    let [train, test] = [
        part(&["1", "2", "3"], &["x", "y", "x"]),
        part(&["4", "5"], &["x", "z"]),
    ];
    train.write(&dir.split(Part::Train)).expect("written");
    test.write(&dir.split(Part::Test)).expect("written");
    let info = dataset_info("tiny", &MODELS, [3, 2]);
    info.write(&dir.info()).expect("written");
    dir
}

fn per_model(ids: &[String]) -> OutOfFold {
    let shape = (ids.len(), MODELS.len());
    let mut scores = Array2::from_shape_fn(shape, |(row, model)| (row * 2 + model) as f32 / 16.0);
    scores[[0, 1]] = f32::NAN;
    OutOfFold {
        predictions: Predictions::PerModel(PerModel {
            ids: ids.to_vec(),
            models: MODELS.map(str::to_owned).to_vec(),
            scores,
            output_tokens: None,
            cost_usd: Array2::from_elem(shape, 0.5),
        }),
        folds: (0..)
            .map(|row| (row > 0).then_some(row % 2))
            .take(ids.len())
            .collect(),
    }
}

/// Equality where NaN equals NaN.
fn shown(out_of_fold: &OutOfFold) -> String {
    format!("{out_of_fold:?}")
}

#[test]
fn both_kinds_come_back_with_their_folds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("0.parquet");
    let ids = ["1", "2", "3", "4", "5"].map(str::to_owned);
    let wins = OutOfFold {
        predictions: Predictions::SmallWins(SmallWins {
            ids: ids.to_vec(),
            probability: Array1::from_vec(vec![f32::NAN, 0.0, 0.25, 0.5, 1.0]),
        }),
        folds: vec![None, Some(4), Some(0), Some(u32::MAX), Some(1)],
    };
    for written in [per_model(&ids), wins] {
        let made_from = MadeFrom::split("abc");
        written.write(&path, &made_from).expect("written");
        let read = OutOfFold::read(&path).expect("read");
        assert_eq!(shown(&read), shown(&written));
        let found = Predictions::read_made_from(&path).expect("read");
        assert_eq!(found, Some(made_from));
    }
}

#[test]
fn predictions_of_a_test_part_have_no_folds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("0.parquet");
    let mut out_of_fold = per_model(&["1".to_owned(), "2".to_owned()]);
    let made_from = MadeFrom::split("abc");
    (out_of_fold.predictions)
        .write(&path, &made_from)
        .expect("written");
    let error = OutOfFold::read(&path).expect_err("no folds");
    assert!(
        matches!(&error, Error::MissingColumn { column, .. } if column == "fold"),
        "{error}"
    );
    out_of_fold.folds.pop();
    let error = out_of_fold
        .write(&path, &made_from)
        .expect_err("one fold too few");
    assert!(
        matches!(error, Error::Shape { what: "folds", .. }),
        "{error}"
    );
}

#[test]
fn only_what_was_made_from_both_parts_belongs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = tiny(folder.path());
    let whole = WholeSet::open(&dir).expect("both parts");
    assert_eq!(whole.table().ids, ["1", "2", "3", "4", "5"]);
    assert_eq!(
        whole.table().scores.column(0),
        array![0.0, 1.0, 0.0, 0.0, 1.0]
    );
    assert_eq!(whole.n_train(), 3);
    assert_eq!(
        whole.equal_prompts(),
        EqualPrompts {
            n_test_in_train: 1,
            n_repeated: 2
        }
    );
    assert!(whole.cross_fits("carrot-knn").expect("listed").is_empty());

    let written = per_model(&whole.table().ids);
    let reason = |repeat: u32| {
        let found = WholeSet::open(&dir)
            .expect("both parts")
            .cross_fit("carrot-knn", repeat);
        found
            .expect("readable")
            .map(|it| shown(&it.out_of_fold))
            .map_err(|it| it.reason)
    };
    let write = |repeat, made_from: &MadeFrom, rows: &OutOfFold| {
        fs::create_dir_all(dir.cross_fit_dir("carrot-knn")).expect("made");
        let path = dir.out_of_fold("carrot-knn", repeat);
        rows.write(&path, made_from).expect("written");
    };
    write(0, &whole.made_from(), &written);
    assert_eq!(reason(0), Ok(shown(&written)));
    assert_eq!(reason(1), Err(Reason::Missing));
    // Predictions of the test part alone say nothing of other train rows.
    write(
        1,
        &MadeFrom::split(&whole.made_from().split_sha256),
        &written,
    );
    assert_eq!(reason(1), Err(Reason::Stale));
    write(2, &whole.made_from(), &per_model(&whole.table().ids[..4]));
    assert!(matches!(reason(2), Err(Reason::DoesNotFit { .. })));
    assert_eq!(whole.cross_fits("carrot-knn").expect("listed").len(), 3);

    // The train part alone changes: its rows were fitted on, and predicted too.
    part(&["1", "2", "3"], &["x", "y", "other"])
        .write(&dir.split(Part::Train))
        .expect("written");
    assert_eq!(reason(0), Err(Reason::Stale));
}

#[test]
fn token_counts_of_one_part_are_unknown_in_the_other() {
    let [train, mut test] = [part(&["1"], &["x"]), part(&["2"], &["y"])];
    test.output_tokens = Some(array![[7.0, 8.0]]);
    let whole = train.concat(&test).expect("the same LLMs");
    let tokens = whole.output_tokens.expect("one part has them");
    assert!(tokens.row(0).iter().all(|count| count.is_nan()));
    assert_eq!(tokens.row(1), array![7.0, 8.0]);
    assert_eq!(whole.input_tokens, None);
    assert!(whole.kept.is_empty());
    test.kept
        .insert("time", vec!["noon".to_owned()])
        .expect("a new column");
    let whole = train.concat(&test).expect("the same LLMs");
    assert_eq!(whole.kept("time").expect("kept"), ["", "noon"]);
    test.models.swap(0, 1);
    assert!(matches!(train.concat(&test), Err(Error::Shape { .. })));
}
