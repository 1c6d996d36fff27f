use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, UnitRows, ridge::RidgeWeights};

/// Queries that one thread answers at a time.
const QUERIES: usize = 64;

/// How the alpha of one target was chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LinearFit {
    /// The target's name.
    pub target: String,
    /// The alpha in force.
    pub alpha: f64,
    /// Cross-validation of every alpha; empty where there were too few rows for one, or nothing is known.
    pub cross_validation: Vec<LinearCvScore>,
}

/// The cross-validation score of one alpha.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct LinearCvScore {
    /// Penalty of squared coefficients.
    pub alpha: f64,
    /// Mean squared out-of-fold error of differences between LLMs, in the target's unit squared.
    pub difference_error: f64,
}

/// Fitted ridge regression; made by [`super::CheckedLinearParams::fit`], or from what a fit left.
#[derive(Debug, Clone)]
pub struct Linear {
    fits: Vec<LinearFit>,
    /// One per target.
    weights: Vec<RidgeWeights>,
}

impl Linear {
    /// One of each per target.
    pub(super) fn new(fits: Vec<LinearFit>, weights: Vec<RidgeWeights>) -> Self {
        Self { fits, weights }
    }

    /// Puts a regression together again from what its fit left ([`Linear::fits`], [`Linear::weights`]). It predicts the same to the last bit.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one of each per target, or targets differ in dimension.
    pub fn from_parts(fits: Vec<LinearFit>, weights: Vec<RidgeWeights>) -> Result<Self> {
        RidgeWeights::check_all(&weights, fits.len())?;
        Ok(Self::new(fits, weights))
    }

    /// How each target's alpha was chosen, in the order in which the targets were given.
    pub fn fits(&self) -> &[LinearFit] {
        &self.fits
    }

    /// The weights of each target on the values of an embedding of length 1, to be stored.
    pub fn weights(&self) -> &[RidgeWeights] {
        &self.weights
    }

    /// Predicts every target for some embeddings of shape `(n_queries, dim)`; the matrices have shape `(n_queries, n_outputs)`.
    ///
    /// A prediction does not depend on the other queries. `on_progress` counts queries.
    ///
    /// # Errors
    /// [`Error::Shape`] when the dimension is not the fitted one; [`Error::NotFinite`].
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<Array2<f32>>> {
        let (n_queries, dim) = embeddings.dim();
        let mut predictions = RidgeWeights::empty_predictions(&self.weights, n_queries);
        let Some(first) = self.weights.first() else {
            return Ok(predictions);
        };
        let expected = (n_queries, first.coefficients().nrows());
        if dim != expected.1 {
            return Err(Error::Shape {
                what: "query embedding",
                expected,
                found: (n_queries, dim),
            });
        }
        if n_queries == 0 {
            return Ok(predictions);
        }
        let queries = UnitRows::new(embeddings.to_owned())?;
        for (weights, predictions) in self.weights.iter().zip(&mut predictions) {
            let n_outputs = predictions.ncols();
            let predictions = predictions.as_slice_mut().expect("made row by row");
            predictions
                .par_chunks_mut(QUERIES * n_outputs)
                .zip(queries.slice(0..n_queries).par_chunks(QUERIES * dim))
                .for_each(|(predictions, queries)| {
                    let predictions = predictions.chunks_exact_mut(n_outputs);
                    let mut features = vec![0.0; dim];
                    for (query, prediction) in queries.chunks_exact(dim).zip(predictions) {
                        for (feature, &x) in features.iter_mut().zip(query) {
                            *feature = f64::from(x);
                        }
                        weights.predict(&features, prediction);
                    }
                });
        }
        on_progress(n_queries as u64);
        Ok(predictions)
    }
}
