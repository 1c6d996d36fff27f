use ndarray::Array2;

use crate::Plan;

/// What a run has done so far. Reported at its start, and after each request once its embeddings are safe on disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Texts that have their embedding, with those of the store and all copies of a text.
    pub n_done: usize,
    /// Texts given.
    pub n_total: usize,
    /// Tokens of answered requests, counted as [`Plan::n_tokens`].
    pub tokens_done: u64,
    /// Tokens of all requests of this run.
    pub tokens_total: u64,
    /// Requests answered, with those that a refused request was divided into.
    pub n_requests_done: usize,
    /// Requests of this run, as planned.
    pub n_requests: usize,
    /// Attempts that failed and were retried.
    pub n_retries: u64,
    /// Dollars spent so far by the tokens that the server billed, `None` if the price is not known.
    pub usd: Option<f64>,
}

/// The embeddings, and what they took.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// Shape `(n_texts, dim)`. Without texts, `dim` is the model's if it is known and 0 if not.
    pub values: Array2<f32>,
    /// What was to be done.
    pub plan: Plan,
    /// What was spent.
    pub usage: Usage,
}

/// What a run took. Attempts that were billed but whose answer was lost are not in it, because only an answer says what was billed.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Usage {
    /// Requests answered.
    pub n_requests: usize,
    /// Attempts that failed and were retried.
    pub n_retries: u64,
    /// Tokens billed by the server's own count; by [`Plan::n_tokens`]'s where it gives none.
    pub n_tokens: u64,
    /// Dollars for them, `None` if the price is not known.
    pub usd: Option<f64>,
    /// Texts that the server found too long though they were not by our count, so that they were cut once more.
    pub n_shortened: usize,
    /// Texts that the server takes in one request at most, if it was found to take fewer than were sent.
    pub max_inputs: Option<usize>,
}
