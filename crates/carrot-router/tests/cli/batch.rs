//! Tables in, tables with decisions out.

use std::{fs, sync::Arc};

use arrow_array::{
    ArrayRef, Int32Array, RecordBatch, StringArray, UInt64Array,
    cast::AsArray as _,
    types::{Float64Type, UInt64Type},
};
use dataset::CostKind;
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use serde_json::{Value, json};
use test_support::stdout;

use crate::bench::{PROMPTS, Tiny, number, stderr};

const MU: [&str; 4] = ["--mu", "0.25", "--input", "in.jsonl"];

/// `route` on a table, which has to succeed; what it reports.
fn report(bench: &Tiny, args: &[&str]) -> Value {
    let output = bench.route(&[&["--mu", "0.25", "--json"], args].concat(), "");
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_str(&stdout(&output)).expect("JSON")
}

fn lines(bench: &Tiny, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(bench.join(name)).expect("read");
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn parquet_of(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("a batch");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
    bytes
}

fn only_batch(bench: &Tiny, name: &str) -> RecordBatch {
    let file = fs::File::open(bench.join(name)).expect("opened");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("read");
    let mut reader = reader.build().expect("read");
    reader.next().expect("rows").expect("read")
}

#[test]
fn a_table_of_lines_has_the_decisions_of_its_lines() {
    let bench = Tiny::new(CostKind::OutputTokens);
    let rows = (0..600).map(|n| {
        json!({"id": n, "prompt": format!("{} {n}", PROMPTS[n % 3]), "input_tokens": if n % 2 == 0 { Some(n) } else { None }})
    });
    let text: String = rows.map(|row| row.to_string() + "\n").collect();
    bench.write("in.jsonl", &text);
    let told = report(
        &bench,
        &["--input", "in.jsonl", "--output", "out/routed.jsonl"],
    );
    assert_eq!([&told["rows"], &told["errors"]], [&json!(600), &json!(0)]);
    let one_by_one = bench.decisions(&MU, "");
    let routed = lines(&bench, "out/routed.jsonl");
    assert_eq!(routed.len(), one_by_one.len());
    let mut cost_usd = 0.0;
    let written = fs::read_to_string(bench.join("out/routed.jsonl")).expect("read");
    for (((row, decision), before), after) in routed
        .iter()
        .zip(&one_by_one)
        .zip(text.lines())
        .zip(written.lines())
    {
        assert!(after.starts_with(&before[..before.len() - 1]), "{after}");
        for key in ["prompt", "selected", "mu", "truncated", "models"] {
            assert_eq!(row[key], decision[key], "{key}");
        }
        let models = decision["models"].as_array().expect("a list");
        let chosen = models.iter().find(|model| model["name"] == row["selected"]);
        let chosen = chosen.expect("among them");
        assert_eq!(row["selected_score"], chosen["score"]);
        assert_eq!(row["selected_cost_usd"], chosen["cost_usd"]);
        cost_usd += number(chosen, "cost_usd");
    }
    assert!((number(&told, "cost_usd") - cost_usd).abs() < 1e-12);
    let n_selected = told["selected"].as_object().expect("an object").values();
    assert_eq!(
        n_selected
            .map(|n| n.as_u64().expect("a count"))
            .sum::<u64>(),
        600
    );
}

#[test]
fn ids_and_other_columns_of_parquet_keep_their_types() {
    let bench = Tiny::new(CostKind::Usd);
    let ids = UInt64Array::from(vec![u64::MAX, 1, 2]);
    let other = Int32Array::from(vec![Some(1), None, Some(3)]);
    let columns = || -> Vec<(&str, ArrayRef)> {
        vec![
            ("id", Arc::new(ids.clone())),
            ("prompt", Arc::new(StringArray::from(PROMPTS.to_vec()))),
            ("other", Arc::new(other.clone())),
        ]
    };
    bench.write("in.parquet", parquet_of(columns()));
    let told = report(
        &bench,
        &["--input", "in.parquet", "--output", "out.parquet"],
    );
    assert_eq!(told["rows"], json!(3));
    let rows = only_batch(&bench, "out.parquet");
    let column = |name: &str| rows.column_by_name(name).expect(name);
    assert_eq!(column("id").as_primitive::<UInt64Type>(), &ids);
    assert_eq!(column("other").as_ref(), &other);
    let decisions = bench.decisions(&["--mu", "0.25"], &PROMPTS.join("\n"));
    for (row, decision) in decisions.iter().enumerate() {
        assert_eq!(
            decision["selected"],
            column("selected").as_string::<i32>().value(row)
        );
        let models = column("models").as_list::<i32>().value(row);
        let costs = models
            .as_struct()
            .column_by_name("cost_usd")
            .expect("costs");
        for (idx, cost) in costs.as_primitive::<Float64Type>().iter().enumerate() {
            assert_eq!(cost, decision["models"][idx]["cost_usd"].as_f64());
        }
    }
    // The same rows again are the same bytes, and short with `--brief`.
    let first = fs::read(bench.join("out.parquet")).expect("read");
    report(
        &bench,
        &["--input", "in.parquet", "--output", "again.parquet"],
    );
    assert!(first == fs::read(bench.join("again.parquet")).expect("read"));
    report(
        &bench,
        &[
            "--input",
            "in.parquet",
            "--output",
            "brief.parquet",
            "--brief",
        ],
    );
    let schema = only_batch(&bench, "brief.parquet").schema();
    let names = schema.fields().iter().map(|field| field.name().as_str());
    let expected = [
        "id",
        "prompt",
        "other",
        "selected",
        "selected_score",
        "selected_cost_usd",
        "mu",
        "truncated",
    ];
    assert_eq!(names.collect::<Vec<_>>(), expected);
    // Its own output has the columns already.
    let output = bench.route(
        &[
            "--mu",
            "0",
            "--input",
            "out.parquet",
            "--output",
            "x.parquet",
        ],
        "",
    );
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(
        message.contains("has a column `selected` already"),
        "{message}"
    );
}

#[test]
fn a_row_that_cannot_be_routed_ends_the_run_or_says_why() {
    let bench = Tiny::new(CostKind::OutputTokens);
    bench.write(
        "in.csv",
        "id,prompt,input_tokens\na,so so,\nb,,3\nc,\" \",\nd,very long,1.5\ne,very long,7\n",
    );
    let args = ["--input", "in.csv", "--output", "out.jsonl"];
    bench.write("out.jsonl", "the older one");
    let output = bench.route(&[&["--mu", "0"], &args[..]].concat(), "");
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{message}");
    for part in [
        "cannot route row 2 of `in.csv`",
        "it has no `prompt`",
        "`--on-error row`",
    ] {
        assert!(message.contains(part), "no `{part}` in {message}");
    }
    let old = fs::read_to_string(bench.join("out.jsonl")).expect("read");
    assert_eq!(old, "the older one");

    let output = bench.route(
        &[&["--mu", "0", "--on-error", "row"], &args[..]].concat(),
        "",
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("3 of the 5 rows have no decision"));
    let rows = lines(&bench, "out.jsonl");
    for (row, (id, error)) in rows.iter().zip([
        ("a", None),
        ("b", Some("it has no `prompt`")),
        ("c", Some("the prompt is empty")),
        (
            "d",
            Some("its `input_tokens` is 1.5, expected a whole number below 2^32, or none"),
        ),
        ("e", None),
    ]) {
        assert_eq!(row["id"], id);
        assert_eq!(row["routing_error"], json!(error));
        assert_eq!(row["selected"].is_null(), error.is_some(), "{row}");
        assert_eq!(row["models"].is_null(), error.is_some(), "{row}");
    }
    assert_eq!(rows[4]["models"][0]["input_tokens"], 7);
    // What `--json` prints of the run, too.
    let told = report(&bench, &[&["--on-error", "row"], &args[..]].concat());
    assert_eq!(told["errors"], 3);
}

#[test]
fn empty_parts_end_well() {
    let bench = Tiny::new(CostKind::Known);
    bench.write("empty.csv", "");
    bench.write("empty.jsonl", "");
    let no_rows = StringArray::from(Vec::<&str>::new());
    bench.write(
        "empty.parquet",
        parquet_of(vec![("prompt", Arc::new(no_rows))]),
    );
    for input in ["empty.csv", "empty.jsonl", "empty.parquet"] {
        for output in ["out.jsonl", "out.parquet"] {
            let told = report(&bench, &["--input", input, "--output", output]);
            assert_eq!(told["rows"], 0, "{input}");
        }
    }
    // All prompts are empty.
    bench.write("blank.jsonl", "{\"prompt\": \"\"}\n{}\n");
    let args = [
        "--input",
        "blank.jsonl",
        "--output",
        "out.parquet",
        "--on-error",
        "row",
    ];
    let told = report(&bench, &args);
    assert_eq!([&told["rows"], &told["errors"]], [&json!(2), &json!(2)]);
    assert_eq!(only_batch(&bench, "out.parquet").num_rows(), 2);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let bench = Tiny::new(CostKind::Known);
    bench.write("in.jsonl", "{\"prompt\": \"so\"}\n");
    bench.write("other.csv", "id,text\n1,so\n");
    let refused = |args: &[&str], code, part: &str| {
        let output = bench.route(&[&["--mu", "0"], args].concat(), "");
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
        assert!(message.contains(part), "{args:?}: no `{part}` in {message}");
        assert!(!bench.join("out.jsonl").exists());
    };
    refused(&["--output", "out.jsonl"], 2, "--input");
    refused(&["--on-error", "row", "--input", "in.jsonl"], 2, "--output");
    refused(
        &["--input", "in.jsonl", "--output", "out.csv"],
        2,
        "which can be written",
    );
    refused(
        &["--input", "in.jsonl", "--output", "./in.jsonl"],
        2,
        "are the same file",
    );
    refused(
        &["--input", "none.jsonl", "--output", "out.jsonl"],
        1,
        "none.jsonl",
    );
    refused(
        &["--input", "other.csv", "--output", "out.jsonl"],
        1,
        "it has `id`, `text`; put the text that an LLM is to answer under `prompt`",
    );
    refused(
        &["--input", "models", "--output", "out.jsonl"],
        1,
        "is a folder",
    );
}

#[test]
fn brief_answers_have_only_the_chosen_llm() {
    let bench = Tiny::new(CostKind::Usd);
    let whole = bench.decisions(&["--mu", "0.25"], &PROMPTS.join("\n"));
    let brief = bench.decisions(&["--mu", "0.25", "--brief"], &PROMPTS.join("\n"));
    for (whole, brief) in whole.iter().zip(&brief) {
        let keys: Vec<&String> = brief.as_object().expect("an object").keys().collect();
        let expected = [
            "mu",
            "selected",
            "selected_cost_usd",
            "selected_score",
            "truncated",
        ];
        assert_eq!(keys, expected);
        assert_eq!(brief["selected"], whole["selected"]);
    }
    let output = bench.route(&["--mu", "0", "--brief", PROMPTS[0]], "");
    assert_eq!(
        stdout(&output),
        "owner/dear  score 0.9000  cost $0.02000000\n"
    );
}
