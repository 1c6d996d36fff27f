/// Rows as the source has them.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) keys: Vec<String>,
    pub(crate) datasets: Vec<String>,
    pub(crate) prompts: Vec<String>,
    /// In the order asked for.
    pub(crate) models: Vec<ModelRows>,
}

/// One LLM in all rows; NaN where the source has null.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModelRows {
    pub(crate) scores: Vec<f64>,
    pub(crate) input_tokens: Vec<f64>,
    pub(crate) output_tokens: Vec<f64>,
}

impl Rows {
    /// No rows yet, for this number of LLMs.
    pub(crate) fn new(n_models: usize) -> Self {
        Self {
            keys: Vec::new(),
            datasets: Vec::new(),
            prompts: Vec::new(),
            models: vec![ModelRows::default(); n_models],
        }
    }
}

impl ModelRows {
    /// Forgets scores that no cost can be set against; returns how many.
    pub(crate) fn drop_scores_without_cost(&mut self) -> usize {
        let mut n_dropped = 0;
        let tokens = self.input_tokens.iter().zip(&self.output_tokens);
        for (score, (n_in, n_out)) in self.scores.iter_mut().zip(tokens) {
            if !score.is_nan() && (n_in.is_nan() || n_out.is_nan()) {
                *score = f64::NAN;
                n_dropped += 1;
            }
        }
        n_dropped
    }
}
