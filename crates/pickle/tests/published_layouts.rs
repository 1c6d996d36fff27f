//! Pickles laid out as the published ones that the generators read, from the folders of their tests; each has its `make.py` beside it.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use arrow_array::{Array, cast::AsArray, types};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use pickle::{Column, Pickle};

fn golden(of: &str, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(of)
        .join("tests/golden")
        .join(name)
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
    for name in ["published-pandas1.pkl", "published-pandas2.pkl"] {
        let pickle = Pickle::read(&golden("gen-routerbench", name)).unwrap();
        let frame = pickle.frame().unwrap();
        assert_eq!(frame.n_columns(), 37);
        let file = File::open(golden("gen-routerbench", "published.parquet")).unwrap();
        let mut n_rows = 0;
        for batch in ParquetRecordBatchReaderBuilder::try_new(file)
            .unwrap()
            .build()
            .unwrap()
        {
            let batch = batch.unwrap();
            for (field, expected) in batch.schema().fields().iter().zip(batch.columns()) {
                let what = format!("{name}, column `{}`", field.name());
                check_column(
                    &frame.column(field.name()).unwrap(),
                    expected,
                    n_rows,
                    &what,
                );
            }
            n_rows += batch.num_rows();
        }
        assert_eq!((frame.n_rows(), n_rows), (42, 42));
        // The answers are not in the Parquet file; `make.py` leaves every eleventh out.
        let answers: Vec<&str> = frame
            .column_names()
            .filter(|name| name.ends_with("|model_response"))
            .collect();
        assert_eq!(answers.len(), 11);
        for (m, name) in answers.into_iter().enumerate() {
            let column = frame.column(name).unwrap();
            for (i, found) in column.as_text().unwrap().into_iter().enumerate() {
                let expected =
                    (!(i + m).is_multiple_of(11)).then(|| format!("answer {i} of {m}: é"));
                assert_eq!(found, expected.as_deref(), "{name}, row {i}");
            }
        }
    }
}

#[test]
fn a_matrix_laid_out_as_the_published_one_is_read() {
    let pickle = Pickle::read(&golden("gen-openllm", "matrix.pickle")).unwrap();
    let mut shapes = Vec::new();
    for (name, task) in pickle.value().entries().unwrap() {
        // IFEval has several measures; the others have one.
        let name = name.as_str().unwrap();
        let correctness = task.get("correctness").unwrap();
        let scores = match name {
            "leaderboard_ifeval" => correctness.get("correctness_prompt").unwrap(),
            _ => correctness,
        };
        let scores = scores.array().unwrap().to_array2_f64().unwrap();
        assert!(scores.iter().all(|&score| score == 0.0 || score == 1.0));
        let models = task.get("models").unwrap().items().unwrap();
        assert_eq!(models.len(), scores.nrows());
        shapes.push((name.to_owned(), scores.dim()));
    }
    // The last LLM has no MMLU-Pro.
    let expected = [
        ("leaderboard_bbh_navigate", (6, 101)),
        ("leaderboard_ifeval", (6, 40)),
        ("leaderboard_math_geometry_hard", (6, 67)),
        ("leaderboard_mmlu_pro", (5, 120)),
    ];
    assert_eq!(
        shapes,
        expected.map(|(name, shape)| (name.to_owned(), shape))
    );
}
