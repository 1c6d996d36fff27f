//! Embeddings of a table's prompts, one process per part.

use std::fs;

use dataset::CostKind;
use encoder::{ModelFiles, PromptEmbedder as _, SentenceEmbedder};
use ndarray::Array2;
use serde_json::{Value, json};
use static_embeddings::{StaticEmbedder, StaticFiles};
use tables::{Kind, ParquetFile, Place, Rows, extend_vectors};
use test_support::{copy_tiny_bert, copy_tiny_static, stdout};

use crate::bench::{Tiny, names, stderr};

fn bench() -> Tiny {
    let bench = Tiny::new(CostKind::OutputTokens);
    copy_tiny_bert(&bench.path().join("tiny-bert"));
    copy_tiny_static(&bench.path().join("vectors"));
    bench
}

fn embed(bench: &Tiny, args: &[&str], code: i32) -> (Value, String) {
    let output = bench.run(&[&["embed"], args, &["--json"]].concat());
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {message}");
    let report = serde_json::from_str(&stdout(&output)).unwrap_or_default();
    (report, message)
}

fn prompts(n: usize) -> Vec<String> {
    (0..n)
        .map(|n| format!("b {n} c so very {}", "long ".repeat(n % 7)))
        .collect()
}

fn lines(prompts: &[String]) -> String {
    let lines = prompts.iter().enumerate();
    lines
        .map(|(id, prompt)| json!({"id": id, "prompt": prompt}).to_string() + "\n")
        .collect()
}

/// The column `embedding`, without the rows where it is null.
fn embeddings(bench: &Tiny, name: &str) -> Array2<f32> {
    let path = bench.join(name);
    let (mut dim, mut values) = (None, Vec::new());
    for batch in ParquetFile::open(&path)
        .expect("opened")
        .batches(&["embedding"])
        .expect("read")
    {
        let batch = batch.expect("read");
        for row in 0..batch.num_rows() {
            let one = batch.column(0).slice(row, 1);
            if one.is_null(0) {
                continue;
            }
            let place = Place {
                path: &path,
                column: "embedding",
                n_before: row,
            };
            extend_vectors(place, &one, &mut dim, &mut values).expect("vectors");
        }
    }
    let dim = dim.expect("some rows");
    Array2::from_shape_vec((values.len() / dim, dim), values).expect("rows of one length")
}

#[test]
fn a_part_is_embedded_once_by_either_kind_of_embedder() {
    let bench = bench();
    let prompts = prompts(5000);
    bench.write("part.jsonl", lines(&prompts));
    let files = ModelFiles::in_folder(&bench.join("tiny-bert")).expect("a model");
    let bert = SentenceEmbedder::load(&files).expect("loaded");
    let files = StaticFiles::find(&bench.join("vectors")).expect("read");
    let token_vectors = StaticEmbedder::load(&files.expect("static")).expect("loaded");
    let bert = bert.embed(&prompts, &|_| ()).expect("embedded").values;
    let by_vectors = token_vectors
        .embed(&prompts, &|_| ())
        .expect("embedded")
        .values;
    for (embedder, expected) in [("tiny-bert", &bert), ("vectors", &by_vectors)] {
        let output = format!("{embedder}.parquet");
        let args = [
            "--input",
            "part.jsonl",
            "--output",
            &output,
            "--embedding",
            embedder,
        ];
        let (made, _) = embed(&bench, &args, 0);
        assert_eq!(
            [&made["status"], &made["rows"]],
            [&json!("made"), &json!(5000)]
        );
        assert!(
            embeddings(&bench, &output) == *expected,
            "the same bits as at once"
        );
        let bytes = fs::read(bench.join(&output)).expect("read");
        let (kept, _) = embed(&bench, &args, 0);
        assert_eq!(
            [&kept["status"], &kept["rows"]],
            [&json!("kept"), &json!(5000)]
        );
        assert_eq!(kept["done"], Value::Null);
        let (again, _) = embed(&bench, &[&args[..], &["--force"]].concat(), 0);
        assert_eq!(again["status"], "made");
        assert!(bytes == fs::read(bench.join(&output)).expect("read"));
    }
    // Ids are passed on, with their type.
    let mut rows = Rows::open(&bench.join("vectors.parquet"), 10).expect("opened");
    let chunk = rows.next(&|name| (name == "id").then_some(Kind::Number));
    let chunk = chunk.expect("read").expect("rows");
    assert_eq!(chunk.table.numbers["id"][..3], [0.0, 1.0, 2.0]);
    // Another input, embedder or option is another output.
    let args = [
        "--input",
        "part.jsonl",
        "--output",
        "vectors.parquet",
        "--embedding",
    ];
    let (other, message) = embed(&bench, &[&args[..], &["tiny-bert"]].concat(), 0);
    assert_eq!(other["status"], "made");
    assert!(message.contains("making it again"), "{message}");
    bench.write("part.jsonl", lines(&prompts[..10]));
    let (shorter, _) = embed(&bench, &[&args[..], &["tiny-bert"]].concat(), 0);
    assert_eq!(
        [&shorter["status"], &shorter["rows"]],
        [&json!("made"), &json!(10)]
    );
}

#[test]
fn what_was_embedded_before_the_end_is_used_again() {
    let bench = bench();
    let mut rows = prompts(5000);
    // The last of three blocks cannot be embedded, so that the run ends after two.
    rows[4999] = String::new();
    bench.write("part.jsonl", lines(&rows));
    let args = [
        "--input",
        "part.jsonl",
        "--output",
        "out/part.parquet",
        "--embedding",
        "vectors",
    ];
    let (_, message) = embed(&bench, &args, 1);
    assert!(
        message.contains("row 5000 of `part.jsonl` has no prompt"),
        "{message}"
    );
    assert!(message.contains("`--on-error row`"), "{message}");
    assert_eq!(names(&bench.join("out")), [".part.parquet.blocks"]);
    let blocks = bench.join("out/.part.parquet.blocks");
    assert_eq!(names(&blocks), ["00000000", "00000001", "made-from.json"]);
    let dated = fs::metadata(blocks.join("00000000"))
        .expect("there")
        .modified();
    // A block that was damaged is embedded again; the others are not.
    fs::write(blocks.join("00000001"), "no block").expect("written");
    let (_, message) = embed(&bench, &args, 1);
    assert!(message.contains("00000001` is damaged"), "{message}");
    let again = fs::metadata(blocks.join("00000000"))
        .expect("there")
        .modified();
    assert_eq!(dated.expect("a time"), again.expect("a time"));

    // Of other options nothing is used.
    let on_error = [&args[..], &["--on-error", "row"]].concat();
    let (made, _) = embed(&bench, &on_error, 0);
    assert_eq!(made["done"]["resumed"], 0);
    assert_eq!(made["done"]["without-prompt"], 1);
    assert_eq!(names(&bench.join("out")), ["part.parquet"]);
    assert_eq!(embeddings(&bench, "out/part.parquet").nrows(), 4999);
}

#[test]
fn a_killed_run_resumes() {
    let bench = bench();
    let rows = prompts(60_000);
    bench.write("part.jsonl", lines(&rows));
    let args = [
        "embed",
        "--input",
        "part.jsonl",
        "--output",
        "part.parquet",
        "--embedding",
        "tiny-bert",
    ];
    let blocks = bench.join(".part.parquet.blocks");
    let mut child = bench.command(&args).spawn().expect("started");
    let start = std::time::Instant::now();
    while !blocks.join("00000002").exists() {
        assert!(start.elapsed().as_secs() < 60, "no block came");
        assert!(
            child.try_wait().expect("asked").is_none(),
            "it ended before it was killed"
        );
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    assert!(!bench.join("part.parquet").exists());
    let (made, _) = embed(&bench, &args[1..], 0);
    let resumed = made["done"]["resumed"].as_u64().expect("a count");
    assert!((3 * 2048..60_000).contains(&resumed), "{resumed}");
    let hidden = names(bench.path());
    assert!(
        !hidden.iter().any(|name| name.starts_with('.')),
        "{hidden:?}"
    );
    // The bytes are those of a run without an interruption.
    let killed = fs::read(bench.join("part.parquet")).expect("read");
    let (made, _) = embed(&bench, &[&args[1..], &["--force"]].concat(), 0);
    assert_eq!(made["done"]["resumed"], 0);
    assert!(killed == fs::read(bench.join("part.parquet")).expect("read"));
}

#[test]
fn a_part_of_empty_prompts_ends_well() {
    let bench = bench();
    bench.write("blank.csv", "id,prompt\n1,\n2,\" \"\n");
    bench.write("empty.csv", "");
    bench.write("header.csv", "id,prompt\n");
    for (input, n_rows) in [("blank.csv", 2), ("empty.csv", 0), ("header.csv", 0)] {
        let args = [
            "--input",
            input,
            "--output",
            "out.parquet",
            "--embedding",
            "vectors",
        ];
        let args = [&args[..], &["--on-error", "row", "--force"]].concat();
        let (made, _) = embed(&bench, &args, 0);
        let found = [&made["rows"], &made["done"]["without-prompt"]];
        assert_eq!(found, [&json!(n_rows); 2], "{input}");
        let file = ParquetFile::open(&bench.join("out.parquet")).expect("opened");
        assert_eq!(file.n_rows(), n_rows);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let bench = bench();
    bench.write("part.jsonl", lines(&prompts(2)));
    bench.write("other.csv", "id,text\n1,a\n");
    bench.write("mine.parquet", "mine");
    let refused = |args: &[&str], code, part: &str| {
        let (_, message) = embed(&bench, &[args, &["--embedding", "vectors"]].concat(), code);
        assert!(message.contains(part), "{args:?}: no `{part}` in {message}");
    };
    let input = ["--input", "part.jsonl", "--output"];
    refused(
        &[&input[..], &["out.jsonl"]].concat(),
        2,
        "expected a .parquet file",
    );
    refused(
        &[&input[..], &["mine.parquet"]].concat(),
        1,
        "`embed` has not written it",
    );
    assert_eq!(
        fs::read_to_string(bench.join("mine.parquet")).expect("read"),
        "mine"
    );
    let other = ["--input", "other.csv", "--output", "out.parquet"];
    refused(&other, 1, "has no column `prompt`");
    let output = ["--output", "out.parquet"];
    refused(
        &[&["--input", "none.csv"], &output[..]].concat(),
        1,
        "none.csv",
    );
    // The name from the settings, whose folder is not there.
    let args = [&input[..], &["out.parquet", "--embedding", "static"]].concat();
    let (_, message) = embed(&bench, &args, 1);
    assert!(
        message.contains("distill --model minilm` makes it"),
        "{message}"
    );
}
