use crate::{Result, neighbors::Neighbors, networks::Networks, predicted::Predicted};

/// What predicts scores and costs.
#[derive(Debug)]
pub(crate) enum Predictor {
    /// Nearest neighbors of a prompt's embedding.
    Neighbors(Box<Neighbors>),
    /// Networks that read the prompt.
    Networks(Box<Networks>),
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
