use dataset::{Quantity, Standardizer};
use ndarray::{Array2, ArrayView2};
use routers::{Cluster, Knn};

use crate::{
    Error, Result,
    model_outputs::{PerModelOutputs, check_dim},
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

impl PredictsTargets for Knn {
    fn dim(&self) -> usize {
        self.rows().dim()
    }

    fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> routers::Result<Vec<Array2<f32>>> {
        Self::predict(self, embeddings, on_progress)
    }
}

impl PredictsTargets for Cluster {
    fn dim(&self) -> usize {
        Self::dim(self)
    }

    fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> routers::Result<Vec<Array2<f32>>> {
        Self::predict(self, embeddings, on_progress)
    }
}

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
        Ok(PerModelOutputs::of(
            predicted,
            &self.quantities,
            self.scale.as_ref(),
        ))
    }
}

/// What a learner must predict from, and for how many LLMs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outputs {
    pub(crate) dim: usize,
    pub(crate) n_models: usize,
}

/// The name of a learner's tensor for one target: `kernel/score/coefficients`. What costs are made of is `cost`, whatever its unit.
pub(crate) fn group(learner: &str, quantity: Quantity, name: &str) -> String {
    let target = match quantity {
        Quantity::Score => "score",
        _ => "cost",
    };
    format!("{learner}/{target}/{name}")
}
