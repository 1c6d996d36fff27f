//! Counts, split and scores against LLMRouterBench's own code.

use std::{collections::BTreeSet, fs, process::Command};

use dataset::{DatasetInfo, PartTable};
use serde_json::Value;
use test_support::{assert_contains, stdout};

use crate::{MODELS, SETTING, archive, bench, golden};

/// Costs are sums of up to 60 decimal fractions.
const ROUNDING: f64 = 1e-9;

fn expected() -> Value {
    serde_json::from_str(&fs::read_to_string(golden("expected.json")).expect("there"))
        .expect("JSON")
}

fn run(seed: &str, source: &str) -> (DatasetInfo, PartTable, PartTable) {
    let bench = bench();
    let [setting, name] = SETTING;
    bench.succeed(&[setting, name, "--source", source, "--split-seed", seed]);
    bench.read("llmrouterbench-cost")
}

#[test]
fn the_split_of_each_published_seed_is_its_own() {
    let expected = expected();
    for seed in ["42", "999", "2024", "2025", "3407"] {
        let (_, train, test) = run(seed, &archive());
        let found: BTreeSet<(String, String)> = train
            .ids
            .iter()
            .cloned()
            .zip(train.prompts.iter().cloned())
            .collect();
        let wanted: BTreeSet<(String, String)> = expected["train"][seed]
            .as_array()
            .expect("rows")
            .iter()
            .map(|row| {
                let [data_set, split, index, prompt] = [0, 1, 2, 3].map(|i| &row[i]);
                let text = |value: &Value| value.as_str().expect("text").to_owned();
                let id = format!("{}/{}/{index}", text(data_set), text(split));
                // One LLM was asked this index in other words, which are a row of their own.
                (id, text(prompt))
            })
            .collect();
        let without_number = |(id, prompt): (String, String)| {
            (id.split('#').next().unwrap_or_default().to_owned(), prompt)
        };
        let found: BTreeSet<_> = found.into_iter().map(without_number).collect();
        assert_eq!(found, wanted, "{seed}");
        // No text is in both parts.
        let texts: BTreeSet<&String> = train.prompts.iter().collect();
        assert!(test.prompts.iter().all(|prompt| !texts.contains(prompt)));
    }
}

#[test]
fn counts_scores_and_costs_are_its_own() {
    let expected = expected();
    let (info, train, test) = run("42", &archive());
    let whole = train.concat(&test).expect("one data set");
    // In the order of the settings, without those that have no result.
    assert_eq!(info.model_names(), MODELS);
    let n_known = whole.scores.iter().filter(|score| !score.is_nan()).count();
    assert_eq!(Some(n_known as u64), expected["n_records"].as_u64());
    assert_eq!(info.findings["records"]["used"], expected["n_records"]);
    assert_eq!(info.findings["records"]["replaced-results"], 1);
    for (key, accuracy) in expected["accuracy"].as_object().expect("accuracies") {
        let [data_set, _, model] = key.split('/').collect::<Vec<_>>()[..] else {
            panic!("{key}")
        };
        let m = MODELS
            .iter()
            .position(|name| *name == model)
            .expect("one of them");
        let rows = (0..whole.n_prompts()).filter(|&i| whole.tasks[i] == data_set);
        let known: Vec<usize> = rows.filter(|&i| !whole.scores[[i, m]].is_nan()).collect();
        let sum: f64 = known.iter().map(|&i| f64::from(whole.scores[[i, m]])).sum();
        assert_eq!(Some(sum / known.len() as f64), accuracy.as_f64(), "{key}");
        let cost: f64 = known.iter().map(|&i| whole.cost_usd[[i, m]]).sum();
        let wanted = expected["cost"][key].as_f64().expect("a cost");
        assert!(
            (cost - wanted).abs() < ROUNDING,
            "{key}: {cost}, expected {wanted}"
        );
    }
}

#[test]
fn notes_say_what_was_done_and_licences_are_printed() {
    let bench = bench();
    let source = archive();
    let output = bench.succeed(&["--setting", "performance-cost", "--source", &source]);
    assert_contains(
        &stdout(&output),
        "Licences found in the source: mit (results/README.md)",
    );
    let (info, ..) = bench.read("llmrouterbench-cost");
    let notes = info.notes.join("\n");
    for expected in [
        "1 results were replaced by later ones",
        "1 scores are null and count 0",
        "3 rows have the index of another row and another text",
        "`claude-sonnet-4` is left out",
    ] {
        assert_contains(&notes, expected);
    }
}

#[test]
fn a_folder_gives_the_same_rows_as_the_archive() {
    let bench = bench();
    let status = Command::new("tar")
        .arg("xzf")
        .arg(golden("bench-release.tar.gz"))
        .arg("-C")
        .arg(bench.path())
        .status()
        .expect("tar starts");
    assert!(status.success());
    let (_, train, test) = run("999", &archive());
    bench.succeed(&[
        "--setting",
        "performance-cost",
        "--source",
        "results",
        "--split-seed",
        "999",
    ]);
    let (_, of_folder, test_of_folder) = bench.read("llmrouterbench-cost");
    assert_eq!(
        (&train.ids, &test.ids),
        (&of_folder.ids, &test_of_folder.ids)
    );
    assert_eq!(train.cost_usd, of_folder.cost_usd);
}
