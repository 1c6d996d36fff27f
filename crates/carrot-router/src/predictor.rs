use crate::{Result, embedded::Embedded, networks::Networks, predicted::Predicted};

/// What predicts scores and costs.
#[derive(Debug)]
pub(crate) enum Predictor {
    /// A learner on a prompt's embedding.
    Embedded(Box<Embedded>),
    /// Networks that read the prompt.
    Networks(Box<Networks>),
}

impl Predictor {
    pub(crate) fn predict(&self, prompts: &[String]) -> Result<Predicted> {
        match self {
            Self::Embedded(embedded) => embedded.predict(prompts),
            Self::Networks(networks) => networks.predict(prompts),
        }
    }

    /// Whether what is predicted depends on the prompt.
    pub(crate) fn routes(&self) -> bool {
        match self {
            Self::Embedded(embedded) => embedded.routes(),
            Self::Networks(_) => true,
        }
    }

    /// The positions of the LLMs that are never chosen because they have few scores.
    pub(crate) fn held_back(&self) -> &[usize] {
        match self {
            Self::Embedded(embedded) => embedded.held_back(),
            Self::Networks(_) => &[],
        }
    }

    /// Whether prompts are embedded on a server.
    pub(crate) fn is_on_server(&self) -> bool {
        match self {
            Self::Embedded(embedded) => embedded.is_on_server(),
            Self::Networks(_) => false,
        }
    }

    /// What stands in for an LLM's own tokenizer, in words.
    pub(crate) fn stand_in(&self) -> String {
        match self {
            Self::Embedded(embedded) => embedded.stand_in(),
            Self::Networks(networks) => networks.stand_in(),
        }
    }

    /// What predicts, in words.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Embedded(embedded) => embedded.describe(),
            Self::Networks(networks) => networks.describe(),
        }
    }
}
