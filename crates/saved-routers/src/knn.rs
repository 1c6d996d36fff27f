use std::path::Path;

use half::f16;
use ndarray::{Array2, Axis, concatenate, s};
use routers::{Knn, KnnParams, Target, UnitRows};

use crate::{
    Contents, CostScale, Embedder, Error, KnnTarget, Quantity, Record, Result, VectorFormat,
    tensors::{self, Tensor, TensorFile},
};

/// What a fitted k-nearest-neighbors regression is made of.
#[derive(Debug, Clone, Copy)]
pub struct KnnParts<'a> {
    /// The train prompts' vectors.
    pub vectors: &'a UnitRows,
    /// The matrices that are averaged over, each of shape `(n_prompts, n_models)`, in the order of the record's targets.
    pub targets: &'a [Target],
    /// How vectors are stored.
    pub format: VectorFormat,
}

/// k-nearest-neighbors regression that was read from a folder.
#[derive(Debug, Clone)]
pub struct SavedKnn {
    dim: usize,
    /// Each with the targets that share its k.
    searches: Vec<(Knn, Vec<Quantity>)>,
    scale: Option<CostScale>,
}

/// Predictions for some prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedKnnPredictions {
    /// Expected scores, of shape `(n_prompts, n_models)`.
    pub scores: Array2<f32>,
    /// What costs are made of.
    pub cost: PredictedCost,
}

/// What was predicted about costs; matrices have shape `(n_prompts, n_models)`.
#[derive(Debug, Clone, PartialEq)]
pub enum PredictedCost {
    /// Expected output tokens; an LLM's prices make dollars of them.
    OutputTokens(Array2<f32>),
    /// Expected dollars.
    Usd(Array2<f64>),
    /// Nothing: input tokens and prices tell.
    Known,
}

const VECTORS: &str = "vectors";
const TARGETS: &str = "targets";

pub(crate) fn write(path: &Path, parts: &KnnParts<'_>) -> Result<()> {
    let vectors = parts.vectors.view();
    let vectors = match parts.format {
        VectorFormat::F32 => Tensor::matrix(VECTORS, vectors),
        VectorFormat::F16 => Tensor::matrix(VECTORS, vectors.mapv(f16::from_f32).view()),
    };
    let values: Vec<_> = parts.targets.iter().map(|it| it.values.view()).collect();
    let values = concatenate(Axis(1), &values).map_err(|_| {
        Error::router(path)(routers::Error::Shape {
            what: "target",
            expected: parts
                .targets
                .first()
                .map_or((0, 0), |first| first.values.dim()),
            found: parts
                .targets
                .last()
                .map_or((0, 0), |last| last.values.dim()),
        })
    })?;
    tensors::write(path, &[vectors, Tensor::matrix(TARGETS, values.view())])
}

/// Reads vectors and targets, and puts them together as they were after the fit.
///
/// Vectors are copied out of the mapped file once for each k that differs. A vector that a fit made a unit one stays as it is to the last
/// bit when it is made one again: its length is off 1 by less than 2^-25, half of what the last bit can tell (only vectors of two or three
/// dimensions come near).
pub(crate) fn read(
    path: &Path,
    record: &Record,
    embedder: &Embedder,
    scale: Option<CostScale>,
) -> Result<SavedKnn> {
    let Contents::Knn {
        vectors,
        backend,
        targets,
    } = &record.contents
    else {
        unreachable!("the caller looked at the contents");
    };
    let file = TensorFile::open(path)?;
    let shape = (None, Some(embedder.dim));
    let rows: Array2<f32> = match vectors {
        VectorFormat::F32 => file.matrix(VECTORS, shape)?,
        VectorFormat::F16 => file.matrix::<f16>(VECTORS, shape)?.mapv(f16::to_f32),
    };
    let (n_rows, n_models) = (rows.nrows(), record.models.len());
    let shape = (Some(n_rows), Some(n_models * targets.len()));
    let values: Array2<f32> = file.matrix(TARGETS, shape)?;
    if let Some(target) = targets.iter().find(|target| target.n_neighbors > n_rows) {
        return Err(Error::BadRecord {
            path: path.with_file_name(crate::record::RECORD),
            key: "n-neighbors",
            found: target.n_neighbors.to_string(),
            expected: format!("at most the {n_rows} rows of `{}`", path.display()),
        });
    }
    let mut ks: Vec<usize> = targets.iter().map(|target| target.n_neighbors).collect();
    ks.sort_unstable();
    ks.dedup();
    let mut searches = Vec::new();
    for k in ks {
        let of_k = targets
            .iter()
            .enumerate()
            .filter(|(_, target)| target.n_neighbors == k);
        let (mut columns, mut quantities) = (Vec::new(), Vec::new());
        for (i, &KnnTarget { quantity, .. }) in of_k {
            columns.push(Target {
                name: format!("{quantity:?}"),
                values: values
                    .slice(s![.., i * n_models..(i + 1) * n_models])
                    .to_owned(),
            });
            quantities.push(quantity);
        }
        let params = KnnParams {
            n_neighbors: vec![k],
            // Too many for the rows, so that there is nothing to choose and no cross-validation.
            n_folds: n_rows / 2 + 2,
            backend: *backend,
        };
        let knn = params
            .check()
            .and_then(|params| params.fit(rows.clone(), columns, &|_| ()))
            .map_err(Error::router(file.path()))?;
        searches.push((knn, quantities));
    }
    Ok(SavedKnn {
        dim: embedder.dim,
        searches,
        scale,
    })
}

impl SavedKnn {
    /// Number of rows that can be neighbors.
    pub fn n_rows(&self) -> usize {
        self.searches.first().map_or(0, |(knn, _)| knn.n_rows())
    }

    /// Predicts for embeddings of shape `(n_prompts, dim)`. A prediction does not depend on the other prompts. `on_progress` counts prompts.
    ///
    /// # Errors
    /// [`Error::Dimension`] for embeddings of another length; [`Error::Predict`] for such as are not finite.
    pub fn predict(
        &self,
        embeddings: &Array2<f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<SavedKnnPredictions> {
        if embeddings.ncols() != self.dim {
            return Err(Error::Dimension {
                expected: self.dim,
                found: embeddings.ncols(),
            });
        }
        let mut scores = None;
        let mut cost = PredictedCost::Known;
        for (i, (knn, quantities)) in self.searches.iter().enumerate() {
            let count = |n| {
                if i == 0 {
                    on_progress(n);
                }
            };
            let predicted = knn
                .predict(embeddings.clone(), &count)
                .map_err(|source| Error::Predict { source })?;
            for (values, quantity) in predicted.into_iter().zip(quantities) {
                match (quantity, &self.scale) {
                    (Quantity::Score, _) => scores = Some(values),
                    (Quantity::StandardizedUsd, Some(scale)) => {
                        cost = PredictedCost::Usd(scale.restore(&values));
                    }
                    _ => cost = PredictedCost::OutputTokens(values),
                }
            }
        }
        Ok(SavedKnnPredictions {
            scores: scores.expect("a record without a score is refused"),
            cost,
        })
    }
}
