use std::fmt;

/// What a network's outputs say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkTask {
    /// Probabilities: expected scores of LLMs, or that the small LLM of a pair is good enough. The network gives their logits.
    Performance,
    /// What costs are made of, as it is.
    Cost,
}

impl fmt::Display for NetworkTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Performance => "performance",
            Self::Cost => "cost",
        })
    }
}
