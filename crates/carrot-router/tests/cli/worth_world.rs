//! Made-up tables for `worth`: 240 prompts on a circle, three LLMs, and what each is good at.

use std::fs;

use dataset::{
    DatasetInfo, Embeddings, EmbeddingsMeta, KeptColumns, Part, PartHashes, PartTable, Precision,
    sha256_file,
};
use ndarray::Array2;
use serde_json::Value;
use test_support::{dataset_info, stderr};

use crate::bench::Tiny;

const LLMS: [&str; 3] = ["cheap", "middle", "owner/dear"];
/// US dollars of an answer.
const USD: [f64; 3] = [0.001, 0.002, 0.003];
pub(crate) const N_PROMPTS: usize = 240;
/// Few resamples, as tests look at the answer and not at its last digit.
pub(crate) const QUICK: [&str; 6] = [
    "--dataset",
    "mine",
    "--embedding",
    "given",
    "--resamples",
    "999",
];

/// One prompt of a world.
#[derive(Clone, Copy)]
pub(crate) struct Prompt {
    /// Its embedding, a direction in the plane.
    pub(crate) angle: f64,
    /// For each LLM a number in [0, 1), by which its answer is drawn.
    pub(crate) luck: [f64; 3],
    /// When it was asked, from 0 to 1.
    pub(crate) time: f64,
}

/// A number in [0, 1) for a pair of numbers, the same on every machine: one step of the splitmix64 generator.
fn spread(i: usize, salt: usize) -> f64 {
    let mut z = (i as u64 * 64 + salt as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// A data set `mine` with embeddings `given`; `right` is the probability of a right answer of an LLM.
pub(crate) fn world(right: impl Fn(Prompt, usize) -> f64) -> Tiny {
    let bench = Tiny::empty();
    write(&bench, right, |_, cost| cost);
    bench
}

pub(crate) fn write(
    bench: &Tiny,
    right: impl Fn(Prompt, usize) -> f64,
    cost: impl Fn(usize, f64) -> f64,
) {
    write_rows(bench, N_PROMPTS, 1, right, cost);
}

/// So many rows, of which so many after another are copies of one prompt with one answer of each LLM.
pub(crate) fn write_rows(
    bench: &Tiny,
    n_rows: usize,
    n_copies: usize,
    right: impl Fn(Prompt, usize) -> f64,
    cost: impl Fn(usize, f64) -> f64,
) {
    let dir = bench.dataset("mine");
    fs::create_dir_all(dir.root()).expect("made");
    let n_train = n_rows * 4 / 5;
    for (part, rows) in Part::ALL.into_iter().zip([0..n_train, n_train..n_rows]) {
        let rows: Vec<usize> = rows.collect();
        let prompts: Vec<Prompt> = rows
            .iter()
            .map(|&i| Prompt {
                angle: std::f64::consts::TAU * spread(i / n_copies, 0),
                luck: [1, 2, 3].map(|salt| spread(i / n_copies, salt)),
                time: i as f64 / n_rows as f64,
            })
            .collect();
        let shape = (rows.len(), LLMS.len());
        let ids: Vec<String> = rows.iter().map(|i| format!("p{i}")).collect();
        let table = PartTable {
            tasks: rows.iter().map(|i| format!("task-{}", i % 2)).collect(),
            prompts: (rows.iter())
                .map(|i| format!("the prompt p{}", i / n_copies))
                .collect(),
            models: LLMS.map(str::to_owned).to_vec(),
            scores: Array2::from_shape_fn(shape, |(i, m)| {
                f32::from(u8::from(prompts[i].luck[m] < right(prompts[i], m)))
            }),
            input_tokens: None,
            output_tokens: None,
            cost_usd: Array2::from_shape_fn(shape, |(_, m)| cost(m, USD[m])),
            ids: ids.clone(),
            propensities: None,
            kept: kept(&rows),
        };
        table.write(&dir.split(part)).expect("written");
        let embeddings = Embeddings {
            ids,
            values: Array2::from_shape_fn((rows.len(), 2), |(i, axis)| {
                [prompts[i].angle.cos(), prompts[i].angle.sin()][axis] as f32
            }),
            meta: EmbeddingsMeta {
                embedder: "given".to_owned(),
                embedder_sha256: None,
                server: None,
                split_sha256: Some(sha256_file(&dir.split(part)).expect("hashed")),
                truncate: None,
                precision: Precision::F32,
                n_truncated: None,
            },
        };
        let path = dir.embeddings("given", part);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        embeddings.write(&path).expect("written");
    }
    let info = DatasetInfo {
        part_sha256: Some(PartHashes::of(&dir).expect("hashed")),
        ..dataset_info("mine", &LLMS, [n_train, n_rows - n_train])
    };
    info.write(&dir.info()).expect("written");
}

/// When a prompt was asked, and in which conversation of three.
fn kept(rows: &[usize]) -> KeptColumns {
    let mut kept = KeptColumns::default();
    let day = |i: &usize| format!("2026-{:02}-{:02}", 1 + i / 28, 1 + i % 28);
    for (name, values) in [
        ("day", rows.iter().map(day).collect()),
        (
            "conversation",
            rows.iter().map(|i| (i / 3).to_string()).collect(),
        ),
    ] {
        kept.insert(name, values).expect("a new name");
    }
    kept
}

/// Each LLM is good at a third of the circle.
pub(crate) fn specialists(prompt: Prompt, model_idx: usize) -> f64 {
    let third = (3.0 * prompt.angle / std::f64::consts::TAU) as usize;
    if third == model_idx { 0.95 } else { 0.15 }
}

/// What `worth` says with `--json`, with its exit code.
pub(crate) fn answer(bench: &Tiny, args: &[&str]) -> (Value, i32) {
    let output = bench.run(&[&["worth"], &QUICK[..], args, &["--json"]].concat());
    let code = output.status.code().expect("an exit code");
    assert!([0, 3, 4].contains(&code), "{code}: {}", stderr(&output));
    let value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    (value, code)
}

pub(crate) fn number(value: &Value, keys: &[&str]) -> f64 {
    let found = keys.iter().fold(value, |value, key| &value[*key]);
    found
        .as_f64()
        .unwrap_or_else(|| panic!("no number {keys:?} in {value}"))
}
