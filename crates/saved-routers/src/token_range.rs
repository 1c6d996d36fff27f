use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// How many input tokens some prompts have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenRange {
    /// Prompts whose tokens are known.
    pub n_prompts: usize,
    /// The mean.
    pub mean: f64,
    /// The standard deviation; 0 for a single prompt.
    pub deviation: f64,
    /// Of the shortest prompt.
    pub least: f64,
    /// Of the longest one.
    pub most: f64,
}

impl TokenRange {
    /// Of counts; none for no prompts. Unknown counts, which are NaN, are left out.
    pub fn of(counts: impl IntoIterator<Item = f64>) -> Option<Self> {
        let known: Vec<f64> = counts.into_iter().filter(|count| !count.is_nan()).collect();
        let n = known.len() as f64;
        let mean = known.iter().sum::<f64>() / n;
        let squares = known.iter().map(|count| (count - mean).powi(2));
        Some(Self {
            n_prompts: known.len(),
            mean,
            deviation: (squares.sum::<f64>() / (n - 1.0).max(1.0)).sqrt(),
            least: known.iter().copied().reduce(f64::min)?,
            most: known.iter().copied().reduce(f64::max)?,
        })
    }

    /// Of the tokens that LLMs billed, of shape `(n_prompts, n_models)` and NaN where unknown: a prompt has the mean over the LLMs that are known
    /// of it. Each LLM is first brought to the mean of all, or prompts that were sent to an LLM with a longer template would seem longer.
    pub fn billed(tokens: &Array2<f64>) -> Option<Self> {
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let known: Vec<f64> = values.filter(|value| !value.is_nan()).collect();
            known.iter().sum::<f64>() / known.len() as f64
        };
        let of_models: Vec<f64> = tokens
            .columns()
            .into_iter()
            .map(|column| mean(&mut column.iter().copied()))
            .collect();
        let all = mean(&mut of_models.iter().copied());
        let of_prompts = tokens.rows().into_iter().map(|row| {
            let moved = row.iter().zip(&of_models);
            mean(&mut moved.map(|(value, of_model)| value - of_model + all))
        });
        Self::of(of_prompts)
    }
}
