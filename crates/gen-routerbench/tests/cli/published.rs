//! On the pickles of `tests/golden` that have the published file's 37 columns: every cell against pandas' own reading of them.

use std::{collections::HashMap, fs::File, path::Path};

use arrow_array::{Array, cast::AsArray as _, types};
use dataset::{Pair, train_test_split};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use test_support::{Bench, assert_contains, stderr};

use crate::{bench, golden::golden};

/// A column as pandas wrote it to Parquet.
enum Expected {
    Texts(Vec<String>),
    Numbers(Vec<f64>),
}

#[test]
fn every_cell_is_what_pandas_reads() {
    for name in ["published-pandas1.pkl", "published-pandas2.pkl"] {
        let bench = bench();
        let path = golden(name).display().to_string();
        let output = bench.succeed(&["--source", &path]);
        // The LLMs are the published ones, the rows are not.
        let warning = "expected the 35712 rows of the published file (28569 train and 7143 test rows), found 30";
        assert_contains(&stderr(&output), warning);
        check(&bench, &golden("published.parquet"));
    }
}

fn check(bench: &Bench, expected: &Path) {
    let (names, columns) = read(expected);
    let texts = |name: &str| match &columns[name] {
        Expected::Texts(texts) => texts,
        Expected::Numbers(_) => panic!("`{name}` holds numbers"),
    };
    let numbers = |name: &str| match &columns[name] {
        Expected::Numbers(numbers) => numbers,
        Expected::Texts(_) => panic!("`{name}` holds texts"),
    };
    let tasks = texts("eval_name");
    let is_kept = |row: &usize| !tasks[*row].to_ascii_lowercase().starts_with("chinese");
    let kept: Vec<usize> = (0..tasks.len()).filter(is_kept).collect();
    assert_eq!((tasks.len(), kept.len()), (42, 30));

    let (info, train, test) = bench.read("routerbench");
    // The fourth to the fourteenth column.
    assert_eq!(info.model_names(), names[3..14]);
    let pair = Pair {
        small: "mistralai/mixtral-8x7b-chat".to_owned(),
        large: "gpt-4-1106-preview".to_owned(),
    };
    assert_eq!(info.pair, Some(pair));
    let rows = train_test_split(kept.len(), 0.2, 42).expect("a share of the rows");
    assert_eq!((rows.train.len(), rows.test.len()), (24, 6));
    for (rows, split) in [(rows.train, train), (rows.test, test)] {
        assert_eq!(split.n_prompts(), rows.len());
        for (i, row) in rows.into_iter().enumerate() {
            let row = kept[row as usize];
            assert_eq!(split.ids[i], texts("sample_id")[row]);
            assert_eq!(split.tasks[i], tasks[row]);
            let literal = format!("[{}]", python_repr(&split.prompts[i]));
            assert_eq!(literal, texts("prompt")[row]);
            for (m, model) in split.models.iter().enumerate() {
                assert_eq!(split.scores[(i, m)], numbers(model)[row] as f32);
                let cost = numbers(&format!("{model}|total_cost"))[row];
                assert_eq!(split.cost_usd[(i, m)], cost);
            }
        }
    }
}

fn read(path: &Path) -> (Vec<String>, HashMap<String, Expected>) {
    let file = File::open(path).expect("it lies beside the pickle");
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    let n_rows = builder.metadata().file_metadata().num_rows() as usize;
    let mut batches = builder.with_batch_size(n_rows).build().expect("Parquet");
    let batch = batches.next().expect("rows").expect("readable");
    assert_eq!(batch.num_rows(), n_rows);
    let names: Vec<String> = batch
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let columns = names.iter().zip(batch.columns()).map(|(name, array)| {
        let column = match array.as_string_opt::<i32>() {
            Some(texts) => Expected::Texts(texts.iter().flatten().map(str::to_owned).collect()),
            None if array.as_string_opt::<i64>().is_some() => {
                let texts = array.as_string::<i64>().iter().flatten();
                Expected::Texts(texts.map(str::to_owned).collect())
            }
            None => {
                let numbers = array.as_primitive::<types::Float64Type>();
                assert_eq!(numbers.null_count(), 0);
                Expected::Numbers(numbers.values().to_vec())
            }
        };
        (name.clone(), column)
    });
    let columns = columns.collect();
    (names, columns)
}

/// Python's `repr(str)`, for texts whose only characters that cannot be printed are below U+0100.
fn python_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut literal = String::from(quote);
    for char in text.chars() {
        match char {
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\\' => literal.push_str("\\\\"),
            _ if char == quote => literal.extend(['\\', quote]),
            '\0'..='\x1f' | '\x7f'..='\u{a0}' | '\u{ad}' => {
                literal.push_str(&format!("\\x{:02x}", char as u32));
            }
            _ => literal.push(char),
        }
    }
    literal.push(quote);
    literal
}
