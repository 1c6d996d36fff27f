//! `arena`: RouterArena's files. `scripts/check_arena.py` has its own checker look at them.

use std::fs;

use dataset::{CostKind, KeptColumns, PartTable, sha256_file};
use ndarray::Array2;
use serde_json::{Value, json};
use test_support::assert_contains;

use crate::bench::{MODELS, PROMPTS, Tiny, cost_usd, scores, stderr};

/// A train prompt that is long enough to be looked for within templates.
const LONG: &str = "so so long that nobody would ask it of anyone by chance";

/// A router whose train part is at hand, with these prompts in place of its own.
fn tiny(prompts: [&str; 3]) -> Tiny {
    let table = PartTable {
        ids: ["a", "b", "c"].map(str::to_owned).to_vec(),
        tasks: vec![String::new(); 3],
        prompts: prompts.map(str::to_owned).to_vec(),
        models: MODELS.map(str::to_owned).to_vec(),
        scores: scores(),
        input_tokens: None,
        output_tokens: None,
        cost_usd: cost_usd(),
        propensities: None,
        kept: KeptColumns::default(),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let written = folder.path().join("train.parquet");
    table.write(&written).expect("written");
    let sha256 = sha256_file(&written).expect("hashed");
    let bench = Tiny::with(CostKind::Usd, |record| record.train_sha256 = sha256);
    bench.write("data/tiny/train.parquet", fs::read(&written).expect("read"));
    bench
}

fn args<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let args = [
        "arena",
        "--model",
        "models/tiny/carrot-knn",
        "--router-data",
        "router_data.json",
        "--mu",
        "0.25",
        "--name",
        "carrot",
        "--output",
        "RouterArena",
    ];
    [&args[..], more].concat()
}

fn entries(prompts: &[&str]) -> String {
    let entries = prompts.iter().enumerate();
    let entries: Vec<Value> = entries
        .map(
            |(i, prompt)| json!({ "prompt_formatted": prompt, "global index": format!("Set_{i}") }),
        )
        .collect();
    json!(entries).to_string()
}

fn read(bench: &Tiny, path: &str) -> Value {
    let path = bench.join("RouterArena/router_inference").join(path);
    serde_json::from_str(&fs::read_to_string(path).expect("written")).expect("JSON")
}

#[test]
fn its_three_files_are_written() {
    let bench = tiny(["one", "two", "three"]);
    bench.write("router_data.json", entries(&PROMPTS));
    bench.write("robustness.json", entries(&PROMPTS[..1]));
    bench.write("names.toml", "\"owner/dear\" = \"gpt-4o\"\n");
    bench.succeed(&args(&[
        "--robustness",
        "robustness.json",
        "--names",
        "names.toml",
    ]));
    assert_eq!(
        read(&bench, "config/carrot.json"),
        json!({ "pipeline_params": { "router_name": "carrot", "models": ["gpt-4o", "cheap", "twin"] } })
    );
    let found = read(&bench, "predictions/carrot.json");
    let routed = bench.decisions(&["--mu", "0.25"], &PROMPTS.join("\n"));
    assert_eq!(found.as_array().map(Vec::len), Some(3));
    for (i, decision) in routed.iter().enumerate() {
        let chosen = decision["selected"].as_str().expect("a name");
        let expected = if chosen == "owner/dear" {
            "gpt-4o"
        } else {
            chosen
        };
        assert_eq!(
            found[i],
            json!({
                "global index": format!("Set_{i}"), "prompt": PROMPTS[i], "prediction": expected, "generated_result": null, "cost": null,
                "accuracy": null,
            })
        );
    }
    assert_eq!(
        read(&bench, "predictions/carrot-robustness.json")[0],
        found[0]
    );
}

#[test]
fn entries_without_an_index_or_a_prompt_are_passed_over() {
    let bench = tiny(["one", "two", "three"]);
    let data = json!([{ "prompt": "so so", "global_index": "x" }, { "prompt": "so so", "global index": "" }, { "global index": "y" }]);
    bench.write("router_data.json", data.to_string());
    let output = bench.succeed(&args(&[]));
    assert_contains(&stderr(&output), "2 entries have no index or no prompt");
    assert_eq!(
        read(&bench, "predictions/carrot.json")
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_router_that_was_trained_on_its_prompts_is_refused() {
    for (train, asked) in [
        (["So  SO", "two", "three"], "so so".to_owned()),
        ([LONG, "two", "three"], format!("Answer: {LONG}\nA. yes")),
    ] {
        let bench = tiny(train);
        bench.write("router_data.json", entries(&["very long", &asked]));
        bench.refuse(
            &args(&[]),
            1,
            "was trained on 1 of the 2 prompts of `router_data.json`, the first in entry 2",
        );
        assert!(!bench.join("RouterArena").exists());
    }
    let bench = tiny(["one", "two", "three"]);
    bench.write("router_data.json", entries(&PROMPTS));
    fs::write(bench.join("data/tiny/train.parquet"), "another").expect("written");
    bench.refuse(&args(&[]), 1, "is not the train part that it was fitted on");
    fs::remove_file(bench.join("data/tiny/train.parquet")).expect("removed");
    bench.refuse(
        &args(&[]),
        1,
        "cannot tell whether the router was trained on these prompts",
    );
}

#[test]
fn names_that_fit_nobody_are_refused() {
    let bench = tiny(["one", "two", "three"]);
    bench.write("router_data.json", entries(&PROMPTS));
    for (names, expected) in [
        (
            "\"nobody\" = \"x\"",
            "`--names` has `nobody`, but the router has no such LLM",
        ),
        ("\"cheap\" = \"twin\"", "gives two LLMs one name"),
    ] {
        bench.write("names.toml", names);
        bench.refuse(&args(&["--names", "names.toml"]), 1, expected);
    }
    let too_much: Vec<&str> = (args(&[]).into_iter())
        .map(|word| if word == "0.25" { "2" } else { word })
        .collect();
    bench.refuse(&too_much, 2, "mu is 2");
    bench.write("router_data.json", "[]");
    bench.refuse(&args(&[]), 1, "router_data.json");
}
