use ndarray::{Array1, Array2, ArrayView2};

use crate::{Error, Model, PredictedCost, Result};

/// What a router predicts for some prompts.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicted {
    /// Score and cost of every LLM.
    PerModel(PerModelOutputs),
    /// The probability that the small LLM of the pair is good enough; shape `(n_prompts)`.
    SmallWins(Array1<f32>),
}

/// Predicted scores and what costs are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct PerModelOutputs {
    /// Expected scores, of shape `(n_prompts, n_models)`.
    pub scores: Array2<f32>,
    /// What costs are made of.
    pub cost: PredictedCost,
}

impl Model {
    /// Whether the router reads the prompts themselves, by networks, rather than their embeddings.
    pub fn reads_prompts(&self) -> bool {
        match self {
            Self::Knn(_) | Self::Rorf(_) | Self::Mf(_) => false,
            Self::Roberta { .. } | Self::RobertaBinary(_) => true,
        }
    }

    /// Predicts for embeddings of shape `(n_prompts, dim)`. A prediction does not depend on the other prompts. `on_progress` counts prompts.
    ///
    /// # Errors
    /// [`Error::Dimension`] for embeddings of another length; [`Error::Predict`] for embeddings that are not finite;
    /// [`Error::ReadsPrompts`] for networks.
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Predicted> {
        let small_wins = |dim, predict: &dyn Fn() -> routers::Result<Array1<f64>>| {
            check_dim(embeddings, dim)?;
            let probability = predict().map_err(|source| Error::Predict { source })?;
            on_progress(embeddings.nrows() as u64);
            Ok(Predicted::SmallWins(probability.mapv(|p| p as f32)))
        };
        match self {
            Self::Knn(knn) => Ok(Predicted::PerModel(knn.predict(embeddings, on_progress)?)),
            Self::Rorf(rorf) => {
                small_wins(rorf.forest().n_features(), &|| rorf.predict(embeddings))
            }
            Self::Mf(mf) => small_wins(mf.weights().text_dim(), &|| mf.predict(embeddings)),
            Self::Roberta { .. } | Self::RobertaBinary(_) => Err(Error::ReadsPrompts),
        }
    }
}

/// Refuses embeddings of another embedder than the router was fitted on.
pub(crate) fn check_dim(embeddings: ArrayView2<'_, f32>, expected: usize) -> Result<()> {
    match embeddings.ncols() {
        found if found == expected => Ok(()),
        found => Err(Error::Dimension { expected, found }),
    }
}
