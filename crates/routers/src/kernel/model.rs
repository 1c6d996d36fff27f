use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::landmarks::{Landmarks, gaussian};
use crate::{Error, Result, UnitRows, ridge::RidgeWeights};

/// Queries that one thread answers at a time.
const QUERIES: usize = 16;

/// How the kernel's width and the alpha of one target were chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KernelFit {
    /// The target's name.
    pub target: String,
    /// The gamma in force.
    pub gamma: f64,
    /// The alpha in force.
    pub alpha: f64,
    /// Cross-validation of every gamma with every alpha; empty where there were too few rows for one, or nothing is known.
    pub cross_validation: Vec<KernelCvScore>,
}

/// The cross-validation score of one gamma with one alpha.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct KernelCvScore {
    /// The kernel is `exp(-gamma |x - y|^2)`.
    pub gamma: f64,
    /// Penalty of squared coefficients.
    pub alpha: f64,
    /// Mean squared out-of-fold error of differences between LLMs, in the target's unit squared.
    pub difference_error: f64,
}

/// Fitted kernel ridge regression; made by [`super::CheckedKernelParams::fit`], or from what a fit left.
///
/// ```text
/// prediction_m(x) = intercept_m + sum over landmarks l of coefficient_lm * exp(-gamma |x - l|^2)
/// ```
#[derive(Debug, Clone)]
pub struct Kernel {
    landmarks: Landmarks,
    fits: Vec<KernelFit>,
    /// One per target.
    weights: Vec<RidgeWeights>,
}

impl Kernel {
    /// One of each per target.
    pub(super) fn new(
        landmarks: Landmarks,
        fits: Vec<KernelFit>,
        weights: Vec<RidgeWeights>,
    ) -> Self {
        Self {
            landmarks,
            fits,
            weights,
        }
    }

    /// Puts a regression together again from what its fit left ([`Kernel::landmarks`], [`Kernel::fits`], [`Kernel::weights`]). It predicts the
    /// same to the last bit. The landmarks are not copied.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one of each per target, or not one coefficient per landmark; [`Error::BadParameter`] for a gamma that is
    /// not a number above 0.
    pub fn from_parts(
        landmarks: UnitRows,
        fits: Vec<KernelFit>,
        weights: Vec<RidgeWeights>,
    ) -> Result<Self> {
        RidgeWeights::check_all(&weights, fits.len())?;
        if let Some(weights) = weights.first() {
            let found = weights.coefficients().dim();
            if found.0 != landmarks.n_rows() {
                return Err(Error::Shape {
                    what: "coefficients",
                    expected: (landmarks.n_rows(), found.1),
                    found,
                });
            }
        }
        let is_usable = |gamma: f64| gamma.is_finite() && gamma > 0.0;
        if let Some(fit) = fits.iter().find(|fit| !is_usable(fit.gamma)) {
            return Err(Error::BadParameter {
                name: "gamma",
                found: fit.gamma.to_string(),
                expected: "a number above 0",
            });
        }
        Ok(Self::new(Landmarks::new(landmarks), fits, weights))
    }

    /// How each target's gamma and alpha were chosen, in the order in which the targets were given.
    pub fn fits(&self) -> &[KernelFit] {
        &self.fits
    }

    /// The rows that a query is compared with, to be stored.
    pub fn landmarks(&self) -> &UnitRows {
        self.landmarks.rows()
    }

    /// The weights of each target on the kernel's values at the landmarks, to be stored.
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
        let expected = (n_queries, self.landmarks.rows().dim());
        if dim != expected.1 {
            return Err(Error::Shape {
                what: "query embedding",
                expected,
                found: (n_queries, dim),
            });
        }
        let mut predictions = RidgeWeights::empty_predictions(&self.weights, n_queries);
        if n_queries == 0 || self.fits.is_empty() {
            return Ok(predictions);
        }
        let queries = UnitRows::new(embeddings.to_owned())?;
        // For each run of queries its place in each target's predictions.
        let mut runs: Vec<(&[f32], Vec<&mut [f32]>)> = queries
            .slice(0..n_queries)
            .chunks(QUERIES * dim)
            .map(|queries| (queries, Vec::with_capacity(self.fits.len())))
            .collect();
        for predictions in &mut predictions {
            let n_outputs = predictions.ncols();
            let predictions = predictions.as_slice_mut().expect("made row by row");
            let places = predictions.chunks_mut(QUERIES * n_outputs);
            for ((_, of_run), place) in runs.iter_mut().zip(places) {
                of_run.push(place);
            }
        }
        runs.into_par_iter().for_each(|(queries, mut places)| {
            let mut distances = vec![0.0; self.landmarks.len()];
            let mut kernel = vec![0.0; self.landmarks.len()];
            for (i, query) in queries.chunks_exact(dim).enumerate() {
                self.landmarks.squared_distances_of(query, &mut distances);
                let mut gamma = f64::NAN;
                for ((fit, weights), place) in self.fits.iter().zip(&self.weights).zip(&mut places)
                {
                    // Targets of one gamma share the kernel's values.
                    if fit.gamma != gamma {
                        gamma = fit.gamma;
                        for (value, &distance) in kernel.iter_mut().zip(&distances) {
                            *value = gaussian(gamma, distance);
                        }
                    }
                    let n_outputs = weights.intercepts().len();
                    weights.predict(&kernel, &mut place[i * n_outputs..(i + 1) * n_outputs]);
                }
            }
            on_progress((queries.len() / dim) as u64);
        });
        Ok(predictions)
    }
}
