//! Networks whose outputs a test can tell beforehand.

use std::path::Path;

use test_support::{Weight, read_weights, write_tiny_classifier, write_weights};

use crate::bench::Tiny;

/// The LLMs of [`pair`], and their prices per million input and output tokens in `prices.toml`.
pub(crate) const LLMS: [&str; 3] = ["owner/dear", "cheap", "free"];
pub(crate) const LLM_PRICES: [(f64, f64); 3] = [(10.0, 20.0), (1.0, 2.0), (0.0, 2.0)];
/// Logits of scores: about .88, .5 and .27.
pub(crate) const LOGITS: [f32; 3] = [2.0, 0.0, -1.0];
/// Thousands of output tokens, of which the last are fewer than none.
pub(crate) const KILOTOKENS: [f32; 3] = [0.5, 0.02, -0.3];
/// The command line that names the pair of [`pair`].
pub(crate) const PAIR: [&str; 6] = [
    "--performance",
    "perf",
    "--cost",
    "cost",
    "--prices",
    "prices.toml",
];

pub(crate) const SCORES: &str = "multi_label_classification";
pub(crate) const TOKENS: &str = "regression";

/// Writes a network that gives these outputs for any prompt.
pub(crate) fn write(folder: &Path, labels: &[&str], problem_type: &str, outputs: &[f32]) {
    write_varying(folder, labels, problem_type, outputs, 0.0);
}

/// The same, and adds to them what depends on the prompt; it is about `spread` in size.
pub(crate) fn write_varying(
    folder: &Path,
    labels: &[&str],
    problem_type: &str,
    outputs: &[f32],
    spread: f32,
) {
    // Positions enough that none of the prompts is truncated.
    write_tiny_classifier(folder, 80, labels, problem_type);
    // A deviation of .02, summed over 16 activations.
    edit(folder, |weight| match &*weight.name {
        "classifier.out_proj.weight" => {
            for value in &mut weight.values {
                *value *= spread * 10.0;
            }
            true
        }
        "classifier.out_proj.bias" => {
            weight.values = outputs.to_vec();
            true
        }
        _ => true,
    });
}

/// Changes a network's weights, and removes those for which `edit` says `false`.
pub(crate) fn edit(folder: &Path, edit: impl Fn(&mut Weight) -> bool) {
    let path = folder.join("model.safetensors");
    let mut weights = read_weights(&path);
    weights.retain_mut(edit);
    write_weights(&path, &weights);
}

pub(crate) fn price(name: &str, (input, output): (f64, f64)) -> String {
    format!("[models.\"{name}\"]\ninput_usd_per_mtok = {input}\noutput_usd_per_mtok = {output}\n")
}

/// A working folder with the networks `perf` and `cost` for [`LLMS`], and their prices.
pub(crate) fn pair() -> Tiny {
    let bench = Tiny::empty();
    write(&bench.path().join("perf"), &LLMS, SCORES, &LOGITS);
    write(&bench.path().join("cost"), &LLMS, TOKENS, &KILOTOKENS);
    let prices = LLMS.iter().zip(LLM_PRICES);
    let prices: Vec<String> = prices
        .map(|(name, price)| self::price(name, price))
        .collect();
    bench.write("prices.toml", prices.concat());
    bench
}
