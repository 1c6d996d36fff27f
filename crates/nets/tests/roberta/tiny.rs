//! Models made from a tiny base, and what tests do with them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use encoder::{DeviceChoice, Padding, PredictParams, ProblemType};
use ndarray::Array2;
use nets::{
    BatchOrder, CheckedTrainParams, Decayed, Error, Precision, RobertaModel, TrainPadding,
    TrainParams, TrainReport, TrainSetup, WarmUp, fine_tune,
};
use tch::Tensor;
use tempfile::TempDir;
use test_support::{Weight, tiny_roberta_weights, write_tiny_roberta};

/// So a prompt has at most 38 tokens.
const N_POSITIONS: usize = 40;

pub(crate) const MASKED: PredictParams = PredictParams {
    max_tokens: 512,
    padding: Padding::Masked,
};

pub(crate) fn base_weights() -> Vec<(String, Tensor)> {
    let tensor = |weight: Weight| {
        let shape: Vec<i64> = weight.shape.iter().map(|&n| n as i64).collect();
        let tensor = Tensor::from_slice(&weight.values).view(&shape[..]);
        (weight.name, tensor)
    };
    tiny_roberta_weights(N_POSITIONS)
        .into_iter()
        .map(tensor)
        .collect()
}

pub(crate) fn base() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_tiny_roberta(folder.path(), N_POSITIONS);
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
