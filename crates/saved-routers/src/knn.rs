use std::path::Path;

use half::{f16, vec::HalfFloatVecExt as _};
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use routers::{Backend, HalfRows, InMemory, Knn, NeighborRows, Target, UnitRows};

use crate::{
    EmbeddingFormat, Error, KnnTarget, PerModelOutputs, Result, SavedLearner,
    learner::Outputs,
    model_outputs::check_dim,
    tensors::{Tensor, TensorFile},
};

/// What a fitted k-nearest-neighbors regression is made of.
#[derive(Debug, Clone, Copy)]
pub struct KnnParts<'a> {
    /// The train prompts' embeddings, as the fit keeps them.
    pub embeddings: &'a NeighborRows,
    /// The matrices that are averaged over, each of shape `(n_prompts, n_models)`, in the order of the record's targets.
    pub targets: &'a [Target],
    /// How embeddings are stored.
    pub format: EmbeddingFormat,
}

/// k-nearest-neighbors regression that was opened in a folder; see [`crate::SavedRouter::open`] for where its embeddings are.
pub type SavedKnn = SavedLearner<Knn>;

const VECTORS: &str = "vectors";
const TARGETS: &str = "targets";

/// `vectors` of shape `(n_prompts, dim)`, and `targets` of all targets side by side, shape `(n_prompts, n_targets * n_models)`; within a blend
/// under `knn/`.
pub(crate) fn tensors<'a>(
    parts: &KnnParts<'a>,
    path: &Path,
    prefix: &str,
) -> Result<[Tensor<'a>; 2]> {
    let name = |name: &str| format!("{prefix}{name}");
    let vectors = match (parts.format, parts.embeddings) {
        (EmbeddingFormat::F32, NeighborRows::F32(rows)) => {
            Tensor::matrix(name(VECTORS), rows.view())
        }
        (EmbeddingFormat::F32, NeighborRows::F16(rows)) => {
            Tensor::of_matrix(name(VECTORS), rows.to_unit_rows().view().to_owned())
        }
        (EmbeddingFormat::F16, NeighborRows::F32(rows)) => {
            let vectors = rows.view();
            let values = vectors.to_slice().expect("unit rows lie row after row");
            let halves = Array2::from_shape_vec(vectors.dim(), Vec::<f16>::from_f32_slice(values));
            Tensor::of_matrix(name(VECTORS), halves.expect("there are as many"))
        }
        (EmbeddingFormat::F16, NeighborRows::F16(rows)) => {
            Tensor::matrix(name(VECTORS), rows.view())
        }
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
    Ok([vectors, Tensor::of_matrix(name(TARGETS), values)])
}

/// The names of its tensors.
pub(crate) fn names(prefix: &str) -> [String; 2] {
    [VECTORS, TARGETS].map(|name| format!("{prefix}{name}"))
}

/// What the record says of neighbors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KnnContents<'a> {
    pub(crate) embeddings: EmbeddingFormat,
    pub(crate) backend: Backend,
    pub(crate) targets: &'a [KnnTarget],
}

/// Puts embeddings and targets together as they were after the fit.
///
/// Embeddings stay in the file, in float32 or float16; those of float16 are brought back to length 1 in each search.
pub(crate) fn read(
    file: &TensorFile,
    contents: KnnContents<'_>,
    outputs: Outputs,
    prefix: &str,
) -> Result<Knn> {
    let KnnContents {
        embeddings,
        backend,
        targets,
    } = contents;
    let Outputs { dim, n_models } = outputs;
    let path = file.path();
    let [vectors, values] = names(prefix);
    let shape = (None, Some(dim));
    let rows = match embeddings {
        EmbeddingFormat::F32 => {
            let (values, shape) = file.mapped_matrix(&vectors, shape)?;
            UnitRows::from_unit(values, shape).map(NeighborRows::from)
        }
        EmbeddingFormat::F16 => {
            let (values, shape) = file.mapped_matrix(&vectors, shape)?;
            HalfRows::new(values, shape).map(NeighborRows::from)
        }
    }
    .map_err(Error::router(path))?;
    let n_rows = rows.n_rows();
    let shape = (Some(n_rows), Some(n_models * targets.len()));
    let values: Array2<f32> = file.matrix(&values, shape)?;
    let ks: Vec<usize> = targets.iter().map(|target| target.n_neighbors).collect();
    let prior_values: Vec<Option<f64>> = targets.iter().map(|it| it.prior_values).collect();
    // Rows and k are in two files, which can be of two fits when someone copies one of them.
    if let Some(k) = ks.iter().find(|k| **k > n_rows) {
        return Err(Error::BadRecord {
            path: path.with_file_name(crate::record::RECORD),
            key: "n-neighbors",
            found: k.to_string(),
            expected: format!("at most the {n_rows} rows of `{}`", path.display()),
        });
    }
    let columns = (0..).step_by(n_models).zip(targets);
    let targets: Vec<Target> = columns
        .map(|(first, target)| Target {
            name: format!("{:?}", target.quantity),
            values: values.slice(s![.., first..first + n_models]).to_owned(),
        })
        .collect();
    Knn::from_parts(rows, &targets, &ks, backend)
        .and_then(|knn| knn.counting_known(&prior_values))
        .map_err(Error::router(path))
}

impl SavedKnn {
    /// Predicts as any learner does, and says for each prompt how many parts of an index could not be searched; nothing where none was missing.
    ///
    /// # Errors
    /// As [`SavedLearner::predict`].
    pub fn predict_noting(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(PerModelOutputs, Vec<u32>)> {
        check_dim(embeddings, self.learner().neighbors().dim())?;
        let predicted = self.learner().predict_noting(embeddings, on_progress);
        let (predicted, n_missing) = predicted.map_err(|source| Error::Predict { source })?;
        Ok((self.outputs(predicted), n_missing))
    }

    /// Number of rows that can be neighbors.
    pub fn n_rows(&self) -> usize {
        self.learner().neighbors().n_rows()
    }

    /// The rows and what neighbors are averaged over; `None` where they are elsewhere.
    pub(crate) fn in_memory(&self) -> Option<&InMemory> {
        self.learner().in_memory()
    }
}
