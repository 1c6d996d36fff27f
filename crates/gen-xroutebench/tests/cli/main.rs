//! The built program, on made-up files in the published layout, which `golden/make.py` made with what pandas makes of them.

use std::{fs, path::PathBuf};

use dataset::{CostKind, PartTable};
use serde_json::Value;
use test_support::{Bench, Hub, Tree, assert_contains, check_gated, stderr, stdout};

const REPO: &str = "ulab-ai/xRouteBench";
const FILES: [&str; 4] = [
    "llmrouter_generic/train.parquet",
    "llmrouter_generic/test.parquet",
    "llm_candidates/train.parquet",
    "README.md",
];
/// Means of up to 30 numbers; scores are float32.
const ROUNDING: f64 = 1e-7;

fn bench() -> Bench {
    Bench::new(env!("CARGO_BIN_EXE_gen-xroutebench"))
}

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn source() -> String {
    golden("").display().to_string()
}

fn check_part(found: &PartTable, expected: &Value) {
    assert_eq!(
        Some(found.n_prompts() as u64),
        expected["n_prompts"].as_u64()
    );
    for (m, model) in found.models.iter().enumerate() {
        let scores: f64 = found
            .scores
            .column(m)
            .iter()
            .map(|&score| f64::from(score))
            .sum();
        let usd: f64 = found.cost_usd.column(m).sum();
        for (what, sum) in [("score", scores), ("usd", usd)] {
            let wanted = expected[what][model].as_f64().expect("a mean");
            let mean = sum / found.n_prompts() as f64;
            assert!(
                (mean - wanted).abs() < ROUNDING,
                "{model} {what}: {mean}, expected {wanted}"
            );
        }
    }
}

#[test]
fn parts_scores_and_costs_are_those_of_pandas() {
    let expected: Value =
        serde_json::from_str(&fs::read_to_string(golden("expected.json")).expect("there"))
            .expect("JSON");
    let bench = bench();
    let output = bench.succeed(&["--source", &source()]);
    assert_contains(&stdout(&output), "No licence was found in the source");
    assert_contains(
        &stderr(&output),
        "expected the 80802 train and 67122 test answers of 18 LLMs",
    );
    let (info, train, test) = bench.read("xroutebench");
    // In the order of the file of LLMs, whatever the order of answers.
    assert_eq!(
        info.model_names(),
        ["qwen2.5-7b-instruct", "gpt-oss-120b", "deepseek-v3.1"]
    );
    assert_eq!(info.cost_kind, CostKind::OutputTokens);
    assert_eq!(
        info.findings["answers"],
        serde_json::json!({ "train": 90, "test": 36 })
    );
    check_part(&train, &expected["train"]);
    check_part(&test, &expected["test"]);
    let place = train
        .ids
        .iter()
        .position(|id| id == "train/7")
        .expect("there");
    assert_eq!(train.prompts[place], "train question 7: é?");
    assert_eq!(train.tasks[place], "mmlu");
}

#[test]
fn the_files_are_downloaded_from_the_hub() {
    let tree = FILES.map(|name| (name, fs::read(golden(name)).expect("there")));
    let hub = Hub::start().dataset(REPO, Tree::from(tree.clone()));
    let of_hub = bench().hub(&hub.url());
    of_hub.succeed(&[]);
    let (_, train, _) = of_hub.read("xroutebench");
    let of_folder = bench();
    of_folder.succeed(&["--source", &source()]);
    let (_, expected, _) = of_folder.read("xroutebench");
    assert_eq!(train, expected);
    check_gated(
        bench(),
        Hub::start().dataset(REPO, Tree::from(tree)),
        REPO,
        &[],
    );
}

#[test]
fn files_that_do_not_fit_are_refused() {
    let copy = |bench: &Bench| {
        for name in FILES {
            bench.write(format!("x/{name}"), fs::read(golden(name)).expect("there"));
        }
    };
    for (replaced, by, expected) in [
        (
            FILES[0],
            FILES[2],
            "llmrouter_generic/train.parquet` has no column `task_name`",
        ),
        (FILES[2], FILES[0], "has no column `input_price_per_1m`"),
    ] {
        let bench = bench();
        copy(&bench);
        bench.write(
            format!("x/{replaced}"),
            fs::read(golden(by)).expect("there"),
        );
        bench.refuse(&["--source", "x"], 1, expected);
    }
    let bench = bench();
    copy(&bench);
    fs::remove_file(bench.join(format!("x/{}", FILES[1]))).expect("removed");
    bench.refuse(&["--source", "x"], 1, "test.parquet");
}
