use dataset::{DatasetInfo, EqualPrompts, PartTable, SplitOrigin};
use ndarray::ArrayView2;
use routers::{
    CheckedBlendParams, CheckedClusterParams, CheckedForestParams, CheckedKernelParams,
    CheckedKnnParams, CheckedLinearParams, CheckedMfParams, CheckedPropensityParams, Rows,
    Selection,
};
use saved_routers::EmbeddingFormat;
use serde_json::{Value, json};
use tracing::warn;

use crate::{Error, FittedRouter, Learner, Prepared, Result};

/// Settings of all learners, checked; made by [`crate::Settings::learners`].
#[derive(Debug, Clone)]
pub struct LearnerParams {
    /// Of nearest neighbors.
    pub knn: CheckedKnnParams,
    /// Of ridge regression.
    pub linear: CheckedLinearParams,
    /// Of kernel ridge regression.
    pub kernel: CheckedKernelParams,
    /// Of means over clusters.
    pub cluster: CheckedClusterParams,
    /// Of the blend, with those of its learners.
    pub blend: CheckedBlendParams,
    /// Of the matrix factorization.
    pub mf: CheckedMfParams,
    /// Of the random forest.
    pub forest: CheckedForestParams,
    /// Of which LLM a log's policy asked.
    pub propensity: CheckedPropensityParams,
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
        let (mut config, seed) = match learner {
            Learner::Knn => (
                json!({ "knn": self.knn.params(), "saved-vectors": self.saved_embeddings }),
                None,
            ),
            Learner::Linear => {
                let params = self.linear.params();
                (json!({ "linear": params }), Some(params.seed))
            }
            Learner::Kernel => {
                let params = self.kernel.params();
                (json!({ "kernel": params }), Some(params.seed))
            }
            Learner::Cluster => {
                let params = self.cluster.params();
                (json!({ "cluster": params }), Some(params.seed))
            }
            Learner::Blend => (
                json!({
                    "blend": self.blend.params(), "knn": self.knn.params(), "linear": self.linear.params(), "kernel": self.kernel.params(),
                    "cluster": self.cluster.params(), "saved-vectors": self.saved_embeddings,
                }),
                Some(self.blend.params().seed),
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
        // Of a log with one answer per prompt, means and gains depend on them; of other tables nothing does.
        if !learner.needs_pair() {
            config["propensity"] = json!(self.propensity.params());
        }
        Recipe { config, seed }
    }

    /// What a fit on so many rows counts while it runs: a word or two for it, and how many there are.
    pub fn progress(&self, learner: Learner, n_rows: usize) -> (&'static str, u64) {
        match learner {
            Learner::Knn => ("finding neighbors", n_rows as u64),
            Learner::Linear | Learner::Kernel | Learner::Cluster | Learner::Blend => {
                ("fitting", n_rows as u64)
            }
            Learner::Mf => ("training", self.mf.params().n_epochs),
            Learner::Rorf => ("growing trees", self.forest.params().n_trees as u64),
        }
    }

    /// The same with what is left to the table decided: `selection = "auto"` of nearest neighbors is the paper's way where every score and cost is
    /// known and rows came to their part at random, else the same criterion on shuffled folds. The paper's folds are runs of rows, which is no
    /// choice for a table in the order of its tasks.
    #[must_use]
    pub fn resolved(&self, table: &PartTable, info: &DatasetInfo) -> Self {
        let mut this = self.clone();
        if self.knn.params().selection == Selection::Auto {
            let is_complete = table.scores.iter().all(|score| !score.is_nan())
                && table.cost_usd.iter().all(|cost| !cost.is_nan());
            let is_shuffled = matches!(info.split, SplitOrigin::Random { .. });
            let selection = match is_complete && is_shuffled {
                true => Selection::Paper,
                false => Selection::R2,
            };
            this.knn = this.knn.selecting(selection);
        }
        this
    }

    /// Warns where copies of a prompt may be in different folds of the choice of k, as the paper's runs of rows put them: k then looks better the
    /// smaller it is. It remains the paper's way, so that whoever compares with it has its numbers.
    pub(crate) fn warn_of_copies(&self, learner: Learner, table: &PartTable) {
        let n_repeated = EqualPrompts::count(&table.prompts, []).n_repeated;
        let params = self.knn.params();
        // Sampled prompts are never predicted from copies of theirs.
        let keeps_none_together = params.selection == Selection::Paper && params.tune_queries == 0;
        if learner == Learner::Knn && keeps_none_together && n_repeated > 0 {
            warn!(
                "{n_repeated} prompts repeat an earlier one, and the paper's folds do not keep them together: k may come out too small; \
                 `selection = \"r2\"` in the settings of carrot-knn keeps them in one fold"
            );
        }
    }

    /// Does what does not depend on scores and costs, with [`LearnerParams::resolved`] parameters. `on_progress` counts what
    /// [`LearnerParams::progress`] says.
    ///
    /// # Errors
    /// [`Error::Learner`] for embeddings that cannot be fitted on, or groups of other rows.
    pub fn prepare<'a>(
        &self,
        learner: Learner,
        rows: Rows<'a>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Prepared<'a>> {
        Prepared::new(self.clone(), learner, rows, on_progress)
    }

    /// Fits a router to a table whose prompts have embeddings of shape `(n_prompts, dim)`, in the table's order. Equal prompts are in one fold of
    /// whatever is chosen by held-out prompts. In a log with one answer per prompt, means and gains are weighted by one over the propensity of the
    /// LLM that was asked, which is estimated where the table does not say it ([`crate::log_propensities`]).
    ///
    /// # Errors
    /// [`Error::RowCount`] when there is not one embedding per prompt; what the learner refuses.
    pub fn fit(
        &self,
        learner: Learner,
        embeddings: ArrayView2<'_, f32>,
        table: &PartTable,
        info: &DatasetInfo,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<FittedRouter> {
        // Before groups of other rows are refused.
        if embeddings.nrows() != table.n_prompts() {
            return Err(Error::RowCount {
                what: "matrix of embeddings",
                found: embeddings.nrows(),
                expected: table.n_prompts(),
            });
        }
        let groups = EqualPrompts::groups(&table.prompts);
        let rows = Rows {
            embeddings: embeddings.view(),
            groups: Some(&groups),
        };
        let resolved = self.resolved(table, info);
        resolved.warn_of_copies(learner, table);
        let weighed = match learner.needs_pair() {
            true => None,
            false => resolved.with_propensities(embeddings, table, Some(&groups))?,
        };
        let prepared = resolved.prepare(learner, rows, on_progress)?;
        prepared.fit(weighed.as_ref().unwrap_or(table), info, on_progress)
    }
}
