//! A RoBERTa of 2 layers and width 16 whose weights come from a formula, in the layout of `roberta-base`, and what tests do with models.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use ndarray::Array2;
use nets::{
    BatchOrder, CheckedTrainParams, Decayed, DeviceChoice, Error, Padding, Precision,
    PredictParams, ProblemType, RobertaModel, TrainPadding, TrainParams, TrainReport, TrainSetup,
    WarmUp, fine_tune,
};
use serde_json::json;
use tch::{Device, Kind, Tensor};
use tempfile::TempDir;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

const DIM: i64 = 16;
const WIDE: i64 = 32;
/// The table of positions: two rows are never a token's, so a prompt has at most 38 tokens.
const N_POSITIONS: i64 = 40;
/// `<s>`, `<pad>`, `</s>`, `<unk>`, `<mask>`, and one token for each byte.
const N_TOKENS: i64 = 5 + 256;

pub(crate) const MASKED: PredictParams = PredictParams {
    max_tokens: 512,
    padding: Padding::Masked,
};

/// Writes a base model as older folders have it: vocab.json and merges.txt, a head of a language model, no classifier.
pub(crate) fn write_base(folder: &Path) {
    let config = json!({
        "architectures": ["RobertaForMaskedLM"], "model_type": "roberta", "vocab_size": N_TOKENS, "hidden_size": DIM,
        "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": WIDE, "hidden_act": "gelu",
        "max_position_embeddings": N_POSITIONS, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
    });
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut tokens: Vec<String> = ["<s>", "<pad>", "</s>", "<unk>"]
        .map(str::to_owned)
        .to_vec();
    let mut alphabet: Vec<char> = ByteLevel::alphabet().into_iter().collect();
    alphabet.sort_unstable();
    tokens.extend(alphabet.iter().map(char::to_string));
    tokens.push("<mask>".to_owned());
    let vocabulary: HashMap<&String, usize> = tokens.iter().zip(0..).collect();
    fs::write(
        folder.join("vocab.json"),
        serde_json::to_string(&vocabulary).unwrap(),
    )
    .unwrap();
    fs::write(folder.join("merges.txt"), "#version: 0.2\n").unwrap();
    Tensor::write_safetensors(&base_weights(), folder.join("model.safetensors")).unwrap();
}

pub(crate) fn base_weights() -> Vec<(String, Tensor)> {
    let mut weights = Vec::new();
    let mut add = |name: String, shape: &[i64]| {
        let n_before = weights.len() as f64;
        let n_values = shape.iter().product::<i64>();
        // The usual hash of shaders: digits of a sine far behind the point, in (-1, 1).
        let values = Tensor::arange(n_values, (Kind::Double, Device::Cpu));
        let values = ((values * 12.9898 + 78.233 * n_before).sin() * 43_758.545_3).frac();
        let values = values.to_kind(Kind::Float) * 0.3;
        let values = match name.ends_with("LayerNorm.weight") {
            true => values + 1.,
            false => values,
        };
        weights.push((name, values.view(shape)));
    };
    for (table, n_rows) in [
        ("word", N_TOKENS),
        ("position", N_POSITIONS),
        ("token_type", 1),
    ] {
        add(
            format!("roberta.embeddings.{table}_embeddings.weight"),
            &[n_rows, DIM],
        );
    }
    let norm = |name: &str, add: &mut dyn FnMut(String, &[i64])| {
        add(format!("{name}.LayerNorm.weight"), &[DIM]);
        add(format!("{name}.LayerNorm.bias"), &[DIM]);
    };
    norm("roberta.embeddings", &mut add);
    for layer in ["roberta.encoder.layer.0", "roberta.encoder.layer.1"] {
        for (name, in_dim, out_dim) in [
            ("attention.self.query", DIM, DIM),
            ("attention.self.key", DIM, DIM),
            ("attention.self.value", DIM, DIM),
            ("attention.output.dense", DIM, DIM),
            ("intermediate.dense", DIM, WIDE),
            ("output.dense", WIDE, DIM),
        ] {
            add(format!("{layer}.{name}.weight"), &[out_dim, in_dim]);
            add(format!("{layer}.{name}.bias"), &[out_dim]);
        }
        norm(&format!("{layer}.attention.output"), &mut add);
        norm(&format!("{layer}.output"), &mut add);
    }
    add("lm_head.dense.weight".to_owned(), &[DIM, DIM]);
    add("lm_head.bias".to_owned(), &[N_TOKENS]);
    weights
}

pub(crate) fn base() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_base(folder.path());
    folder
}

pub(crate) fn labels(n_labels: usize) -> Vec<String> {
    (0..n_labels).map(|label| format!("llm {label}")).collect()
}

/// The tiny encoder under a new head.
pub(crate) fn model(n_labels: usize, problem_type: ProblemType) -> RobertaModel {
    let (folder, labels) = (base(), labels(n_labels));
    RobertaModel::from_base(folder.path(), &labels, problem_type, 7, DeviceChoice::Cpu).unwrap()
}

/// A folder with a classifier of 3 labels.
pub(crate) fn classifier() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let model = model(3, ProblemType::MultiLabelClassification);
    model.save(folder.path(), "# A card\n").unwrap();
    folder
}

pub(crate) fn load(folder: &Path) -> Result<RobertaModel, Error> {
    RobertaModel::from_folder(folder, DeviceChoice::Cpu)
}

pub(crate) fn predict(model: &RobertaModel, prompts: &[String]) -> Array2<f32> {
    model.predict(prompts, &MASKED, &|_| ()).unwrap().values
}

pub(crate) fn max_difference(a: &Array2<f32>, b: &Array2<f32>) -> f32 {
    assert_eq!(a.dim(), b.dim());
    // f32::max would skip a NaN, and every difference from one is a failure.
    (a - b)
        .iter()
        .fold(0., |max, x| match x.abs() > max || x.is_nan() {
            true => x.abs(),
            false => max,
        })
}

/// Prompts of many lengths.
pub(crate) fn prompts(n: usize) -> Vec<String> {
    (0..n)
        .map(|i| ["ab ", "1+1=", "é", "Why? "][i % 4].repeat(1 + i * 7 % 9))
        .collect()
}

pub(crate) fn params() -> TrainParams {
    TrainParams {
        seed: 42,
        learning_rate: 5e-3,
        warm_up: WarmUp::Ratio(0.1),
        weight_decay: 0.01,
        decayed: Decayed::All,
        betas: [0.9, 0.999],
        epsilon: 1e-8,
        max_gradient_norm: 1.,
        batch_size: 4,
        gradient_accumulation: 1,
        n_epochs: 3,
        batch_order: BatchOrder::Shuffled,
        max_tokens: 32,
        padding: TrainPadding::Masked,
        validation_share: 0.25,
        validate_every_steps: None,
        patience: None,
        max_non_finite_in_a_row: 3,
        log_every_steps: 1,
        checkpoint_every_steps: 1_000,
        gpu_precision: Precision::Float32,
        gpu_peak_tflops: None,
    }
}

pub(crate) fn checked(params: &TrainParams) -> CheckedTrainParams {
    params.clone().check().unwrap()
}

pub(crate) fn setup(folder: Option<&PathBuf>) -> TrainSetup<'_> {
    TrainSetup {
        validation_rows: None,
        folder: folder.map(PathBuf::as_path),
        on_progress: &|_| (),
    }
}

/// Scores that a prompt's first letter decides.
pub(crate) fn scores(prompts: &[String], n_labels: usize) -> Array2<f32> {
    Array2::from_shape_fn((prompts.len(), n_labels), |(row, label)| {
        let is_right = prompts[row].starts_with(['a', 'W']) == (label % 2 == 0);
        if is_right { 1. } else { 0.25 }
    })
}

/// Trains a fresh model; gives the report and the weights' file.
pub(crate) fn train(
    params: &TrainParams,
    setup: &TrainSetup<'_>,
) -> Result<(TrainReport, Vec<u8>), Error> {
    let mut model = model(3, ProblemType::MultiLabelClassification);
    let prompts = prompts(40);
    let targets = scores(&prompts, 3);
    let report = fine_tune(
        &mut model,
        &prompts,
        targets.view(),
        &checked(params),
        setup,
    )?;
    let folder = tempfile::tempdir().unwrap();
    model.save(folder.path(), "").unwrap();
    let weights = fs::read(folder.path().join("model.safetensors")).unwrap();
    Ok((report, weights))
}
