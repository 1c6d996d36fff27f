//! transformers' outputs turned into decisions by hand, where the fixtures lie beside the repository.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::bench::{Tiny, number};

/// float32 through two layers in another order of sums; 2e-7 as a rule.
const PARITY: f64 = 1e-5;
/// US dollars per million input and output tokens, of LLM 0, 1, ...
const PRICES: [(f64, f64); 13] = [
    (3.0, 15.0),
    (0.8, 3.2),
    (2.5, 10.0),
    (0.15, 0.6),
    (0.1, 0.1),
    (0.2, 0.2),
    (0.9, 0.9),
    (0.2, 0.2),
    (0.06, 0.06),
    (0.06, 0.06),
    (0.9, 0.9),
    (3.5, 3.5),
    (0.6, 0.6),
];
/// The LLMs of these prices, in the order of configs/sprout.toml.
const ORDER: &str = "aws-claude-3-5-sonnet-v1,aws-titan-text-premier-v1,openai-gpt-4o,openai-gpt-4o-mini,\
    wxai-granite-3-2b-instruct-8k-max-tokens,wxai-granite-3-8b-instruct-8k-max-tokens,wxai-llama-3-1-70b-instruct,\
    wxai-llama-3-1-8b-instruct,wxai-llama-3-2-1b-instruct,wxai-llama-3-2-3b-instruct,wxai-llama-3-3-70b-instruct,\
    wxai-llama-3-405b-instruct,wxai-mixtral-8x7b-instruct-v01";

#[derive(Deserialize)]
struct Expected {
    prompts: Vec<String>,
    max_length: usize,
    attention_mask: Vec<Vec<usize>>,
    logits_single: Vec<Vec<f64>>,
}

#[test]
fn decisions_follow_from_the_logits_of_transformers() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    let folders = ["perf", "cost"].map(|name| shared.join(format!("roberta-tiny-{name}")));
    if !folders[0].is_dir() {
        return;
    }
    let [performance, cost]: [Expected; 2] = folders.each_ref().map(|folder| {
        let text = fs::read(folder.join("expected.json")).expect("read");
        serde_json::from_slice(&text).expect("JSON")
    });
    let folders = folders
        .each_ref()
        .map(|folder| folder.to_str().expect("text"));
    let bench = Tiny::empty();
    // The program refuses an empty prompt.
    let rows: Vec<usize> = (0..performance.prompts.len())
        .filter(|&row| !performance.prompts[row].trim().is_empty())
        .collect();
    let lines: Vec<String> = rows
        .iter()
        .map(|&row| json!({"prompt": performance.prompts[row]}).to_string())
        .collect();
    let mut chosen: Vec<Value> = Vec::new();
    for mu in ["0", "0.02", "0.3", "1"] {
        let args = [
            "--performance",
            folders[0],
            "--cost",
            folders[1],
            "--label-order",
            ORDER,
            "--mu",
            mu,
        ];
        let decisions = bench.decisions(&args, &lines.join("\n"));
        let mu: f64 = mu.parse().expect("a number");
        let mut n_compared = 0;
        for (&row, decision) in rows.iter().zip(&decisions) {
            let n_tokens: usize = performance.attention_mask[row].iter().sum();
            // The logits are of prompts cut at 64 tokens; the program cuts where the network must, at 78.
            if n_tokens == performance.max_length {
                continue;
            }
            n_compared += 1;
            assert_eq!(decision["truncated"], json!(false));
            let utility = |model: usize| {
                let score = 1.0 / (1.0 + (-performance.logits_single[row][model]).exp());
                let thousands = cost.logits_single[row][model].max(0.0);
                let (input, output) = PRICES[model];
                let usd = (n_tokens - 2) as f64 * input / 1e6 + thousands * output / 1e3;
                (1.0 - mu) * score - mu * 100.0 * usd
            };
            let models = decision["models"].as_array().expect("a list");
            let mut best = 0;
            for (idx, model) in models.iter().enumerate() {
                assert_eq!(number(model, "input_tokens"), (n_tokens - 2) as f64);
                let found = number(model, "utility");
                assert!(
                    (found - utility(idx)).abs() < PARITY,
                    "{row} {idx}: {found}"
                );
                if utility(idx) > utility(best) {
                    best = idx;
                }
            }
            assert_eq!(decision["selected"], models[best]["name"], "{row} at {mu}");
            chosen.push(decision["selected"].clone());
        }
        assert!(n_compared >= 2, "{n_compared}");
    }
    chosen.sort_by_key(Value::to_string);
    chosen.dedup();
    assert!(chosen.len() > 1, "{chosen:?}");
}
