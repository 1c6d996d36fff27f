use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use super::likelihood::{features, softmax};
use crate::{Error, Result, UnitRows, products::product};

/// How likely each LLM was asked for a prompt, by its embedding; made by [`crate::CheckedPropensityParams::fit`].
#[derive(Debug, Clone)]
pub struct PropensityModel {
    /// Shape `(dim + 1, n_models)`, the last row being the intercepts.
    pub(super) weights: Array2<f64>,
    /// LLMs that no row was logged with.
    pub(super) is_unseen: Vec<bool>,
    pub(super) fit: PropensityFit,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PropensityFit {
    /// Rows that it was fitted to.
    pub n_rows: usize,
    /// The penalty; `None` where the LLMs' shares alone foretell held-out rows best, whatever the prompt.
    pub alpha: Option<f64>,
    /// What the choice went by; without rows enough nothing.
    pub cross_validation: Vec<PropensityCvScore>,
}

/// The score of one penalty on held-out rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PropensityCvScore {
    /// The penalty; `None` is the LLMs' shares alone.
    pub alpha: Option<f64>,
    /// The mean of `-log p` of the LLM that was asked.
    pub log_loss: f64,
}

impl PropensityModel {
    /// The probability of each LLM for embeddings of shape `(n_prompts, dim)`; shape `(n_prompts, n_models)`, rows sum to 1, but for
    /// LLMs that were asked in no row of the fit: each has `1 / (n_rows + n_models)`, Laplace's rule of succession, beside the others.
    ///
    /// # Errors
    /// [`Error::Shape`] for embeddings of another length; [`Error::NotFinite`], [`Error::Empty`], [`Error::TooManyRows`].
    pub fn predict(&self, embeddings: ArrayView2<'_, f32>) -> Result<Array2<f64>> {
        let dim = self.weights.nrows() - 1;
        if embeddings.ncols() != dim {
            return Err(Error::Shape {
                what: "embedding",
                expected: (embeddings.nrows(), dim),
                found: embeddings.dim(),
            });
        }
        let rows = UnitRows::new(embeddings.to_owned())?;
        let mut predicted = product(features(rows.view()).view(), self.weights.view());
        for mut row in predicted.outer_iter_mut() {
            let row = row.as_slice_mut().expect("made row by row");
            // An LLM that was never asked has no part in the sum.
            for (logit, is_unseen) in row.iter_mut().zip(&self.is_unseen) {
                if *is_unseen {
                    *logit = f64::NEG_INFINITY;
                }
            }
            softmax(row);
            for (probability, is_unseen) in row.iter_mut().zip(&self.is_unseen) {
                if *is_unseen {
                    *probability = 1.0 / (self.fit.n_rows + self.is_unseen.len()) as f64;
                }
            }
        }
        Ok(predicted)
    }

    /// What was chosen.
    pub fn fit(&self) -> &PropensityFit {
        &self.fit
    }
}
