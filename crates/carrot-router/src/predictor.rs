use ndarray::Array2;
use saved_routers::PredictedCost;

use crate::{Result, neighbors::Neighbors, networks::Networks};

/// What predicts scores and costs.
#[derive(Debug)]
pub(crate) enum Predictor {
    /// Nearest neighbors of a prompt's vector.
    Neighbors(Box<Neighbors>),
    /// Networks that read the prompt.
    Networks(Box<Networks>),
}

/// What is predicted for prompts.
#[derive(Debug)]
pub(crate) struct Predicted {
    /// Shape `(n_prompts, n_models)`.
    pub(crate) scores: Array2<f32>,
    pub(crate) cost: PredictedCost,
    /// One per prompt.
    pub(crate) lengths: Vec<Length>,
}

/// A prompt's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    /// In tokens of what stands in for an LLM's own tokenizer.
    pub(crate) n_tokens: usize,
    /// Whether what predicts saw only its beginning.
    pub(crate) is_truncated: bool,
}

impl Predictor {
    pub(crate) fn predict(&self, prompts: &[String]) -> Result<Predicted> {
        match self {
            Self::Neighbors(neighbors) => neighbors.predict(prompts),
            Self::Networks(networks) => networks.predict(prompts),
        }
    }

    /// What stands in for an LLM's own tokenizer, in words.
    pub(crate) fn stand_in(&self) -> String {
        match self {
            Self::Neighbors(neighbors) => neighbors.stand_in(),
            Self::Networks(networks) => networks.stand_in(),
        }
    }

    /// What predicts, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Neighbors(neighbors) => neighbors.describe(),
            Self::Networks(networks) => networks.describe(),
        }
    }
}
