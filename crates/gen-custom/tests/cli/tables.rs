//! The built program on small tables.

use std::{fs, path::Path, sync::Arc};

use arrow_array::{
    Array as _, ArrayRef, BooleanArray, Decimal128Array, Float16Array, Float32Array, Float64Array,
    Int32Array, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
    cast::AsArray as _,
    types::{Float64Type, Int64Type},
};
use arrow_schema::DataType;
use dataset::{CostKind, Pair, Part, SplitOrigin};
use half::f16;
use parquet::arrow::ArrowWriter;
use test_support::{Bench, assert_contains, stderr};

use crate::bench::{bench, make, usual};

/// Ten rows, two LLMs with tokens; the last row's score of the large one is unknown.
const TABLE: &str = "\
id,task,prompt,small/score,small/input_tokens,small/output_tokens,org/large/score,org/large/input_tokens,org/large/output_tokens
a0,qa,\"Who, if \"\"anyone\"\"?\",1,11,5,1,12,7
a1,qa,\"two
lines\",0,12,6,1,13,8
a2,qa,naïve,0.5,13,7,0.75,14,9
a3,math,1+1=?,1,14,8,0,15,10
a4,math,2+2=?,1,15,9,1,16,11
a5,math,3+3=?,0,16,10,1,17,12
a6,code/py,print(1),0,17,11,0,18,13
a7,code/py,print(2),0.25,18,12,1,19,14
a8,code/py,print(3),1,19,13,1,20,15
a9,qa,last,1,20,14,,,
";

/// A folder with a price list, and with [`TABLE`] as `t.csv`.
fn bench_with_table() -> Bench {
    let bench = bench();
    bench.write("t.csv", TABLE.as_bytes());
    bench
}

#[test]
fn a_table_becomes_a_data_set() {
    let bench = bench_with_table();
    let (info, train, test) = make(
        &bench,
        "t.csv",
        &["--small", "small", "--large", "org/large"],
    );
    assert_eq!((info.n_train, info.n_test), (8, 2));
    assert_eq!(info.model_names(), ["small", "org/large"]);
    assert_eq!(info.cost_kind, CostKind::OutputTokens);
    let pair = Pair {
        small: "small".to_owned(),
        large: "org/large".to_owned(),
    };
    assert_eq!(info.pair, Some(pair));
    assert_eq!(info.sources.len(), 2);
    assert_eq!(
        info.notes,
        ["the score of `org/large` is unknown in 1 of 10 rows"]
    );
    // Rows 8 and 1 of ten are scikit-learn's test rows with seed 42.
    assert_eq!(test.ids, ["a8", "a1"]);
    assert_eq!(test.prompts[1], "two\nlines");
    assert_eq!(test.cost_usd[(0, 1)], (20.0 * 10.0 + 15.0 * 30.0) / 1e6);
    let row = |id: &str| {
        train
            .ids
            .iter()
            .position(|other| other == id)
            .expect("a train row")
    };
    assert_eq!(train.prompts[row("a0")], "Who, if \"anyone\"?");
    assert!(
        train.scores[(row("a9"), 1)].is_nan(),
        "an unknown score stays unknown"
    );
    assert_eq!(train.scores[(row("a9"), 0)], 1.0);
}

#[test]
fn the_summary_is_text_or_json() {
    let bench = bench_with_table();
    let args = usual("t.csv");
    let text = bench.run(&args);
    let text = String::from_utf8(text.stdout).expect("UTF-8");
    assert_contains(&text, "8 train and 2 test rows, 2 LLMs, 1 unknown scores");
    assert_contains(&text, "--dataset mine --routers carrot-blend\n");

    let json = bench.run(&[&args[..], &["--json", "--quiet"]].concat());
    assert_eq!(stderr(&json), "");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(json["dataset"]["n-train"], 8);
    assert_eq!(json["dataset"]["cost-kind"], "output-tokens");
    assert_eq!(json["dataset"]["models"][1]["mean-score"], 6.75 / 9.0);
    assert_eq!(json["dataset"]["models"][1]["n-unknown-scores"], 1);
}

#[test]
fn csv_jsonl_and_parquet_give_the_same_bytes() {
    let bench = bench();
    let crlf = format!(
        "\u{feff}{}",
        TABLE
            .replace("\nlines", "|")
            .replace('\n', "\r\n")
            .replace('|', "\nlines")
    );
    bench.write("t.csv", TABLE.as_bytes());
    bench.write("crlf.csv", crlf.as_bytes());
    bench.write("t.jsonl", jsonl(&columns()).as_bytes());
    write_parquet(&bench.join("t.parquet"), columns());
    let bytes = |input: &str| {
        make(&bench, input, &[]);
        let dir = bench.dataset("mine");
        Part::ALL.map(|part| fs::read(dir.split(part)).expect("written"))
    };
    let expected = bytes("t.csv");
    for input in ["crlf.csv", "t.jsonl", "t.parquet"] {
        assert!(bytes(input) == expected, "{input}");
    }
}

#[test]
fn parquet_numbers_may_have_any_type() {
    let bench = bench();
    let counts = |from: i64| (from..from + 10).collect::<Vec<_>>();
    let array = |ty: &str, from: i64| -> ArrayRef {
        let counts = counts(from).into_iter();
        match ty {
            "i32" => Arc::new(Int32Array::from_iter_values(counts.map(|n| n as i32))),
            "u32" => Arc::new(UInt32Array::from_iter_values(counts.map(|n| n as u32))),
            "u64" => Arc::new(UInt64Array::from_iter_values(counts.map(|n| n as u64))),
            "f16" => Arc::new(Float16Array::from_iter_values(
                counts.map(|n| f16::from_f64(n as f64)),
            )),
            "f32" => Arc::new(Float32Array::from_iter_values(counts.map(|n| n as f32))),
            "decimal" => Arc::new(
                Decimal128Array::from_iter_values(counts.map(|n| i128::from(n) * 100))
                    .with_precision_and_scale(18, 2)
                    .expect("fits"),
            ),
            _ => Arc::new(Int64Array::from_iter_values(counts)),
        }
    };
    for ty in ["i32", "i64", "u32", "u64", "f16", "f32", "decimal"] {
        let mut columns = columns();
        columns[4].1 = array(ty, 11);
        columns[5].1 = array(ty, 5);
        columns[0].1 = array("i64", 0);
        write_parquet(&bench.join("t.parquet"), columns);
        let (_, _, test) = make(&bench, "t.parquet", &[]);
        assert_eq!(test.ids, ["8", "1"], "whole numbers serve as ids");
        assert_eq!(test.cost_usd[(0, 0)], (19.0 + 13.0 * 2.0) / 1e6, "{ty}");
    }
}

#[test]
fn an_empty_prompt_is_one_and_a_score_within_rounding_of_1_is_1() {
    let bench = bench();
    let mut columns = columns();
    let mut prompts: Vec<Option<String>> = (0..10).map(|i| Some(format!("q{i}"))).collect();
    prompts[8] = Some(String::new());
    columns[2].1 = Arc::new(StringArray::from(prompts));
    let right = (0..10).map(|i| Some(i % 2 == 0)).collect::<Vec<_>>();
    columns[3].1 = Arc::new(BooleanArray::from(right));
    columns[6].1 = Arc::new(Float64Array::from(vec![1.0 + f64::EPSILON; 10]));
    columns.truncate(7);
    columns.insert(
        4,
        (
            "small/cost_usd",
            Arc::new(Float64Array::from(vec![0.5; 10])),
        ),
    );
    columns.push((
        "org/large/cost_usd",
        Arc::new(Float64Array::from(vec![0.5; 10])),
    ));
    write_parquet(&bench.join("t.parquet"), columns);
    let (_, _, test) = make(&bench, "t.parquet", &[]);
    assert_eq!(test.prompts, ["", "q1"]);
    assert_eq!(test.scores.row(0).to_vec(), [1.0, 1.0]);
    assert_eq!(test.scores.row(1).to_vec(), [0.0, 1.0]);
}

#[test]
fn a_folder_of_part_files_is_one_table_with_a_source_each() {
    let bench = bench();
    fs::create_dir(bench.join("t.parquet")).expect("created");
    let halves = |range: std::ops::Range<usize>| {
        let halves = columns().into_iter();
        halves
            .map(|(name, array)| (name, array.slice(range.start, range.len())))
            .collect::<Vec<_>>()
    };
    write_parquet(&bench.join("t.parquet/part-1.parquet"), halves(6..10));
    write_parquet(&bench.join("t.parquet/part-0.parquet"), halves(0..6));
    bench.write("t.parquet/_SUCCESS", "");
    let (info, train, test) = make(&bench, "t.parquet", &[]);
    assert_eq!((info.n_train, info.n_test), (8, 2));
    assert_eq!(info.sources.len(), 3, "two parts and the price list");
    write_parquet(&bench.join("whole.parquet"), columns());
    // The last row's score is unknown, and so not equal to itself; it is a train row.
    let (_, whole_train, whole_test) = make(&bench, "whole.parquet", &[]);
    assert_eq!((&train.ids, &test.ids), (&whole_train.ids, &whole_test.ids));
    assert_eq!(test.cost_usd, whole_test.cost_usd);
}

#[test]
fn separators_escapes_and_mistakes_in_csv_come_with_their_flag() {
    let bench = bench();
    bench.write("t.csv", TABLE.replace("\"\"", "\\\"").as_bytes());
    bench.refuse(&usual("t.csv"), 1, "read it with `--escape '\\'`");
    let (_, train, _) = make(&bench, "t.csv", &["--escape", "\\"]);
    assert!(train.prompts.contains(&"Who, if \"anyone\"?".to_owned()));

    let small = "id;prompt;m/score;m/cost_usd\n1;a,b;1;0.5\n2;c;0;0.5\n";
    bench.write("s.csv", small);
    let forced = |input| [&usual(input)[..], &["--force"]].concat();
    bench.refuse(&forced("s.csv"), 1, "give `--delimiter ';'`");
    let (_, train, test) = make(&bench, "s.csv", &["--delimiter", ";", "--test-size", "0.5"]);
    assert!(
        [&train.prompts[..], &test.prompts]
            .concat()
            .contains(&"a,b".to_owned())
    );
    bench.write("tabs.csv", small.replace(';', "\t"));
    bench.refuse(&forced("tabs.csv"), 1, "give `--delimiter tab`");
    make(
        &bench,
        "tabs.csv",
        &["--delimiter", "tab", "--test-size", "0.5"],
    );
    fs::rename(bench.join("tabs.csv"), bench.join("tabs.tsv")).expect("renamed");
    make(&bench, "tabs.tsv", &["--test-size", "0.5"]);

    bench.write("t.jsonl", "{}\n");
    let args = [&usual("t.jsonl")[..], &["--delimiter", ";"]].concat();
    bench.refuse(&args, 2, "--delimiter and --escape are for CSV");
    let args = [&usual("s.csv")[..], &["--delimiter", "a"]].concat();
    bench.refuse(&args, 2, "expected one character");
}

#[test]
fn rows_that_a_quote_takes_in_are_not_lost_in_silence() {
    let bench = bench();
    // The quote of row 2 is closed by the inches of row 4.
    let table = "id,m/score,prompt,m/cost_usd\n1,1,a,1\n2,1,\"Who is,1\n3,1,b,1\n4,1,a pipe of 5\",1\n5,0,c,1\n";
    bench.write("t.csv", table);
    let output = bench.run(&["--input", "t.csv", "--name", "mine"]);
    assert_contains(
        &stderr(&output),
        "row 2 of `t.csv` has a quoted field with lines that look like rows",
    );
    assert_contains(&stderr(&output), "a quote may be missing");
    bench.write("t.csv", TABLE);
    let output = bench.run(&[&usual("t.csv")[..], &["--force"]].concat());
    assert!(!stderr(&output).contains("quote"), "{}", stderr(&output));
}

#[cfg(unix)]
#[test]
fn pipes_are_refused_before_they_are_emptied() {
    let bench = bench_with_table();
    for pipe in ["pipe.csv", "pipe.toml"] {
        let made = std::process::Command::new("mkfifo")
            .arg(bench.join(pipe))
            .status();
        assert!(made.expect("mkfifo").success());
    }
    bench.refuse(&usual("pipe.csv"), 1, "a pipe or a device");
    let mut args = usual("t.csv");
    args[3] = "pipe.toml";
    bench.refuse(&args, 1, "cannot read `pipe.toml`");
}

#[test]
fn given_parts_and_filters_are_honored() {
    let bench = bench();
    let mut lines = TABLE.replace("two\nlines", "two lines");
    lines = lines
        .lines()
        .enumerate()
        .fold(String::new(), |text, (i, line)| {
            let part = match i {
                0 => "split",
                _ if i % 3 == 0 => "test",
                _ => "train",
            };
            text + line + "," + part + "\n"
        });
    bench.write("t.csv", lines.as_bytes());
    let (info, train, test) = make(&bench, "t.csv", &[]);
    assert_eq!(info.split, SplitOrigin::Given);
    assert_eq!(test.ids, ["a2", "a5", "a8"]);
    assert_eq!(train.n_prompts(), 7);

    let extra = [
        "--exclude-task",
        "code/*,math",
        "--limit",
        "2",
        "--exclude-model",
        "org/large",
    ];
    let (info, train, test) = make(&bench, "t.csv", &extra);
    assert_eq!(
        (train.ids, test.ids),
        (
            vec!["a0".to_owned(), "a1".to_owned()],
            vec!["a2".to_owned()]
        )
    );
    assert_eq!(
        info.notes,
        [
            "left out 3 rows of tasks `code/*`",
            "left out 3 rows of tasks `math`",
            "left out model `org/large`",
            "kept only the first rows: --limit 2 left out 1",
        ]
    );
}

#[test]
fn a_table_without_tasks_and_with_costs_needs_no_prices() {
    let bench = bench();
    bench.write(
        "t.csv",
        b"id,prompt,m/score,m/cost_usd,remark\n1,x,1,0.5,good\n2,y,0,0.25,bad\n",
    );
    let output = bench.run(&["--input", "t.csv", "--name", "mine", "--test-size", "0.5"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("ignored unknown columns of `t.csv`: `remark`"));
    let (info, train, _) = bench.read("mine");
    assert_eq!(info.cost_kind, CostKind::Usd);
    assert_eq!(train.tasks, ["all"]);
}

/// A table in which one thing is wrong, and what has to be said of it.
struct Case {
    text: &'static str,
    extra: &'static [&'static str],
    code: i32,
    expected: &'static str,
}

const GOOD: &str = "id,task,prompt,small/score,small/input_tokens\n1,a,x,1,10\n2,b,y,0,11\n";

#[rustfmt::skip]
const CASES: &[Case] = &[
    // The command line.
    Case { text: GOOD, extra: &["--small", "small"], code: 2, expected: "--large" },
    Case { text: GOOD, extra: &["--small", "small", "--large", "huge"], code: 2, expected: "no model `huge`" },
    Case { text: GOOD, extra: &["--small", "small", "--large", "small"], code: 2, expected: "both `small`" },
    Case { text: GOOD, extra: &["--exclude-model", "huge"], code: 2, expected: "no model `huge`" },
    Case { text: GOOD, extra: &["--exclude-task", "z*"], code: 2, expected: "no row is of a task `z*`" },
    Case { text: GOOD, extra: &["--test-size", "1"], code: 2, expected: "expected a number above 0 and below 1" },
    Case { text: GOOD, extra: &["--test-size", "nan"], code: 2, expected: "expected a number above 0 and below 1" },
    Case { text: GOOD, extra: &["--limit", "0"], code: 2, expected: "--limit" },
    Case { text: GOOD, extra: &["--name", "../x"], code: 2, expected: "cannot name a data set" },
    Case { text: GOOD, extra: &["--name", "."], code: 2, expected: "cannot name a data set" },
    Case { text: GOOD, extra: &["--name", ""], code: 2, expected: "cannot name a data set" },
    // The files.
    Case { text: GOOD, extra: &["--input", "none.csv"], code: 1, expected: "cannot read `none.csv`" },
    Case { text: GOOD, extra: &["--input", "none.csv.gz"], code: 1, expected: "cannot read `none.csv.gz`" },
    Case { text: GOOD, extra: &["--input", "prices.toml"], code: 2, expected: "name the format with --format" },
    Case { text: GOOD, extra: &["--format", "parquet"], code: 1, expected: "cannot read `t.csv` as Parquet" },
    Case { text: GOOD, extra: &["--prices", "none.toml"], code: 1, expected: "`none.toml`" },
    Case { text: "", extra: &[], code: 1, expected: "`t.csv` has no rows" },
    Case { text: "id,prompt,small/score,small/input_tokens\n", extra: &[], code: 1, expected: "`t.csv` has no rows" },
    Case { text: GOOD, extra: &["--exclude-task", "*"], code: 1, expected: "`t.csv` has no rows" },
    Case { text: GOOD, extra: &["--limit", "1"], code: 1, expected: "0 train and 1 test rows" },
    // The columns.
    Case { text: "task,prompt,small/score,small/input_tokens\na,x,1,10\n", extra: &[], code: 1, expected: "no column `id`" },
    Case { text: "id,small/score,small/input_tokens\n1,1,10\n", extra: &[], code: 1, expected: "no column `prompt`" },
    Case { text: "id,prompt\n1,x\n2,y\n", extra: &[], code: 1, expected: "`t.csv` has no LLM" },
    Case { text: "id,prompt,small/input_tokens\n1,x,3\n", extra: &[], code: 1, expected: "no column `small/score`" },
    Case { text: "id,prompt,small/score\n1,x,1\n2,y,1\n", extra: &[], code: 1, expected: "has no cost column for model `small`" },
    Case { text: "id,prompt,other/score,other/input_tokens\n1,x,1,3\n2,y,1,3\n", extra: &[], code: 1, expected: "`prices.toml` has no price for model `other`" },
    Case { text: "id,prompt,id,small/score\n1,x,1,3\n", extra: &[], code: 1, expected: "duplicate column `id` in `t.csv`" },
    // The rows.
    Case { text: "id,prompt,small/score,small/input_tokens\n1,x,1,10\n1,y,0,11\n", extra: &[], code: 1, expected: "duplicate id `1` in rows 1 and 2" },
    Case { text: "id,prompt,small/score,small/input_tokens\n1,x,1,10\n,y,0,11\n", extra: &[], code: 1, expected: "column `id` of `t.csv` is null in row 2" },
    Case { text: "id,prompt,small/score,small/input_tokens\n1,,1,10\n2,y,0,11\n", extra: &[], code: 1, expected: "column `prompt` of `t.csv` is null in row 1" },
    Case { text: "id,task,prompt,small/score,small/input_tokens\n1,,x,1,10\n2,a,y,0,11\n", extra: &[], code: 1, expected: "column `task` of `t.csv` is null in row 1" },
    Case { text: "id,prompt,small/score,small/input_tokens\n1,x,1.01,10\n2,y,0,11\n", extra: &[], code: 1, expected: "column `small/score` of `t.csv` is 1.01 in row 1" },
    Case { text: "id,prompt,small/score,small/input_tokens\n1,x,NaN,10\n2,y,NA,11\n", extra: &[], code: 1, expected: "no train row of `t.csv` has a score" },
    Case { text: "id,prompt,small/score,small/input_tokens\n1,x,1,10\n2,y,inf,11\n", extra: &[], code: 1, expected: "column `small/score` of `t.csv` is inf in row 2" },
    Case { text: "id,prompt,small/score,small/input_tokens\n1,x,1,10\n2,y,good,11\n", extra: &[], code: 1, expected: "column `small/score` of `t.csv` is `good` in row 2, expected a number" },
    Case { text: "id,prompt,small/score,small/input_tokens\n1,x,1,-1\n2,y,1,11\n", extra: &[], code: 1, expected: "column `small/input_tokens` of `t.csv` is -1 in row 1" },
    Case { text: "id,prompt,small/score,small/input_tokens\n1,x,1,1.5\n2,y,1,11\n", extra: &[], code: 1, expected: "is 1.5 in row 1, expected a whole number" },
    Case { text: "id,prompt,small/score,small/input_tokens\n1,x,1,1\n2,y,1,\n", extra: &[], code: 1, expected: "model `small` has a score but no cost in row 2" },
    Case { text: "id,prompt,small/score,small/cost_usd\n1,x,1,1\n2,y,1,-2\n", extra: &[], code: 1, expected: "column `small/cost_usd` of `t.csv` is -2 in row 2" },
    Case { text: "id,prompt,small/score,small/input_tokens\n1,x,,1\n2,y,,1\n", extra: &[], code: 1, expected: "leave the model out with --exclude-model" },
    Case { text: "id,prompt,split,small/score,small/input_tokens\n1,x,train,1,1\n2,y,dev,1,1\n", extra: &[], code: 1, expected: "column `split` of `t.csv` is `dev` in row 2" },
    Case { text: "id,prompt,split,small/score,small/input_tokens\n1,x,train,1,1\n2,y,,1,1\n", extra: &[], code: 1, expected: "column `split` of `t.csv` is null in row 2" },
    Case { text: "id,prompt,split,small/score,small/input_tokens\n1,x,train,1,1\n2,y,train,1,1\n", extra: &[], code: 1, expected: "`t.csv` has no rows in its test part" },
    Case { text: "id,prompt,small/score,small/input_tokens\n1,x,1\n2,y,1,1\n", extra: &[], code: 1, expected: "row 1 of `t.csv` has 3 fields, the header has 4" },
    // A row number is the file's, whatever was left out before it.
    Case { text: "id,task,prompt,small/score,small/input_tokens\n1,a,x,9,10\n2,b,y,9,11\n", extra: &["--exclude-task", "a"], code: 1, expected: "is 9 in row 2" },
];

#[test]
fn what_cannot_be_taken_is_refused_and_nothing_written() {
    for Case {
        text,
        extra,
        code,
        expected,
    } in CASES
    {
        let bench = bench();
        bench.write("t.csv", text.as_bytes());
        let mut args = usual("t.csv").to_vec();
        // A later value cannot override an earlier one, so the case's takes its place.
        for pair in extra.chunks(2) {
            match args.iter().position(|arg| *arg == pair[0]) {
                Some(at) => args[at + 1] = pair[1],
                None => args.extend(pair),
            }
        }
        bench.refuse(&args, *code, expected);
    }
}

#[test]
fn other_refusals() {
    let bench = bench();
    let check = |name: &str, bytes: &[u8], code, expected: &str| {
        bench.write(name, bytes);
        bench.refuse(&usual(name), code, expected);
    };
    check(
        "l.csv",
        b"id,prompt,small/score\n1,caf\xe9,1\n",
        1,
        "`l.csv` is not UTF-8: row 1 holds the byte 0xe9",
    );
    check(
        "h.csv",
        b"id,caf\xe9\n1,x\n",
        1,
        "`h.csv` is not UTF-8: the header holds",
    );
    check("e.jsonl", b"\n", 1, "`e.jsonl` has no rows");
    check(
        "a.jsonl",
        b"{\"id\": 1}\n[1]\n",
        1,
        "cannot read row 2 of `a.jsonl` as a JSON object",
    );
    check(
        "b.jsonl",
        b"{\"id\": 1, \"id\": 2}\n",
        1,
        "duplicate key `id`",
    );
    check(
        "c.jsonl",
        b"{\"id\": 1, \"m/score\": \"good\"}\n",
        1,
        "column `m/score` of `c.jsonl` is `good` in row 1, expected a number",
    );
    check(
        "d.jsonl",
        b"{\"id\": 1.5}\n",
        1,
        "column `id` of `d.jsonl` is `1.5` in row 1, expected text",
    );

    let mut columns = columns();
    columns[3].1 = Arc::new(StringArray::from(vec!["1"; 10]));
    write_parquet(&bench.join("t.parquet"), columns);
    let args = usual("t.parquet");
    bench.refuse(
        &args,
        1,
        "column `small/score` of `t.parquet` is `text`, expected numbers",
    );

    bench.write("t.csv", GOOD.as_bytes());
    let args = ["--input", "t.csv", "--name", "mine"];
    bench.refuse(&args, 2, "a price list is needed; name one with --prices");
}

#[test]
fn a_refused_table_leaves_the_old_data_set() {
    let bench = bench_with_table();
    let before = make(&bench, "t.csv", &[]).0;
    bench.write("t.csv", TABLE.replace("a9", "a0").as_bytes());
    let output = bench.run(&[&usual("t.csv")[..], &["--force"]].concat());
    assert_contains(&stderr(&output), "duplicate id `a0` in rows 1 and 10");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(bench.read("mine").0, before);
}

#[test]
fn what_is_there_is_not_made_again_and_not_overwritten() {
    let bench = bench_with_table();
    let again = usual("t.csv");
    let first = bench.run(&again);
    assert!(first.status.success(), "{}", stderr(&first));
    let split = bench.dataset("mine").split(Part::Train);
    let written = |path: &Path| {
        let metadata = fs::metadata(path).expect("written");
        metadata.modified().expect("a time")
    };
    let before = written(&split);

    let second = bench.run(&again);
    assert_contains(&stderr(&second), "already exists");
    assert_eq!(second.stdout, first.stdout);
    assert_eq!(written(&split), before);

    // The same table elsewhere is the same table.
    fs::rename(bench.join("t.csv"), bench.join("u.csv")).expect("renamed");
    assert!(bench.run(&usual("u.csv")).status.success());
    assert_eq!(written(&split), before);

    bench.write("t.csv", TABLE.replace("a9", "b9").as_bytes());
    for (extra, expected) in [
        (&[][..], "made from other files"),
        (&["--limit", "5"], "limit was not set, now `5`"),
        (&["--seed", "7"], "seed was not set, now `7`"),
        (
            &["--small", "small", "--large", "org/large"],
            "another pair of LLMs",
        ),
    ] {
        let output = bench.run(&[&again[..], extra].concat());
        assert_eq!(output.status.code(), Some(1));
        let message = stderr(&output);
        assert!(
            message.contains(expected) && message.contains("--force"),
            "{message}"
        );
        assert_eq!(written(&split), before, "{extra:?}");
    }
    let forced = bench.run(&[&again[..], &["--force"]].concat());
    assert!(forced.status.success(), "{}", stderr(&forced));
    let ids = bench.read("mine").1.ids;
    assert!(ids.contains(&"b9".to_owned()), "{ids:?}");
}

/// [`TABLE`] in columns.
fn columns() -> Vec<(&'static str, ArrayRef)> {
    let ids = (0..10).map(|i| format!("a{i}"));
    let tasks = [
        "qa", "qa", "qa", "math", "math", "math", "code/py", "code/py", "code/py", "qa",
    ];
    let prompts = [
        "Who, if \"anyone\"?",
        "two\nlines",
        "naïve",
        "1+1=?",
        "2+2=?",
        "3+3=?",
        "print(1)",
        "print(2)",
        "print(3)",
        "last",
    ];
    let small_scores = vec![1.0, 0.0, 0.5, 1.0, 1.0, 0.0, 0.0, 0.25, 1.0, 1.0];
    let large_scores = [1.0, 1.0, 0.75, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0].map(Some);
    let counts = |from: i64| Arc::new(Int64Array::from_iter_values(from..from + 10));
    let all_but_last = |from: i64| {
        Arc::new(Int64Array::from_iter(
            (0..10).map(|i| (i < 9).then_some(i + from)),
        ))
    };
    vec![
        ("id", Arc::new(StringArray::from_iter_values(ids))),
        ("task", Arc::new(StringArray::from(tasks.to_vec()))),
        ("prompt", Arc::new(StringArray::from(prompts.to_vec()))),
        ("small/score", Arc::new(Float64Array::from(small_scores))),
        ("small/input_tokens", counts(11)),
        ("small/output_tokens", counts(5)),
        (
            "org/large/score",
            Arc::new(Float64Array::from([&large_scores[..], &[None]].concat())),
        ),
        ("org/large/input_tokens", all_but_last(12)),
        ("org/large/output_tokens", all_but_last(7)),
    ]
}

fn write_parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let file = fs::File::create(path).expect("created");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
}

/// The same rows as JSON lines, nulls left out.
fn jsonl(columns: &[(&str, ArrayRef)]) -> String {
    let mut text = String::new();
    for row in 0..10 {
        let entries = columns.iter().filter(|(_, array)| !array.is_null(row));
        let entries = entries.map(|(name, array)| {
            let value: serde_json::Value = match array.data_type() {
                DataType::Utf8 => array.as_string::<i32>().value(row).into(),
                DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
                _ => array.as_primitive::<Float64Type>().value(row).into(),
            };
            format!("\"{name}\": {value}")
        });
        text += &format!("{{{}}}\n", entries.collect::<Vec<_>>().join(", "));
    }
    text
}
