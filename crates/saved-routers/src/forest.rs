use std::path::Path;

use routers::{Forest, ForestArrays, PairOutcome, Rorf};

use crate::{
    Error, Result,
    tensors::{self, Tensor, TensorFile},
};

pub(crate) fn write(path: &Path, forest: &Forest) -> Result<()> {
    let arrays = forest.to_arrays();
    tensors::write(
        path,
        &[
            Tensor::list("roots", &arrays.roots),
            Tensor::list("features", &arrays.features),
            Tensor::list("thresholds", &arrays.thresholds),
            Tensor::list("lefts", &arrays.lefts),
            Tensor::list("rights", &arrays.rights),
            Tensor::matrix("leaves", arrays.leaves.view()),
        ],
    )
}

/// Reads a forest over embeddings of so many dimensions.
///
/// # Errors
/// Those of a file, and [`Error::Router`] for arrays that make no forest of a pair.
pub(crate) fn read(path: &Path, dim: usize) -> Result<Rorf> {
    let file = TensorFile::open(path)?;
    let features: Vec<u32> = file.list("features", None)?;
    let n_nodes = Some(features.len());
    let n_classes = Some(PairOutcome::ALL.len());
    let arrays = ForestArrays {
        // A feature beyond 32 bits is none that a node can name.
        n_features: u32::try_from(dim).unwrap_or(u32::MAX),
        roots: file.list("roots", None)?,
        thresholds: file.list("thresholds", n_nodes)?,
        lefts: file.list("lefts", n_nodes)?,
        rights: file.list("rights", n_nodes)?,
        leaves: file.matrix("leaves", (None, n_classes))?,
        features,
    };
    Forest::from_arrays(arrays)
        .and_then(Rorf::from_forest)
        .map_err(Error::router(path))
}
