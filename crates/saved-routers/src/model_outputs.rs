use dataset::{PredictedCost, Quantity, Standardizer};
use ndarray::{Array1, Array2, ArrayView2};

use crate::{Error, Result};

/// What a router predicts for some prompts.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelOutputs {
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

impl PerModelOutputs {
    /// What targets of these quantities, the score among them, say of scores and costs.
    pub(crate) fn of(
        predicted: Vec<Array2<f32>>,
        quantities: &[Quantity],
        scale: Option<&Standardizer>,
    ) -> Self {
        let mut scores = None;
        let mut cost = PredictedCost::Known;
        for (values, quantity) in predicted.into_iter().zip(quantities) {
            match quantity.cost(&values, scale) {
                None => scores = Some(values),
                Some(predicted) => cost = predicted,
            }
        }
        Self {
            scores: scores.expect("a record without a score is refused"),
            cost,
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
