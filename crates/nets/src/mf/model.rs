use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use super::gradient::{Factors, sigmoid};
use crate::{Error, Result};

/// What an [`Mf`] has learned; see there for the letters.
#[derive(Debug, Clone, PartialEq)]
pub struct MfWeights {
    /// `W`, (dim, text_dim), row by row in memory.
    pub(super) projection: Array2<f32>,
    /// `p`, (dim)
    pub(super) model: Array1<f32>,
    /// `c`, (dim)
    pub(super) classifier: Array1<f32>,
}

/// Scores each prompt by how likely the small LLM is to do at least as well as the large one.
///
/// ```text
/// z(x) = c . ( (p / ||p||) * (W x) )        P(small is good enough | x) = 1 / (1 + exp(-z(x)))        * is elementwise
///   x  prompt embedding          (text_dim)
///   W  projection                (dim, text_dim)
///   p  learned model embedding   (dim)
///   c  classifier, no bias       (dim)
/// ```
///
/// A prompt goes to the small LLM where the probability reaches a threshold. [`crate::CheckedMfParams::fit`] learns the weights.
/// A prediction costs `text_dim` products: `z(x) = x . v` with `v = W^T (c * p / ||p||)`, taken once.
///
/// Source: the reference's `mf` (somerstep/CARROT at 3e6acff), after RouteLLM's matrix factorization (Ong et al. 2024, arXiv 2406.18665;
/// lm-sys/RouteLLM, routellm/routers/matrix_factorization).
///
/// # Deviations
/// RouteLLM multiplies with the difference of two LLMs' vectors and has one for each LLM; CARROT learns one vector for the pair, and so do we.
/// An early version of the reference gave logits; ours are probabilities, as in its present one. Predictions are summed in float64.
#[derive(Debug, Clone, PartialEq)]
pub struct Mf {
    weights: MfWeights,
    direction: Vec<f64>,
}

impl MfWeights {
    /// Takes a projection of shape `(dim, text_dim)` and two vectors of length `dim`.
    ///
    /// # Errors
    /// [`Error::BadWeight`] when a weight is empty, of another length, or not finite.
    pub fn new(
        projection: Array2<f32>,
        model: Array1<f32>,
        classifier: Array1<f32>,
    ) -> Result<Self> {
        let bad = |name, problem| Err(Error::BadWeight { name, problem });
        if projection.is_empty() {
            return bad("projection", "is empty");
        }
        for (name, vector) in [("model", &model), ("classifier", &classifier)] {
            if vector.len() != projection.nrows() {
                return bad(name, "is not as long as the projection has rows");
            }
            if !vector.iter().all(|x| x.is_finite()) {
                return bad(name, "holds a value that is not finite");
            }
        }
        if !projection.iter().all(|x| x.is_finite()) {
            return bad("projection", "holds a value that is not finite");
        }
        Ok(Self {
            projection: projection.as_standard_layout().into_owned(),
            model: model.as_standard_layout().into_owned(),
            classifier: classifier.as_standard_layout().into_owned(),
        })
    }

    /// Dimensions of the embeddings.
    pub fn text_dim(&self) -> usize {
        self.projection.ncols()
    }

    /// Length of the learned vectors.
    pub fn dim(&self) -> usize {
        self.projection.nrows()
    }

    /// `W`, of shape `(dim, text_dim)`.
    pub fn projection(&self) -> ArrayView2<'_, f32> {
        self.projection.view()
    }

    /// `p`, of shape `(dim)`, not normalized.
    pub fn model(&self) -> ArrayView1<'_, f32> {
        self.model.view()
    }

    /// `c`, of shape `(dim)`.
    pub fn classifier(&self) -> ArrayView1<'_, f32> {
        self.classifier.view()
    }

    pub(super) fn projection_rows(&self) -> impl Iterator<Item = &[f32]> {
        let values = self.projection.as_slice();
        let values = values.expect("`new` makes it lie row by row");
        values.chunks_exact(self.text_dim())
    }
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
        Self { weights, direction }
    }

    /// What was learned.
    pub fn weights(&self) -> &MfWeights {
        &self.weights
    }

    /// The logits `z` of embeddings of shape `(n_prompts, text_dim)`; shape `(n_prompts)`.
    ///
    /// # Errors
    /// [`Error::EmbeddingDim`] or [`Error::EmbeddingNotFinite`].
    pub fn logits(&self, embeddings: ArrayView2<'_, f32>) -> Result<Array1<f64>> {
        if embeddings.ncols() != self.direction.len() {
            return Err(Error::EmbeddingDim {
                expected: self.direction.len().to_string(),
                found: embeddings.ncols(),
            });
        }
        let logits = embeddings.rows().into_iter().enumerate().map(|(row, x)| {
            if !x.iter().all(|x| x.is_finite()) {
                return Err(Error::EmbeddingNotFinite { row: row + 1 });
            }
            let products = x.iter().zip(&self.direction);
            Ok(products.map(|(x, v)| f64::from(*x) * v).sum())
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
