use dataset::{PredictedCost, Sketch};
use ndarray::Array2;

/// What is predicted for prompts.
#[derive(Debug)]
pub(crate) struct Predicted {
    /// Shape `(n_prompts, n_models)`.
    pub(crate) scores: Array2<f32>,
    pub(crate) cost: PredictedCost,
    /// One per prompt.
    pub(crate) lengths: Vec<Length>,
    /// One per prompt, where parts of an index could not be searched: how many. Empty where none was missing.
    pub(crate) shards_missing: Vec<u32>,
    /// One per prompt, where there are embeddings.
    pub(crate) sketches: Option<Vec<Sketch>>,
}

/// A prompt's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length {
    /// In tokens of what stands in for an LLM's own tokenizer.
    pub(crate) n_tokens: usize,
    /// Whether what predicts saw only a part of it.
    pub(crate) is_truncated: bool,
}
