//! Networks whose outputs a test can tell beforehand.

use std::path::Path;

use nets::{DeviceChoice, ProblemType, RobertaModel};
use tch::Tensor;
use test_support::write_tiny_roberta;

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

pub(crate) const SCORES: ProblemType = ProblemType::MultiLabelClassification;
pub(crate) const TOKENS: ProblemType = ProblemType::Regression;

/// Writes a network that gives these outputs for any prompt.
pub(crate) fn write(folder: &Path, labels: &[&str], problem_type: ProblemType, outputs: &[f32]) {
    write_varying(folder, labels, problem_type, outputs, 0.0);
}

/// The same, and adds to them what depends on the prompt; it is about `spread` in size.
pub(crate) fn write_varying(
    folder: &Path,
    labels: &[&str],
    problem_type: ProblemType,
    outputs: &[f32],
    spread: f64,
) {
    let base = tempfile::tempdir().expect("a temporary folder");
    let n_positions = 80;
    write_tiny_roberta(base.path(), n_positions);
    let labels: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
    let model = RobertaModel::from_base(base.path(), &labels, problem_type, 7, DeviceChoice::Cpu);
    model.expect("a base").save(folder, "").expect("saved");
    // Drawn with a deviation of .02, and summed over 16 activations.
    edit(folder, |name, tensor| match name {
        "classifier.out_proj.weight" => Some(tensor * (spread * 10.0)),
        "classifier.out_proj.bias" => Some(Tensor::from_slice(outputs)),
        _ => Some(tensor),
    });
}

/// Changes or removes a network's tensors.
pub(crate) fn edit(folder: &Path, edit: impl Fn(&str, Tensor) -> Option<Tensor>) {
    let path = folder.join("model.safetensors");
    let tensors = Tensor::read_safetensors(&path).expect("tensors");
    let tensors = tensors.into_iter();
    let tensors: Vec<(String, Tensor)> = tensors
        .filter_map(|(name, tensor)| Some((name.clone(), edit(&name, tensor)?)))
        .collect();
    Tensor::write_safetensors(&tensors, &path).expect("written");
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
