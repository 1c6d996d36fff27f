use ndarray::{Array1, ArrayView2};

use super::{
    gradient::{Factors, sigmoid},
    weights::MfWeights,
};
use crate::{Error, Result};

/// Scores each prompt by how likely the small LLM is to do at least as well as the large one.
///
/// ```text
/// z(x) = c . ( (p / ||p||) * (W x) ) + b        P(small is good enough | x) = 1 / (1 + exp(-z(x)))        * is elementwise
///   x  prompt embedding          (text_dim)
///   W  projection                (dim, text_dim)
///   p  learned model embedding   (dim)
///   c  classifier                (dim)
///   b  intercept, 0 in the reference
/// ```
///
/// A prompt goes to the small LLM where the probability reaches a threshold. [`crate::CheckedMfParams::fit`] learns the weights.
/// A prediction costs `text_dim` products: `z(x) = x . v + b` with `v = W^T (c * p / ||p||)`, taken once.
///
/// Source: the reference's `mf` (somerstep/CARROT at 3e6acff), after RouteLLM's matrix factorization (Ong et al. 2024, arXiv 2406.18665;
/// lm-sys/RouteLLM, routellm/routers/matrix_factorization).
///
/// # Deviations
/// RouteLLM multiplies with the difference of two LLMs' vectors and has one for each LLM; CARROT learns one vector for the pair, and so do we.
/// With an intercept (`intercept = true`, ours) its validated likelihood and AUROC are higher on the Open LLM Leaderboard: -.518 for -.526 and .568
/// for .533.
/// An early version of the reference gave logits; ours are probabilities, as in its present one. Predictions are summed in float64.
#[derive(Debug, Clone, PartialEq)]
pub struct Mf {
    weights: MfWeights,
    direction: Vec<f64>,
    intercept: f64,
}

impl Mf {
    /// A router with weights that were learned before.
    pub fn from_weights(weights: MfWeights) -> Self {
        let factors = Factors::new(&weights);
        let mut direction = vec![0.; weights.text_dim()];
        for (row, scale) in weights.projection_rows().zip(&factors.scales) {
            for (v, w) in direction.iter_mut().zip(row) {
                *v += f64::from(*scale) * f64::from(*w);
            }
        }
        let intercept = f64::from(weights.intercept.unwrap_or(0.));
        Self {
            weights,
            direction,
            intercept,
        }
    }

    /// What was learned.
    pub fn weights(&self) -> &MfWeights {
        &self.weights
    }

    /// The logits `z` of embeddings of shape `(n_prompts, text_dim)`; shape `(n_prompts)`.
    ///
    /// # Errors
    /// [`Error::Shape`] for embeddings of another length; [`Error::NotFinite`].
    pub fn logits(&self, embeddings: ArrayView2<'_, f32>) -> Result<Array1<f64>> {
        if embeddings.ncols() != self.direction.len() {
            return Err(Error::Shape {
                what: "query embedding",
                expected: (embeddings.nrows(), self.direction.len()),
                found: embeddings.dim(),
            });
        }
        let logits = embeddings.rows().into_iter().enumerate().map(|(row, x)| {
            if !x.iter().all(|x| x.is_finite()) {
                return Err(Error::NotFinite { row });
            }
            let products = x.iter().zip(&self.direction);
            let product: f64 = products.map(|(x, v)| f64::from(*x) * v).sum();
            Ok(product + self.intercept)
        });
        logits.collect()
    }

    /// The probability that the small LLM does at least as well, for embeddings of shape `(n_prompts, text_dim)`; shape `(n_prompts)`, in
    /// [0, 1].
    ///
    /// # Errors
    /// As [`Mf::logits`].
    pub fn predict(&self, embeddings: ArrayView2<'_, f32>) -> Result<Array1<f64>> {
        Ok(self.logits(embeddings)?.mapv_into(sigmoid))
    }
}
