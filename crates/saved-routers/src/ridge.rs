//! The weights of one target's ridge regression, which linear and kernel learners store alike.

use ndarray::Array1;
use routers::RidgeWeights;

use crate::{
    Error, Result,
    tensors::{Tensor, TensorFile},
};

const COEFFICIENTS: &str = "coefficients";
const INTERCEPTS: &str = "intercepts";

/// `coefficients` of shape `(n_features, n_models)` and `intercepts`, one per LLM, in float64 as they were solved for: a kernel's coefficients
/// are large numbers that cancel, of which float32 would keep too little, and all of them take a tenth of a megabyte.
pub(crate) fn tensors<'a>(
    weights: &'a RidgeWeights,
    name: &dyn Fn(&str) -> String,
) -> [Tensor<'a>; 2] {
    [
        Tensor::matrix(name(COEFFICIENTS), weights.coefficients().view()),
        Tensor::vector(name(INTERCEPTS), weights.intercepts().view()),
    ]
}

/// Reads weights on so many features, or on any number of them.
///
/// # Errors
/// Those of a file, and [`Error::Router`] for numbers that no solution has.
pub(crate) fn read(
    file: &TensorFile,
    name: &dyn Fn(&str) -> String,
    n_features: Option<usize>,
    n_models: usize,
) -> Result<RidgeWeights> {
    let coefficients = file.matrix(&name(COEFFICIENTS), (n_features, Some(n_models)))?;
    let intercepts = file.list(&name(INTERCEPTS), Some(n_models))?;
    RidgeWeights::new(coefficients, Array1::from(intercepts)).map_err(Error::router(file.path()))
}

/// The names of its tensors.
pub(crate) fn names(name: &dyn Fn(&str) -> String) -> [String; 2] {
    [name(COEFFICIENTS), name(INTERCEPTS)]
}
