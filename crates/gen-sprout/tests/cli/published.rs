//! On files with the 13 LLMs of the published ones: every cell against a reading of whole columns.

use std::{fs::File, path::Path};

use arrow_array::{Array, RecordBatch, StructArray, cast::AsArray as _, types};
use dataset::{Pair, Split};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use test_support::{assert_contains, stderr};

use crate::{
    empty,
    files::{File as Source, Model},
};

/// The LLMs in CARROT's order with dollars per million input and output tokens, by carrot/constants.py.
const MODELS: [(&str, f64, f64); 13] = [
    ("aws-claude-3-5-sonnet-v1", 3.0, 15.0),
    ("aws-titan-text-premier-v1", 0.8, 3.2),
    ("openai-gpt-4o", 2.5, 10.0),
    ("openai-gpt-4o-mini", 0.15, 0.6),
    ("wxai-granite-3-2b-instruct-8k-max-tokens", 0.1, 0.1),
    ("wxai-granite-3-8b-instruct-8k-max-tokens", 0.2, 0.2),
    ("wxai-llama-3-1-70b-instruct", 0.9, 0.9),
    ("wxai-llama-3-1-8b-instruct", 0.2, 0.2),
    ("wxai-llama-3-2-1b-instruct", 0.06, 0.06),
    ("wxai-llama-3-2-3b-instruct", 0.06, 0.06),
    ("wxai-llama-3-3-70b-instruct", 0.9, 0.9),
    ("wxai-llama-3-405b-instruct", 3.5, 3.5),
    ("wxai-mixtral-8x7b-instruct-v01", 0.6, 0.6),
];

/// Rows of each file, and the first of its keys.
const FILES: [(&str, usize, usize); 3] = [
    ("train-00000-of-00001.parquet", 28, 0),
    ("validation-00000-of-00001.parquet", 6, 100),
    ("test-00000-of-00001.parquet", 7, 200),
];

/// A file whose scores are fractions that differ between LLMs, and whose columns come in another order than CARROT's.
fn source(n_rows: usize, first_key: usize) -> Source {
    let keys: Vec<String> = (0..n_rows)
        .map(|row| (first_key + row).to_string())
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let models = MODELS.iter().enumerate().rev().map(|(m, (name, ..))| {
        Model::new(
            name,
            (0..n_rows).map(move |row| ((row * 7 + m * 3) % 11) as f64 / 10.0),
        )
    });
    Source::new(&keys, models.collect())
}

#[test]
fn every_cell_is_the_sources() {
    let bench = empty();
    let folder = bench.join("s");
    for (name, n_rows, first_key) in FILES {
        source(n_rows, first_key).write(&folder.join(name));
    }
    let output = bench.succeed(&["--source", "s"]);
    // The LLMs are the published ones, the rows are not.
    let warning = "expected the 30968 train, 6636 validation and 6637 test rows of the published files, \
                   found 28 train, 6 validation and 7 test rows";
    assert_contains(&stderr(&output), warning);

    let (info, train, test) = bench.read("sprout");
    assert_eq!(info.model_names(), MODELS.map(|(name, ..)| name));
    assert_eq!(
        (info.n_train, info.n_validation, info.n_test),
        (34, Some(6), 7)
    );
    let pair = Pair {
        small: "openai-gpt-4o-mini".to_owned(),
        large: "openai-gpt-4o".to_owned(),
    };
    assert_eq!(info.pair, Some(pair));
    assert!(info.notes[0].contains("0.5 and 1.5"), "{:?}", info.notes);
    for (split, first, (name, ..)) in [
        (&train, 0, FILES[0]),
        (&train, 28, FILES[1]),
        (&test, 0, FILES[2]),
    ] {
        check(split, first, &folder.join(name));
    }
}

/// Rows from `first` on are those of a file.
fn check(split: &Split, first: usize, path: &Path) {
    let file = File::open(path).expect("a fixture");
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    let n_rows = builder.metadata().file_metadata().num_rows() as usize;
    let mut batches = builder.with_batch_size(n_rows).build().expect("Parquet");
    let batch: RecordBatch = batches.next().expect("rows").expect("readable");
    assert_eq!(batch.num_rows(), n_rows);
    let texts = |name: &str| -> Vec<String> {
        let column = batch.column_by_name(name).expect("a column");
        let column = column.as_string::<i32>();
        column.iter().flatten().map(str::to_owned).collect()
    };
    assert_eq!(split.ids[first..][..n_rows], texts("key"));
    assert_eq!(split.tasks[first..][..n_rows], texts("dataset"));
    assert_eq!(split.prompts[first..][..n_rows], texts("prompt"));
    let input_tokens = split.input_tokens.as_ref().expect("there");
    let output_tokens = split.output_tokens.as_ref().expect("there");
    for (m, (name, input_price, output_price)) in MODELS.into_iter().enumerate() {
        let group: &StructArray = batch.column_by_name(name).expect("an LLM").as_struct();
        assert_eq!(group.null_count(), 0);
        let field = |name: &str| group.column_by_name(name).expect("a field");
        let scores = field("score").as_primitive::<types::Float64Type>();
        let inputs = field("num_input_tokens").as_primitive::<types::Int64Type>();
        let outputs = field("num_output_tokens").as_primitive::<types::Int64Type>();
        for row in 0..n_rows {
            let at = (first + row, m);
            let (n_in, n_out) = (inputs.value(row) as f64, outputs.value(row) as f64);
            assert_eq!(split.scores[at], scores.value(row) as f32);
            assert_eq!((input_tokens[at], output_tokens[at]), (n_in, n_out));
            let cost = n_in / 1e6 * input_price + n_out / 1e6 * output_price;
            assert!((split.cost_usd[at] - cost).abs() <= 1e-12 * cost.max(1e-3));
        }
    }
}
