use serde::Serialize;

/// What came of fitting an [`crate::Mf`]. It holds no times, so that the same seed gives the same report.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MfReport {
    /// Prompts learned from.
    pub n_train: usize,
    /// Prompts validated on.
    pub n_validation: usize,
    /// Prompts left out because their label is unknown.
    pub n_unknown: usize,
    /// Steps made.
    pub n_steps: u64,
    /// The validation whose weights the model has; without validation rows it has the last ones.
    pub best: Option<MfBest>,
    /// The course of the training.
    pub epochs: Vec<MfEpoch>,
    /// The rows, from 0 and ascending, that were validated on.
    #[serde(skip)]
    pub validation_rows: Vec<usize>,
}

/// The best validation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MfBest {
    /// Steps made by then.
    pub step: u64,
    /// Mean log-likelihood of a validation row, in nats; at most 0.
    pub log_likelihood: f64,
}

/// One pass over the train rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MfEpoch {
    /// Mean loss of a train row with its noise, each at its own step.
    pub loss: f64,
    /// Of the last validation so far; none before the first.
    pub val_log_likelihood: Option<f64>,
}
