//! Networks whose outputs were computed by NumPy, and the decisions that follow from these by hand.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::bench::{Tiny, number};

/// float32 through two layers against float64, in a utility of about 1; 2e-7 as a rule.
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

/// tests/golden/pair/expected.json, which make.py beside it wrote.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    prompts: Vec<String>,
    n_tokens: Vec<usize>,
    is_truncated: Vec<bool>,
    score_logits: Vec<Vec<f64>>,
    thousands_of_tokens: Vec<Vec<f64>>,
}

impl Expected {
    /// The utility of an LLM for a prompt.
    fn utility(&self, prompt: usize, model: usize, mu: f64) -> f64 {
        let score = 1.0 / (1.0 + (-self.score_logits[prompt][model]).exp());
        let thousands = self.thousands_of_tokens[prompt][model].max(0.0);
        let (input, output) = PRICES[model];
        let usd = self.n_tokens[prompt] as f64 * input / 1e6 + thousands * output / 1e3;
        (1.0 - mu) * score - mu * 100.0 * usd
    }
}

#[test]
fn decisions_match_numpy_outputs() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pair");
    let text = fs::read(golden.join("expected.json")).expect("read");
    let expected: Expected = serde_json::from_slice(&text).expect("JSON");
    let folders = ["performance", "cost"].map(|name| golden.join(name));
    let folders = folders.each_ref().map(|it| it.to_str().expect("text"));
    let bench = Tiny::empty();
    let lines: Vec<String> = expected
        .prompts
        .iter()
        .map(|prompt| json!({"prompt": prompt}).to_string())
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
        assert_eq!(decisions.len(), expected.prompts.len());
        let mu: f64 = mu.parse().expect("a number");
        for (row, decision) in decisions.iter().enumerate() {
            assert_eq!(decision["truncated"], expected.is_truncated[row], "{row}");
            let models = decision["models"].as_array().expect("a list");
            assert_eq!(models.len(), PRICES.len());
            let mut best = 0;
            for (idx, model) in models.iter().enumerate() {
                let n_tokens = number(model, "input_tokens");
                assert_eq!(n_tokens, expected.n_tokens[row] as f64, "{row}");
                let (found, utility) = (number(model, "utility"), expected.utility(row, idx, mu));
                assert!((found - utility).abs() < PARITY, "{row} {idx}: {found}");
                if utility > expected.utility(row, best, mu) {
                    best = idx;
                }
            }
            assert_eq!(decision["selected"], models[best]["name"], "{row} at {mu}");
            chosen.push(decision["selected"].clone());
        }
    }
    // Otherwise the outputs would not matter.
    chosen.sort_by_key(Value::to_string);
    chosen.dedup();
    assert!(chosen.len() > 1, "{chosen:?}");
}
