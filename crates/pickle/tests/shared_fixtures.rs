//! The files that the programs read, where they are there: `../shared` beside the repository.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use arrow_array::{Array, cast::AsArray, types};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pickle::{Column, Pickle};

fn shared(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared")
        .join(path);
    path.exists().then_some(path)
}

fn check_column(found: &Column<'_>, expected: &dyn Array, from: usize, what: &str) {
    let texts = expected
        .as_string_opt::<i32>()
        .map(|texts| texts.iter().collect::<Vec<_>>());
    if let Some(texts) = texts.or_else(|| {
        expected
            .as_string_opt::<i64>()
            .map(|texts| texts.iter().collect())
    }) {
        assert_eq!(
            found.as_text().unwrap()[from..][..texts.len()],
            texts,
            "{what}"
        );
        return;
    }
    let numbers: Vec<Option<f64>> =
        if let Some(numbers) = expected.as_primitive_opt::<types::Float64Type>() {
            numbers.iter().collect()
        } else if let Some(numbers) = expected.as_primitive_opt::<types::Float32Type>() {
            numbers.iter().map(|number| number.map(f64::from)).collect()
        } else {
            expected
                .as_primitive::<types::Int64Type>()
                .iter()
                .map(|number| number.map(|n| n as f64))
                .collect()
        };
    let found = &found.as_f64().unwrap()[from..][..numbers.len()];
    for (&found, number) in found.iter().zip(numbers) {
        assert!(
            number.map_or(found.is_nan(), |number| number.to_bits() == found.to_bits()),
            "{what}: {found}, expected {number:?}"
        );
    }
}

#[test]
fn matches_pandas_on_routerbench() {
    for version in ["1.5.3", "2.2.3"] {
        let paths = shared(&format!("fixtures/routerbench/pandas-{version}.pkl"));
        let Some(path) = paths else { continue };
        let pickle = Pickle::read(&path).unwrap();
        let frame = pickle.frame().unwrap();
        assert_eq!(frame.n_columns(), 37);
        let file = File::open(path.with_extension("expected.parquet")).unwrap();
        let mut n_rows = 0;
        for batch in ParquetRecordBatchReaderBuilder::try_new(file)
            .unwrap()
            .build()
            .unwrap()
        {
            let batch = batch.unwrap();
            for (field, expected) in batch.schema().fields().iter().zip(batch.columns()) {
                let what = format!("pandas {version}, column `{}`", field.name());
                check_column(
                    &frame.column(field.name()).unwrap(),
                    expected,
                    n_rows,
                    &what,
                );
            }
            n_rows += batch.num_rows();
        }
        assert_eq!(frame.n_rows(), n_rows);
        // The responses are not in the Parquet file; they are text or None.
        let responses: Vec<&str> = frame
            .column_names()
            .filter(|name| name.ends_with("|model_response"))
            .collect();
        assert_eq!(responses.len(), 11);
        for name in responses {
            assert_eq!(frame.column(name).unwrap().as_text().unwrap().len(), n_rows);
        }
    }
}

#[test]
fn the_published_open_llm_matrix_has_39_tasks_of_19_llms() {
    let Some(path) = shared("data/upstream-open-llm/new_leaderboard_processed_20241205.pickle")
    else {
        return;
    };
    let pickle = Pickle::read(&path).unwrap();
    let mut n_prompts = 0;
    let tasks = pickle.value().entries().unwrap();
    assert_eq!(tasks.len(), 39);
    for (name, task) in tasks {
        // IFEval has several measures; the others have one.
        let correctness = task.get("correctness").unwrap();
        let is_ifeval = name.as_str().unwrap() == "leaderboard_ifeval";
        let scores = if is_ifeval {
            correctness.get("correctness_prompt").unwrap()
        } else {
            correctness
        };
        let scores = scores.array().unwrap().to_array2_f64().unwrap();
        // SOLAR has no MMLU-Pro.
        let n_models = if name.as_str().unwrap() == "leaderboard_mmlu_pro" {
            18
        } else {
            19
        };
        assert_eq!(scores.nrows(), n_models);
        assert!(
            scores
                .iter()
                .all(|score| score.is_nan() || (0.0..=1.0).contains(score))
        );
        if !is_ifeval {
            n_prompts += scores.ncols();
        }
        assert_eq!(task.get("models").unwrap().items().unwrap().len(), n_models);
    }
    assert_eq!(n_prompts, 21_065);
}
