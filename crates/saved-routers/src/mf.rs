use std::{fs, path::Path};

use ndarray::{Array1, Array2, Axis};
use routers::{Mf, MfWeights};

use crate::{
    Error, Result,
    tensors::{self, Tensor, TensorFile},
};

const FILE: &str = "model.safetensors";
// RouteLLM's names and shapes: its embedding and its classifier are matrices, which have one row here.
const PROJECTION: &str = "text_proj.weight";
const MODEL: &str = "P.weight";
const CLASSIFIER: &str = "classifier.weight";
/// Only where logits have an intercept; PyTorch's name and shape.
const INTERCEPT: &str = "classifier.bias";

/// Writes `model.safetensors` into a folder, which is made if need be: `text_proj.weight` of shape `(dim, text_dim)`, `P.weight` and
/// `classifier.weight` of shape `(1, dim)`, and where there is an intercept `classifier.bias` of shape `(1)`.
pub(crate) fn write(folder: &Path, mf: &Mf) -> Result<()> {
    fs::create_dir_all(folder).map_err(dataset::Error::io("create the folder", folder))?;
    let weights = mf.weights();
    let intercept: Vec<f32> = weights.intercept().into_iter().collect();
    let mut tensors = vec![
        Tensor::matrix(PROJECTION, weights.projection()),
        Tensor::matrix(MODEL, weights.model().insert_axis(Axis(0))),
        Tensor::matrix(CLASSIFIER, weights.classifier().insert_axis(Axis(0))),
    ];
    if !intercept.is_empty() {
        tensors.push(Tensor::list(INTERCEPT, &intercept));
    }
    tensors::write_for_pytorch(&folder.join(FILE), &tensors)
}

/// Reads a matrix factorization over embeddings of so many dimensions.
///
/// # Errors
/// Those of a file, and [`Error::Router`] for weights that are not finite.
pub(crate) fn read(folder: &Path, text_dim: usize) -> Result<Mf> {
    let file = TensorFile::open(&folder.join(FILE))?;
    file.has_only(&[PROJECTION, MODEL, CLASSIFIER, INTERCEPT])?;
    let projection: Array2<f32> = file.matrix(PROJECTION, (None, Some(text_dim)))?;
    let row = |name| -> Result<Array1<f32>> {
        let row: Array2<f32> = file.matrix(name, (Some(1), Some(projection.nrows())))?;
        Ok(row.remove_axis(Axis(0)))
    };
    let (model, classifier) = (row(MODEL)?, row(CLASSIFIER)?);
    // Older files are without one, and so are those of the reference's form.
    let intercept = match file.list::<f32>(INTERCEPT, Some(1)) {
        Ok(values) => values.first().copied(),
        Err(Error::MissingTensor { .. }) => None,
        Err(error) => return Err(error),
    };
    MfWeights::new(projection, model, classifier)
        .and_then(|weights| weights.with_intercept(intercept))
        .map(Mf::from_weights)
        .map_err(Error::router(file.path()))
}
