//! The outputs that transformers computed for two small networks, and the decisions that follow from these by hand.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::{Value, json};
use tokenizers::Tokenizer;

use crate::bench::{Tiny, number};

/// float32 through two layers, summed in another order, in a utility of about 1; 2e-7 as a rule.
const PARITY: f64 = 1e-5;
/// LLMs of SPROUT for the networks' outputs, which have no names, and the built-in prices per million input and output tokens.
const LLMS: [(&str, (f64, f64)); 3] = [
    ("openai-gpt-4o", (2.5, 10.0)),
    ("openai-gpt-4o-mini", (0.15, 0.6)),
    ("aws-titan-text-premier-v1", (0.8, 3.2)),
];

/// The part of expected.json beside a network that is needed here; make.py beside it says how it was made.
#[derive(Deserialize)]
struct Expected {
    prompts: Vec<String>,
    /// Prompts were truncated to this many tokens, special ones included.
    max_length: usize,
    logits_single: Vec<Vec<f64>>,
}

fn golden(network: &str) -> PathBuf {
    let encoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../encoder");
    encoder.join("tests/golden/roberta").join(network)
}

fn expected(network: &str) -> Expected {
    let text = fs::read(golden(network).join("expected.json")).expect("read");
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn decisions_match_transformers() {
    let [performance, cost] = ["performance", "cost"].map(expected);
    let tokenizer = Tokenizer::from_file(golden("performance").join("tokenizer.json"));
    let tokenizer = tokenizer.expect("a tokenizer");
    let n_tokens = |prompt: &str| tokenizer.encode(prompt, false).expect("tokens").len();
    // The program refuses an empty prompt, and truncates later than the goldens do: at the 38 tokens that the networks can take.
    let rows: Vec<usize> = (0..performance.prompts.len())
        .filter(|&row| !performance.prompts[row].is_empty())
        .filter(|&row| n_tokens(&performance.prompts[row]) + 2 <= performance.max_length)
        .collect();
    assert!(rows.len() >= 4, "{rows:?}");
    let lines: Vec<String> = rows
        .iter()
        .map(|&row| json!({"prompt": performance.prompts[row]}).to_string())
        .collect();

    let bench = Tiny::empty();
    let folders = ["performance", "cost"].map(|name| golden(name).display().to_string());
    let order = LLMS.map(|(name, _)| name).join(",");
    let mut chosen: Vec<Value> = Vec::new();
    for mu in ["0", "0.02", "0.3", "1"] {
        let args = [
            "--performance",
            &folders[0],
            "--cost",
            &folders[1],
            "--label-order",
            &order,
            "--mu",
            mu,
        ];
        let decisions = bench.decisions(&args, &lines.join("\n"));
        assert_eq!(decisions.len(), rows.len());
        let mu: f64 = mu.parse().expect("a number");
        for (&row, decision) in rows.iter().zip(&decisions) {
            assert_eq!(decision["truncated"], json!(false), "{row}");
            let n_tokens = n_tokens(&performance.prompts[row]) as f64;
            let utility = |model: usize| {
                let score = 1.0 / (1.0 + (-performance.logits_single[row][model]).exp());
                let thousands = cost.logits_single[row][model].max(0.0);
                let (input, output) = LLMS[model].1;
                let usd = n_tokens * input / 1e6 + thousands * output / 1e3;
                (1.0 - mu) * score - mu * 100.0 * usd
            };
            let models = decision["models"].as_array().expect("a list");
            assert_eq!(models.len(), LLMS.len());
            let mut best = 0;
            for (idx, model) in models.iter().enumerate() {
                assert_eq!(number(model, "input_tokens"), n_tokens, "{row}");
                let found = number(model, "utility");
                let expected = utility(idx);
                assert!(
                    (found - expected).abs() < PARITY,
                    "{row} {idx}: {found} instead of {expected}"
                );
                if expected > utility(best) {
                    best = idx;
                }
            }
            assert_eq!(decision["selected"], LLMS[best].0, "{row} at {mu}");
            chosen.push(decision["selected"].clone());
        }
    }
    // Or the networks' outputs would not matter.
    chosen.sort_by_key(Value::to_string);
    chosen.dedup();
    assert!(chosen.len() > 1, "{chosen:?}");
}
