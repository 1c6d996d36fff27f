use std::path::Path;

use half::{f16, slice::HalfFloatSliceExt as _, vec::HalfFloatVecExt as _};
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};
use routers::{Backend, Knn, Target, UnitRows};

use crate::{
    EmbeddingFormat, Error, KnnTarget, Result, SavedLearner,
    learner::Outputs,
    tensors::{Tensor, TensorFile},
};

/// What a fitted k-nearest-neighbors regression is made of.
#[derive(Debug, Clone, Copy)]
pub struct KnnParts<'a> {
    /// The train prompts' embeddings, as the fit keeps them.
    pub embeddings: &'a UnitRows,
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
    let vectors = parts.embeddings.view();
    let name = |name: &str| format!("{prefix}{name}");
    let vectors = match parts.format {
        EmbeddingFormat::F32 => Tensor::matrix(name(VECTORS), vectors),
        EmbeddingFormat::F16 => {
            let values = vectors.to_slice().expect("unit rows lie row after row");
            let halves = Array2::from_shape_vec(vectors.dim(), Vec::<f16>::from_f32_slice(values));
            Tensor::of_matrix(name(VECTORS), halves.expect("there are as many"))
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
/// Embeddings of float32 stay in the file. Those of float16 are widened here and brought back to length 1. Widening them block by block in
/// each search would take no memory, but for RouterBench's rows 9 ms of a core for every query, as much as the rest of the search.
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
            UnitRows::from_unit(values, shape)
        }
        EmbeddingFormat::F16 => {
            let halves: Array2<f16> = file.matrix(&vectors, shape)?;
            let values = halves.as_slice().expect("it was read row by row");
            let values = Array2::from_shape_vec(halves.dim(), values.to_f32_vec());
            // Rounding to eleven bits moves a row's length off 1 by up to half a thousandth; `new` divides by it again.
            UnitRows::new(values.expect("there are as many"))
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
    /// Number of rows that can be neighbors.
    pub fn n_rows(&self) -> usize {
        self.learner().rows().n_rows()
    }

    /// The embeddings of the train prompts.
    pub(crate) fn rows(&self) -> &UnitRows {
        self.learner().rows()
    }

    /// What a target's neighbors are averaged over.
    pub(crate) fn values(&self, target_idx: usize) -> ArrayView2<'_, f32> {
        self.learner().values(target_idx)
    }
}
