use dataset::{DatasetInfo, PartTable};
use ndarray::ArrayView2;
use routers::{CheckedForestParams, CheckedKnnParams, CheckedMfParams};
use saved_routers::EmbeddingFormat;
use serde_json::{Value, json};

use crate::{FittedRouter, Learner, Prepared, Result};

/// Settings of all learners, checked; made by [`crate::Settings::learners`].
#[derive(Debug, Clone)]
pub struct LearnerParams {
    /// Of nearest neighbors.
    pub knn: CheckedKnnParams,
    /// Of the matrix factorization.
    pub mf: CheckedMfParams,
    /// Of the random forest.
    pub forest: CheckedForestParams,
    /// How nearest neighbors store their embeddings.
    pub saved_embeddings: EmbeddingFormat,
}

/// What a fitted router depends on besides table and embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// The parameters in force, defaults included.
    pub config: Value,
    /// Seed of everything random.
    pub seed: Option<u64>,
}

impl LearnerParams {
    /// What a router of this learner depends on.
    pub fn recipe(&self, learner: Learner) -> Recipe {
        let (config, seed) = match learner {
            Learner::Knn => (
                json!({ "knn": self.knn.params(), "saved-vectors": self.saved_embeddings }),
                None,
            ),
            Learner::Mf => (
                json!({ "mf": self.mf.params() }),
                Some(self.mf.params().seed),
            ),
            Learner::Rorf => (
                json!({ "forest": self.forest.params() }),
                Some(self.forest.params().seed),
            ),
        };
        Recipe { config, seed }
    }

    /// What a fit on so many rows counts while it runs: a word or two for it, and how many there are.
    pub fn progress(&self, learner: Learner, n_rows: usize) -> (&'static str, u64) {
        match learner {
            Learner::Knn => ("finding neighbors", n_rows as u64),
            Learner::Mf => ("training", self.mf.params().n_epochs),
            Learner::Rorf => ("growing trees", self.forest.params().n_trees as u64),
        }
    }

    /// Does what does not depend on scores and costs, for embeddings of shape `(n_rows, dim)`. `on_progress` counts what
    /// [`LearnerParams::progress`] says.
    ///
    /// # Errors
    /// [`crate::Error::Learner`] for embeddings that cannot be fitted on.
    pub fn prepare<'a>(
        &'a self,
        learner: Learner,
        embeddings: ArrayView2<'a, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Prepared<'a>> {
        Prepared::new(self, learner, embeddings, on_progress)
    }

    /// Fits a router to a table whose prompts have embeddings of shape `(n_prompts, dim)`, in the table's order.
    ///
    /// # Errors
    /// [`crate::Error::RowCount`] when there is not one embedding per prompt; what the learner refuses.
    pub fn fit<'a>(
        &'a self,
        learner: Learner,
        embeddings: ArrayView2<'a, f32>,
        table: &PartTable,
        info: &DatasetInfo,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<FittedRouter> {
        self.prepare(learner, embeddings, on_progress)?
            .fit(table, info, on_progress)
    }
}
