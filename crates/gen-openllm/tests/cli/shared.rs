//! The shared files, where they are: every cell against the table that was made of the same scores without this program.

use std::{collections::HashMap, fs::File, path::Path};

use polars::prelude::{DataFrame, DataType, ParquetReader, SerReader as _};
use serde_json::Value;

use crate::bench::{Bench, Rows, shared, stderr};

const TABLE: &str = "data/open-llm/table.parquet";
const MATRIX: &str = "data/upstream-open-llm/new_leaderboard_processed_20241205.pickle";

/// Of a count worked back from a mean of it: JSON's last digit.
const TOLERANCE: f64 = 1e-9;

struct Table {
    frame: DataFrame,
    row_of: HashMap<String, usize>,
}

impl Table {
    fn read(path: &Path) -> Self {
        let frame = ParquetReader::new(File::open(path).expect("readable"))
            .finish()
            .expect("Parquet");
        let ids = frame
            .column("id")
            .and_then(|column| column.str())
            .expect("text");
        let row_of = ids
            .iter()
            .flatten()
            .enumerate()
            .map(|(row, id)| (id.to_owned(), row))
            .collect();
        Self { frame, row_of }
    }

    fn numbers(&self, column: &str) -> Vec<Option<f64>> {
        let column = self
            .frame
            .column(column)
            .expect("a column")
            .cast(&DataType::Float64)
            .expect("numbers");
        column.f64().expect("numbers").iter().collect()
    }

    fn texts(&self, column: &str) -> Vec<String> {
        let column = self
            .frame
            .column(column)
            .and_then(|column| column.str())
            .expect("text");
        column
            .iter()
            .map(|text| text.expect("no null").to_owned())
            .collect()
    }

    /// Scores of all LLMs and prompts of all rows are the table's.
    fn check(&self, rows: &Rows, with_tokens: bool) {
        let (prompts, tasks) = (self.texts("prompt"), self.texts("task"));
        for id in rows.ids() {
            let row = self.row_of[id];
            assert_eq!(
                (rows.prompt(id), rows.task(id)),
                (prompts[row].as_str(), tasks[row].as_str()),
                "{id}"
            );
        }
        for model in rows.models() {
            let scores = self.numbers(&format!("{model}/score"));
            let n_tokens = self.numbers(&format!("{model}/input_tokens"));
            for split in rows.splits() {
                let m = split
                    .models
                    .iter()
                    .position(|name| name == model)
                    .expect("an LLM");
                let tokens = split.input_tokens.as_ref().expect("tokens are there");
                for (i, id) in split.ids.iter().enumerate() {
                    let row = self.row_of[id];
                    let found = split.scores[(i, m)];
                    assert_eq!(
                        (!found.is_nan()).then_some(f64::from(found)),
                        scores[row],
                        "{id}, {model}"
                    );
                    if with_tokens {
                        assert_eq!(Some(tokens[(i, m)]), n_tokens[row], "{id}, {model}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_fixtures_scores_are_the_tables() {
    let (Some(source), Some(table)) = (shared("fixtures/open-llm-details"), shared(TABLE)) else {
        return;
    };
    let bench = Bench::new();
    let source = source.to_str().expect("text");
    let args = [
        "--source",
        source,
        "--with-ifeval",
        "--token-counter",
        "words.json",
        "--token-counter-for",
        "all",
    ];
    let output = bench.run(&args);
    assert!(output.status.success(), "{}", stderr(&output));
    let rows = bench.rows("open-llm-lb-v2");
    assert_eq!(rows.models().len(), 4);
    let mut ids = rows.ids();
    assert_eq!(ids.len(), 180);
    ids.sort_unstable();
    for (task, id) in [
        ("bbh/boolean_expressions", ids[0]),
        ("ifeval/ifeval", ids[179]),
    ] {
        assert!(id.starts_with(task), "{id}");
    }
    Table::read(&table).check(&rows, false);
    // The prompt as the LLM saw it is the question there, and tokens are words.
    for id in rows.ids() {
        assert_eq!(
            rows.n_tokens(id, &rows.models()[0]),
            rows.prompt(id).split_whitespace().count() as f64,
            "{id}"
        );
    }
}

fn from_matrix(more: &[&str]) -> Option<(Bench, Value, Table)> {
    let (matrix, table) = (shared(MATRIX)?, shared(TABLE)?);
    let bench = Bench::new();
    let paths = [
        matrix.to_str().expect("text"),
        table.to_str().expect("text"),
    ];
    let args = ["--source-pickle", paths[0], "--questions", paths[1]];
    let report = bench.report(&[&args[..], more].concat());
    Some((bench, report, Table::read(&table)))
}

#[test]
fn the_published_matrix_is_brought_into_order() {
    let Some((bench, report, table)) = from_matrix(&[]) else {
        return;
    };
    let rows = bench.rows("open-llm-lb-v2");
    table.check(&rows, true);
    let info = bench.info("open-llm-lb-v2");
    assert_eq!(
        (info.n_train, info.n_test, info.models.len()),
        (14_234, 3_559, 18)
    );

    // Every LLM's width, from correlations alone, as it was found from answer labels and item difficulties.
    let widths =
        shared("data/upstream-open-llm/open_llm_interleave.csv").expect("beside the matrix");
    let widths = std::fs::read_to_string(widths).expect("readable");
    let widths: HashMap<&str, &str> = widths
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split(',');
            Some((cells.next()?, cells.next()?))
        })
        .collect();
    let models = report["alignment"]["models"].as_array().expect("a list");
    assert_eq!(models.len(), 19);
    for model in models {
        let name = model["name"].as_str().expect("text");
        assert_eq!(model["best_width"].to_string(), widths[name], "{name}");
        assert_eq!(model["finding"], "determined", "{name}");
    }
    assert_eq!(
        report["alignment"]["tasks"].as_array().map(Vec::len),
        Some(38)
    );

    // CARROT's table has .5649 and .9715 (plots/knn_accuracy_table.md); both are ratios of whole numbers of 4,213.
    let summary = &report["summary"];
    assert_eq!(
        (&summary["n-documents"], &summary["n-test"]),
        (&21_065.into(), &4_213.into())
    );
    assert_eq!(summary["models"].as_array().map(Vec::len), Some(18));
    assert_eq!(summary["n-documents-without-text"], 3_272);
    for (order, best, oracle) in [
        ("as-published", 2380.0, 4093.0),
        ("by-document", 2379.0, 3739.0),
    ] {
        let found = &summary[order];
        assert_eq!(found["best-single"], "Qwen/Qwen2.5-72B-Instruct", "{order}");
        for (figure, n_right) in [("best-single-score", best), ("oracle", oracle)] {
            let n_found = found[figure].as_f64().expect("a number") * 4213.0;
            assert!(
                (n_found - n_right).abs() < TOLERANCE,
                "{order}, {figure}: {n_found}"
            );
        }
    }
}

#[test]
fn the_published_order_is_another() {
    let Some((bench, report, table)) =
        from_matrix(&["--as-published", "--with-ifeval", "--keep-incomplete"])
    else {
        return;
    };
    assert_eq!(report["summary"]["n-documents"], 21_606);
    let rows = bench.rows("open-llm-lb-v2-as-published");
    assert_eq!((rows.ids().len(), rows.models().len()), (18_334, 19));
    // Means do not depend on the order; rows do.
    for model in rows.models() {
        let expected = table.numbers(&format!("{model}/score"));
        let mut sum = 0.0;
        let mut n_other = 0;
        for split in rows.splits() {
            let m = split
                .models
                .iter()
                .position(|name| name == model)
                .expect("an LLM");
            for (i, id) in split.ids.iter().enumerate() {
                let found = f64::from(split.scores[(i, m)]);
                sum += if found.is_nan() { 0.0 } else { found };
                n_other +=
                    usize::from((!found.is_nan()).then_some(found) != expected[table.row_of[id]]);
            }
        }
        assert_eq!(sum, expected.iter().flatten().sum::<f64>(), "{model}");
        let is_gathered_from_one = report["alignment"]["models"]
            .as_array()
            .expect("a list")
            .iter()
            .any(|found| found["name"] == *model && found["best_width"] == 1);
        assert_eq!(n_other == 0, is_gathered_from_one, "{model}: {n_other}");
    }
}
