//! Estimated propensities: their file, and who reads them.

use std::{fs, path::Path};

use dataset::{
    DatasetDir, Error, EstimatedPropensities, KeptColumns, MadeFrom, Part, PartTable,
    TablePropensities, TestSet, WholeSet, sha256_file,
};
use ndarray::{Array2, array, s};
use serde_json::json;
use test_support::dataset_info;

const MODELS: [&str; 2] = ["a", "owner/b"];

/// A log of some prompts, asked of the LLMs in turn.
fn log(ids: &[&str]) -> PartTable {
    let shape = (ids.len(), MODELS.len());
    let texts = |texts: &[&str]| texts.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
    let is_asked = |(row, model): (usize, usize)| row % 2 == model;
    PartTable {
        ids: texts(ids),
        tasks: vec!["t".to_owned(); ids.len()],
        prompts: texts(ids),
        models: texts(&MODELS),
        scores: Array2::from_shape_fn(shape, |at| if is_asked(at) { 1.0 } else { f32::NAN }),
        input_tokens: None,
        output_tokens: None,
        cost_usd: Array2::from_shape_fn(shape, |at| if is_asked(at) { 0.5 } else { f64::NAN }),
        propensities: None,
        kept: KeptColumns::default(),
    }
}

/// Three train and two test prompts.
fn tiny(folder: &Path) -> DatasetDir {
    let dir = DatasetDir::new(folder, "tiny");
    fs::create_dir_all(dir.root()).expect("made");
    (log(&["1", "2", "3"]).write(&dir.split(Part::Train))).expect("written");
    (log(&["4", "5"]).write(&dir.split(Part::Test))).expect("written");
    let info = dataset_info("tiny", &MODELS, [3, 2]);
    info.write(&dir.info()).expect("written");
    dir
}

fn estimated() -> EstimatedPropensities {
    EstimatedPropensities {
        ids: ["1", "2", "3", "4", "5"].map(str::to_owned).to_vec(),
        models: MODELS.map(str::to_owned).to_vec(),
        values: array![[0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.4, 0.6], [0.5, 0.5]],
        folds: vec![None, Some(0), Some(1), Some(0), Some(1)],
        fit: json!({ "settings": { "seed": 42 } }),
    }
}

fn made_from(dir: &DatasetDir) -> MadeFrom {
    let hash = |part| sha256_file(&dir.split(part)).expect("hashed");
    MadeFrom {
        train_sha256: Some(hash(Part::Train)),
        embedder: Some("minilm".to_owned()),
        ..MadeFrom::split(hash(Part::Test))
    }
}

#[test]
fn they_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = tiny(folder.path());
    let (path, written) = (dir.propensities(), estimated());
    written.write(&path, &made_from(&dir)).expect("written");
    assert_eq!(EstimatedPropensities::read(&path).expect("read"), written);
    let found = EstimatedPropensities::read_made_from(&path).expect("read");
    assert_eq!(found, Some(made_from(&dir)));
    let mut bad = estimated();
    bad.values[[1, 0]] = 0.0;
    let error = bad
        .write(&path, &made_from(&dir))
        .expect_err("no probability");
    assert!(matches!(error, Error::OutOfRange { row: 2, .. }), "{error}");
}

#[test]
fn who_judges_by_a_part_has_them_and_they_are_never_recorded() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = tiny(folder.path());
    let test = |dir: &DatasetDir| TestSet::open(dir).expect("a test part").split().clone();
    assert_eq!(test(&dir).propensities, None);
    (estimated().write(&dir.propensities(), &made_from(&dir))).expect("written");
    let all = estimated().values;
    let of_test = all.slice(s![3.., ..]).to_owned();
    let found = test(&dir).propensities;
    assert_eq!(found, Some(TablePropensities::estimated(of_test)));
    let whole = WholeSet::open(&dir).expect("both parts");
    let found = whole.table().propensities.clone();
    assert_eq!(found, Some(TablePropensities::estimated(all)));
    // A fit reads the parts as they are.
    let info = dataset_info("tiny", &MODELS, [3, 2]);
    let bare = PartTable::read_part(&dir, &info, Part::Test).expect("read");
    assert_eq!(bare.propensities, None);
    // What was estimated does not become what the source says.
    let copy = folder.path().join("copy.parquet");
    test(&dir).write(&copy).expect("written");
    assert_eq!(PartTable::read(&copy).expect("read").propensities, None);
}

#[test]
fn those_of_other_parts_are_left_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let dir = tiny(folder.path());
    (estimated().write(&dir.propensities(), &made_from(&dir))).expect("written");
    let mut train = log(&["1", "2", "3"]);
    train.scores[[0, 0]] = 0.0;
    train.write(&dir.split(Part::Train)).expect("written");
    let set = TestSet::open(&dir).expect("a test part");
    assert_eq!(set.split().propensities, None);
    // Of these parts by their hashes, but with other prompts.
    let mut other = estimated();
    other.ids[4] = "6".to_owned();
    (other.write(&dir.propensities(), &made_from(&dir))).expect("written");
    let error = TestSet::open(&dir).expect_err("another prompt");
    let message = error.to_string();
    assert!(
        message.contains("row 2 has id `6` instead of `5`"),
        "{message}"
    );
    assert!(message.contains("propensities.parquet"), "{message}");
}

#[test]
fn a_log_says_whom_it_asked() {
    let mut table = log(&["1", "2", "3"]);
    assert_eq!(table.asked(), Some(vec![Some(0), Some(1), Some(0)]));
    // Whose cost is unknown, of that prompt nothing is known.
    table.cost_usd[[1, 1]] = f64::NAN;
    assert_eq!(table.asked(), None, "one LLM was asked for all");
    table = log(&["1", "2", "3"]);
    table.scores[[2, 0]] = f32::NAN;
    assert_eq!(table.asked(), Some(vec![Some(0), Some(1), None]));
    table.scores[[0, 1]] = 0.0;
    assert!(
        table.asked().is_some(),
        "a score without a cost counts for nothing"
    );
    table.cost_usd[[0, 1]] = 0.5;
    assert_eq!(table.asked(), None, "two answers");
}
