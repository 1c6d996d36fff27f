use dataset::{Quantity, Standardizer};
use ndarray::{Array2, ArrayView2};
use routers::{Cluster, Kernel, Knn, Linear};

use crate::{
    Contents, Embedder, Error, Record, Result, cluster, kernel,
    knn::{self, KnnContents},
    linear,
    model_outputs::{PerModelOutputs, check_dim},
    tensors::TensorFile,
};

/// A learner that was opened in a folder, and predicts every LLM's score and cost from embeddings. A clone shares what is mapped.
#[derive(Debug, Clone)]
pub struct SavedLearner<L> {
    learner: L,
    /// What its targets are, the score first.
    quantities: Vec<Quantity>,
    /// The way back to dollars, where z-scores are predicted.
    scale: Option<Standardizer>,
}

/// What predicts a matrix of shape `(n_prompts, n_models)` for each of its targets.
pub trait PredictsTargets {
    /// Length of the embeddings that it predicts from.
    fn dim(&self) -> usize;

    /// One matrix for each target, from embeddings of shape `(n_prompts, dim)`. `on_progress` counts prompts.
    ///
    /// # Errors
    /// [`routers::Error`] for embeddings that are not finite, say.
    fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> routers::Result<Vec<Array2<f32>>>;
}

macro_rules! predicts_targets {
    ($learner:ty, $dim:expr) => {
        impl PredictsTargets for $learner {
            fn dim(&self) -> usize {
                let dim: fn(&Self) -> usize = $dim;
                dim(self)
            }

            fn predict(
                &self,
                embeddings: ArrayView2<'_, f32>,
                on_progress: &(dyn Fn(u64) + Sync),
            ) -> routers::Result<Vec<Array2<f32>>> {
                Self::predict(self, embeddings, on_progress)
            }
        }
    };
}

predicts_targets!(Knn, |it| it.neighbors().dim());
predicts_targets!(Linear, |it| it
    .weights()
    .first()
    .map_or(0, |first| first.coefficients().nrows()));
predicts_targets!(Kernel, |it| it.landmarks().dim());
predicts_targets!(Cluster, Cluster::dim);

impl<L> SavedLearner<L> {
    pub(crate) fn new(learner: L, quantities: Vec<Quantity>, scale: Option<Standardizer>) -> Self {
        Self {
            learner,
            quantities,
            scale,
        }
    }

    /// What predicts, without the meaning of its targets.
    pub fn learner(&self) -> &L {
        &self.learner
    }

    /// What predicted matrices, one for each target, say.
    pub(crate) fn outputs(&self, predicted: Vec<Array2<f32>>) -> PerModelOutputs {
        PerModelOutputs::of(predicted, &self.quantities, self.scale.as_ref())
    }

    /// The way back to dollars, where z-scores are predicted.
    pub(crate) fn scale(&self) -> Option<&Standardizer> {
        self.scale.as_ref()
    }
}

impl<L: PredictsTargets> SavedLearner<L> {
    /// Predicts for embeddings of shape `(n_prompts, dim)`. A prediction does not depend on the other prompts. `on_progress` counts prompts.
    ///
    /// # Errors
    /// [`Error::Dimension`] for embeddings of another length; [`Error::Predict`] for embeddings that are not finite.
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<PerModelOutputs> {
        check_dim(embeddings, self.learner.dim())?;
        let predicted = self
            .learner
            .predict(embeddings, on_progress)
            .map_err(|source| Error::Predict { source })?;
        Ok(self.outputs(predicted))
    }
}

/// What a learner must predict from, and for how many LLMs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outputs {
    pub(crate) dim: usize,
    pub(crate) n_models: usize,
}

impl Outputs {
    pub(crate) fn of(record: &Record, embedder: &Embedder) -> Self {
        Self {
            dim: embedder.dim,
            n_models: record.models.len(),
        }
    }
}

/// Any of the learners on embeddings that a blend may be made of.
#[derive(Debug, Clone)]
pub(crate) enum Learner {
    Knn(Knn),
    Linear(Linear),
    Kernel(Kernel),
    Cluster(Cluster),
}

impl Learner {
    /// Reads the learner that `contents` describe; `prefix` stands before the names of nearest neighbors' tensors, those of the other learners
    /// begin with the learner's name anyway.
    ///
    /// # Errors
    /// Those of a file, and [`Error::Router`] for numbers that make no such learner.
    pub(crate) fn read(
        file: &TensorFile,
        contents: &Contents,
        prefix: &str,
        outputs: Outputs,
    ) -> Result<Self> {
        Ok(match contents {
            Contents::Knn {
                embeddings,
                backend,
                targets,
            } => {
                let contents = KnnContents {
                    embeddings: *embeddings,
                    backend: *backend,
                    targets,
                };
                Self::Knn(knn::read(file, contents, outputs, prefix)?)
            }
            Contents::Linear { targets } => Self::Linear(linear::read(file, targets, outputs)?),
            Contents::Kernel { targets } => Self::Kernel(kernel::read(file, targets, outputs)?),
            Contents::Cluster { targets } => Self::Cluster(cluster::read(file, targets, outputs)?),
            _ => unreachable!("a record with another learner is refused"),
        })
    }

    /// The names of its tensors.
    pub(crate) fn names(contents: &Contents, prefix: &str) -> Vec<String> {
        match contents {
            Contents::Knn { .. } => knn::names(prefix).to_vec(),
            Contents::Linear { targets } => linear::names(targets),
            Contents::Kernel { targets } => kernel::names(targets),
            Contents::Cluster { targets } => cluster::names(targets),
            _ => Vec::new(),
        }
    }
}

/// The name of a learner's tensor for one target: `kernel/score/coefficients`. What costs are made of is `cost`, whatever its unit.
pub(crate) fn group(learner: &str, quantity: Quantity, name: &str) -> String {
    let target = match quantity {
        Quantity::Score => "score",
        _ => "cost",
    };
    format!("{learner}/{target}/{name}")
}
