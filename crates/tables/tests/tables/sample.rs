//! Samples that are taken while a table is read.

use std::{num::NonZeroUsize, path::Path};

use tables::{Files, Result, SampledTable, Table};

use super::{Folder, kind, numbers, parquet_of, strings, texts, told};

/// More rows than are read at a time, and so that rows are thrown away in between.
const N_ROWS: usize = 30_000;

fn sample_by(path: &Path, column: &str, n: usize) -> Result<SampledTable> {
    let n = NonZeroUsize::new(n).expect("above 0");
    Table::read_sample(&Files::find(path, None)?, &kind, column, n)
}

fn sample(path: &Path, n: usize) -> SampledTable {
    sample_by(path, "id", n).expect("read")
}

fn id(row: usize) -> String {
    format!("p{row}")
}

/// The rows of a sample are those of the whole table at the places that it names.
fn check_places(path: &Path, sampled: &SampledTable) {
    let whole = super::read(path).expect("read");
    assert_eq!(sampled.n_rows, whole.n_rows);
    assert_eq!(sampled.table.n_rows, sampled.rows.len());
    assert_eq!(sampled.table.names, whole.names);
    assert_eq!(sampled.table.path, whole.path);
    for column in ["id", "prompt"] {
        let Some(all) = whole.texts.get(column) else {
            continue;
        };
        let expected: Vec<_> = sampled.rows.iter().map(|&row| all[row].clone()).collect();
        assert_eq!(texts(&sampled.table, column), expected);
    }
    let all = numbers(&whole, "score");
    let expected: Vec<_> = sampled.rows.iter().map(|&row| all[row]).collect();
    assert_eq!(numbers(&sampled.table, "score"), expected);
}

#[test]
fn every_format_and_order_gives_the_same_sample() {
    let folder = Folder::new();
    let csv: String = (0..N_ROWS)
        .map(|row| format!("{},{}\n", id(row), row % 3))
        .collect();
    let backwards: String = (0..N_ROWS)
        .rev()
        .map(|row| format!("{{\"score\": {}, \"id\": \"{}\"}}\n", row % 3, id(row)))
        .collect();
    let ids: Vec<String> = (0..N_ROWS).map(id).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let scores: Vec<f64> = (0..N_ROWS).map(|row| (row % 3) as f64).collect();
    let scores: arrow_array::ArrayRef =
        std::sync::Arc::new(arrow_array::Float64Array::from(scores));
    let parquet = parquet_of(vec![("id", strings(&ids)), ("score", scores)]);
    let (first, second) = csv.split_at(csv.find("p20000,").expect("a row"));
    folder.write("parts/0.csv", format!("id,score\n{second}"));
    folder.write("parts/1.csv", format!("id,score\n{first}"));
    folder.write("parts/2.csv", "id,score\n");
    folder.write("parts/3.csv", "");
    let paths = [
        folder.write("t.csv", format!("id,score\n{csv}")),
        folder.write("t.jsonl", backwards),
        folder.write("t.parquet", parquet),
        folder.path("parts"),
    ];
    for n in [1, 500, 20_000, N_ROWS, 2 * N_ROWS] {
        let found = paths.clone().map(|path| {
            let sampled = sample(&path, n);
            check_places(&path, &sampled);
            assert_eq!(sampled.n_values, n.min(N_ROWS));
            let mut ids = texts(&sampled.table, "id");
            ids.sort();
            ids
        });
        assert_eq!(found[0].len(), n.min(N_ROWS));
        for other in &found[1..] {
            assert!(found[0] == *other, "{n}");
        }
    }
    // No part of the table is preferred: of 10,000 the last tenth has 1,000, give or take 30 on the average.
    let sampled = sample(&paths[0], 10_000);
    let n_last = sampled
        .rows
        .iter()
        .filter(|row| **row >= N_ROWS / 10 * 9)
        .count();
    assert!(n_last.abs_diff(1_000) < 150, "{n_last}");
}

#[test]
fn all_rows_of_a_value_are_in_or_out() {
    let folder = Folder::new();
    // Three rows of each prompt, far apart.
    let csv: String = (0..N_ROWS)
        .map(|row| format!("p{},{row}\n", row % (N_ROWS / 3)))
        .collect();
    let path = folder.write("t.csv", format!("id,score\n{csv}"));
    let sampled = sample(&path, 100);
    check_places(&path, &sampled);
    assert_eq!((sampled.n_values, sampled.rows.len()), (100, 300));
}

#[test]
fn what_a_sample_cannot_be_taken_by_is_left_to_its_reader() {
    let folder = Folder::new();
    // A null is refused by whoever needs a value; without it nobody would notice.
    let path = folder.write("null.csv", "id,score\na,1\n,2\nb,3\n");
    let sampled = sample(&path, 1);
    check_places(&path, &sampled);
    assert!(sampled.rows.contains(&1) && sampled.rows.len() == 2);
    // So is a missing column.
    let sampled = sample_by(&path, "prompt", 1).expect("read");
    check_places(&path, &sampled);
    assert_eq!(sampled.rows, [0, 1, 2]);
    // Columns that the names of folders give count too.
    folder.write("h/task=a/0.csv", "id,score\nx,1\ny,2\n");
    folder.write("h/task=b/0.csv", "id,score\nz,1\n");
    let sampled = sample_by(&folder.path("h"), "task", 1).expect("read");
    assert!([vec![0, 1], vec![2]].contains(&sampled.rows));

    folder.write("bad.csv", "id,score\na,1\nb,high\n");
    let error = sample_by(&folder.path("bad.csv"), "id", 1).expect_err("a bad number");
    let error = told(error);
    assert!(error.contains("row 2"), "{error}");
    for empty in ["e.csv", "e.jsonl"] {
        let path = folder.write(empty, "");
        assert_eq!(sample(&path, 3).table.n_rows, 0);
    }
}
