//! The two golden classifiers, one for scores and one for costs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use encoder::{Classifier, Padding, PredictParams, Predicted, RobertaClassifier};
use ndarray::Array2;
use serde::Deserialize;
use tempfile::TempDir;

use crate::common::golden;

#[derive(Deserialize)]
pub(crate) struct Expected {
    pub(crate) prompts: Vec<String>,
    pub(crate) max_length: usize,
    pub(crate) logits_with_mask: Vec<Vec<f32>>,
    pub(crate) logits_single: Vec<Vec<f32>>,
    pub(crate) logits_without_mask: Vec<Vec<f32>>,
}

pub(crate) fn models() -> [PathBuf; 2] {
    ["performance", "cost"].map(|name| golden("roberta").join(name))
}

pub(crate) fn expected(folder: &Path) -> Expected {
    serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap()
}

pub(crate) fn load(folder: &Path) -> encoder::Result<RobertaClassifier> {
    RobertaClassifier::from_folder(folder)
}

pub(crate) fn matrix(rows: &[Vec<f32>]) -> Array2<f32> {
    let values = rows.concat();
    Array2::from_shape_vec((rows.len(), rows[0].len()), values).unwrap()
}

pub(crate) fn predict(
    model: &RobertaClassifier,
    prompts: &[String],
    max_tokens: usize,
    padding: Padding,
) -> Predicted {
    let params = PredictParams {
        max_tokens,
        padding,
    };
    model.predict(prompts, &params, &|_| ()).unwrap()
}

/// A copy with some of the classifier's files, to be changed.
pub(crate) fn copy(files: &[&str]) -> TempDir {
    let (from, to) = (golden("roberta/performance"), tempfile::tempdir().unwrap());
    for file in files {
        fs::copy(from.join(file), to.path().join(file)).unwrap();
    }
    to
}
