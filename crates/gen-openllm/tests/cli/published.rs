//! The published matrix: `golden/matrix.pickle`, whose scores and widths are known by formula.

use std::fs::File;
use test_support::assert_contains;

use dataset::{CostKind, Pair};
use polars::prelude::{Column, DataFrame, ParquetWriter};
use serde_json::Value;

use crate::bench::{GEMMA, LARGE, Leaderboard, Rows, SMALL, YI, stderr};

const MATRIX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/matrix.pickle");
const SOLAR: &str = "upstage/SOLAR-10.7B-Instruct-v1.0";

/// Ability and width of each LLM that the settings list, in the order of the columns.
const MODELS: [(&str, f64, usize); 5] = [
    (YI, 0.4, 1),
    (LARGE, 0.7, 2),
    (SMALL, 0.5, 8),
    (GEMMA, 0.2, 4),
    (SOLAR, 0.3, 8),
];

/// Name, length, number in the matrix, and how many documents have a text.
const TASKS: [(&str, usize, usize, usize); 4] = [
    ("bbh/navigate", 101, 0, 101),
    ("ifeval/ifeval", 40, 1, 40),
    ("math/geometry_hard", 67, 2, 0),
    ("mmlu_pro/mmlu_pro", 120, 3, 100),
];

/// As in `golden/make.py`.
fn score(ability: f64, task: usize, document: usize) -> f32 {
    f32::from(u8::from(
        ability > ((document * 37 + task * 11) % 101) as f64 / 101.0,
    ))
}

/// Which document stands where, written without the crate under test.
fn published_document(n: usize, width: usize, place: usize) -> usize {
    let mut documents = Vec::new();
    for rank in 0..width {
        documents.extend((0..n).filter(|document| document % width == rank));
    }
    documents[place]
}

fn n_tokens(task: usize, document: usize, model: usize) -> i32 {
    (1000 * task + 10 * document + model) as i32
}

/// A table of the questions, in an order of its own, with scores that must not be read.
fn questions() -> DataFrame {
    let mut rows: Vec<(String, String, String, usize, usize)> = Vec::new();
    for (name, _, t, n) in TASKS {
        for d in (0..n).rev() {
            rows.push((
                format!("{name}/{d}"),
                name.to_owned(),
                format!("question {d} of {name}"),
                t,
                d,
            ));
        }
    }
    let text = |name: &str, of: fn(&(String, String, String, usize, usize)) -> String| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<String>>())
    };
    let mut columns = vec![
        text("id", |row| row.0.clone()),
        text("task", |row| row.1.clone()),
        text("prompt", |row| row.2.clone()),
    ];
    for (m, (model, ..)) in MODELS.into_iter().enumerate() {
        let tokens: Vec<i32> = rows.iter().map(|row| n_tokens(row.3, row.4, m)).collect();
        columns.push(Column::new(format!("{model}/input_tokens").into(), tokens));
        columns.push(Column::new(
            format!("{model}/score").into(),
            vec![0.5; rows.len()],
        ));
    }
    DataFrame::new_infer_height(columns).expect("columns of one length")
}

fn put(bench: &Leaderboard, mut questions: DataFrame) {
    let file = File::create(bench.join("questions.parquet")).expect("created");
    ParquetWriter::new(file)
        .finish(&mut questions)
        .expect("written");
}

fn bench() -> Leaderboard {
    let bench = Leaderboard::new();
    put(&bench, questions());
    bench
}

const ARGS: [&str; 4] = [
    "--source-pickle",
    MATRIX,
    "--questions",
    "questions.parquet",
];

fn check(
    rows: &Rows,
    with_ifeval: bool,
    models: &[&str],
    expected: impl Fn(f64, usize, usize, usize, usize) -> f32,
) {
    assert_eq!(rows.models(), models);
    let mut n_rows = 0;
    for (name, n_documents, t, n) in TASKS {
        if t == 1 && !with_ifeval {
            continue;
        }
        n_rows += n;
        for d in 0..n {
            let id = format!("{name}/{d}");
            assert_eq!(
                (rows.task(&id), rows.prompt(&id)),
                (name, format!("question {d} of {name}").as_str())
            );
            for (m, (model, ability, width)) in MODELS.into_iter().enumerate() {
                if !models.contains(&model) {
                    continue;
                }
                let n_tokens = f64::from(n_tokens(t, d, m));
                assert_eq!(rows.n_tokens(&id, model), n_tokens, "{id} {model}");
                let found = rows.score(&id, model);
                if model == SOLAR && t == 3 {
                    assert!(found.is_nan());
                } else {
                    assert_eq!(
                        found,
                        expected(ability, t, d, n_documents, width),
                        "{id} {model}"
                    );
                }
            }
        }
    }
    assert_eq!(rows.ids().len(), n_rows);
}

#[test]
fn scores_are_brought_into_the_order_of_the_documents() {
    let bench = bench();
    let report = bench.report(&ARGS);
    check(
        &bench.rows("open-llm-lb-v2"),
        false,
        &[YI, LARGE, SMALL, GEMMA],
        |ability, t, d, _, _| score(ability, t, d),
    );

    let info = bench.info("open-llm-lb-v2");
    let (small, large) = (SMALL.to_owned(), LARGE.to_owned());
    assert_eq!(info.pair, Some(Pair { small, large }));
    assert_eq!(info.cost_kind, CostKind::Known);
    let notes = info.notes.join("\n");
    for note in [
        format!("left out `{SOLAR}`, which has no results in `mmlu_pro/mmlu_pro`"),
        "87 of 288 documents, of 2 tasks, have no text".to_owned(),
        "left out 40 questions of tasks that were not requested".to_owned(),
        "the source has no results for 35 of 38 tasks".to_owned(),
    ] {
        assert!(notes.contains(&note), "{notes}");
    }
    assert!(!notes.contains("AS PUBLISHED"), "{notes}");

    let audit = &report["alignment"];
    assert_eq!(audit["verdict"], "several-orders");
    for (found, (model, _, width)) in audit["models"]
        .as_array()
        .expect("a list")
        .iter()
        .zip(MODELS)
    {
        assert_eq!(
            (&found["name"], &found["best_width"]),
            (&Value::from(model), &Value::from(width))
        );
        assert_eq!(found["finding"], "determined", "{model}");
    }
    let tasks: Vec<&str> = audit["tasks"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|task| task["name"].as_str())
        .collect();
    assert_eq!(
        tasks,
        ["bbh/navigate", "math/geometry_hard", "mmlu_pro/mmlu_pro"]
    );
    // Whoever is best is right wherever anyone is, as long as rows are documents.
    let summary = &report["summary"];
    assert_eq!(summary["by-document"]["best-single"], LARGE);
    assert_eq!(
        summary["by-document"]["best-single-score"],
        summary["by-document"]["oracle"]
    );
    assert!(
        summary["as-published"]["oracle"].as_f64() > summary["by-document"]["oracle"].as_f64(),
        "{summary}"
    );
    assert_eq!(
        (&summary["n-documents"], &summary["n-test"]),
        (&288.into(), &58.into())
    );
    let findings = bench.info("open-llm-lb-v2").findings;
    assert_eq!(
        (&findings["alignment"], &findings["summary"]),
        (audit, summary)
    );
}

#[test]
fn the_published_order_is_kept_when_asked_for_and_called_what_it_is() {
    let bench = bench();
    let output = bench.run(&[&ARGS[..], &["--as-published"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    assert_contains(&stderr(&output), "AS PUBLISHED, NOT BY DOCUMENT");
    let text = String::from_utf8(output.stdout).expect("text");
    for part in [
        "order of the published scores: several",
        "by document:",
        "as published:",
    ] {
        assert_contains(&text, part);
    }
    let name = "open-llm-lb-v2-as-published";
    let expected = |ability, t, d, n, width| score(ability, t, published_document(n, width, d));
    check(
        &bench.rows(name),
        false,
        &[YI, LARGE, SMALL, GEMMA],
        expected,
    );
    let info = bench.info(name);
    assert!(
        info.notes
            .iter()
            .any(|note| note.starts_with("AS PUBLISHED, NOT BY DOCUMENT")),
        "{:?}",
        info.notes
    );
    assert_eq!(info.options["as-published"], "true");
    assert!(!bench.join("data/open-llm-lb-v2").exists());
}

#[test]
fn ifeval_and_incomplete_llms_come_when_asked_for() {
    let bench = bench();
    let report = bench.report(&[&ARGS[..], &["--with-ifeval", "--keep-incomplete"]].concat());
    let models = MODELS.map(|(model, ..)| model);
    check(
        &bench.rows("open-llm-lb-v2"),
        true,
        &models,
        |ability, t, d, _, _| score(ability, t, d),
    );
    assert_eq!(report["summary"]["n-documents"], 328);
    let complete: Vec<&str> = report["summary"]["models"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(
        complete,
        models[..4],
        "the summary is of the LLMs that have all tasks"
    );
}

#[test]
fn llms_of_one_order_are_said_to_be() {
    let bench = bench();
    // Both of width 8.
    let others = ["--exclude-model", YI, LARGE, GEMMA, "--keep-incomplete"];
    let report = bench.report(&[&ARGS[..], &others].concat());
    assert_eq!(report["alignment"]["verdict"], "one-order");
    let notes = bench.info("open-llm-lb-v2").notes.join("\n");
    assert_contains(
        &notes,
        "all LLMs share one order; the scores do not show which one it is",
    );
}

#[test]
fn an_llm_whose_order_cannot_be_determined_is_left_out() {
    let bench = bench();
    let shifted = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/shifted.pickle");
    let args = ["--source-pickle", shifted, ARGS[2], ARGS[3]];
    let output = bench.succeed(&args);
    let note = format!("left out `{GEMMA}`: the order of the scores cannot be determined");
    assert_contains(&stderr(&output), &note);
    assert_contains(&bench.info("open-llm-lb-v2").notes.join("\n"), &note);
    // The others are as they are without it, with their own tokens.
    check(
        &bench.rows("open-llm-lb-v2"),
        false,
        &[YI, LARGE, SMALL],
        |ability, t, d, _, _| score(ability, t, d),
    );
    let report = bench.report(&[&args[..], &["--as-published"]].concat());
    assert_eq!(report["alignment"]["models"][3]["part"], Value::Null);
    let as_published = bench.rows("open-llm-lb-v2-as-published");
    assert_eq!(as_published.models(), [YI, LARGE, SMALL, GEMMA]);
}

#[test]
fn tables_that_do_not_fit_are_refused() {
    let renamed = |from: &str, to: &str| {
        let mut table = questions();
        table.rename(from, to.into()).expect("a column");
        table
    };
    let with = |column: Column| {
        let mut table = questions();
        table.with_column(column).expect("a column of that length");
        table
    };
    let ids = |first: &str| {
        let mut ids: Vec<String> = (0..241).map(|i| format!("x/{i}")).collect();
        ids[0] = first.to_owned();
        with(Column::new("id".into(), ids))
    };
    let mut texts = vec![Some("text"); 241];
    texts[6] = None;
    let prompts = with(Column::new("prompt".into(), texts));
    let numbers = with(Column::new("prompt".into(), vec![1; 241]));
    let twice = questions().vstack(&questions()).expect("the same columns");
    for (table, message) in [
        (renamed("prompt", "text"), "`questions.parquet` has no column `prompt`".to_owned()),
        (
            renamed(&format!("{SMALL}/input_tokens"), "x"),
            format!("`questions.parquet` has no column `{SMALL}/input_tokens`"),
        ),
        (ids("bbh/navigate"), "id `bbh/navigate` in row 1 of `questions.parquet` does not end in `/` and a document's number".to_owned()),
        (ids("bbh/navigate/101"), "row 1 of `questions.parquet` is document 101 of `bbh/navigate`".to_owned()),
        (prompts, "column `prompt` of `questions.parquet` is null in row 7".to_owned()),
        (numbers, "column `prompt` of `questions.parquet` is `i32`, expected `text`".to_owned()),
        (twice, "rows 1 and 242 of `questions.parquet` are document 100 of `bbh/navigate`".to_owned()),
    ] {
        let bench = Leaderboard::new();
        put(&bench, table);
        let output = bench.run(&ARGS);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert!(stderr(&output).contains(&message), "{}expected {message}", stderr(&output));
    }
}

#[test]
fn files_that_are_no_matrix_are_refused() {
    let bench = bench();
    // An empty dictionary, and a list, as protocol 2 writes them.
    for (bytes, message) in [
        (
            &b"\x80\x02}."[..],
            "it has none of the tasks `leaderboard_bbh_boolean_expressions`, ...",
        ),
        (b"\x80\x02].", "cannot use `m.pickle`"),
        (b"PAR1", "cannot use `m.pickle`"),
    ] {
        bench.write("m.pickle", bytes);
        let output = bench.run(&[
            "--source-pickle",
            "m.pickle",
            "--questions",
            "questions.parquet",
        ]);
        assert_eq!(output.status.code(), Some(1));
        assert_contains(&stderr(&output), message);
    }
}
