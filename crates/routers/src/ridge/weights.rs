use std::ops::Range;

use ndarray::{Array1, Array2, s};
use pulp::Arch;

use crate::{Error, Result};

/// Coefficients and intercepts of one target's outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeWeights {
    /// In standard layout.
    coefficients: Array2<f64>,
    intercepts: Array1<f64>,
}

impl RidgeWeights {
    /// `coefficients` has shape `(n_features, n_outputs)`, `intercepts` one value per output: NaN for an output that predicts NaN, because
    /// it was known in no row.
    ///
    /// # Errors
    /// [`Error::Empty`] without features or outputs; [`Error::Shape`] unless there are as many intercepts as outputs; [`Error::BadWeight`] for a
    /// coefficient that is not finite, or an infinite intercept.
    pub fn new(coefficients: Array2<f64>, intercepts: Array1<f64>) -> Result<Self> {
        let (n_features, n_outputs) = coefficients.dim();
        if n_features == 0 || n_outputs == 0 {
            return Err(Error::Empty {
                what: "coefficients",
                shape: (n_features, n_outputs),
            });
        }
        if intercepts.len() != n_outputs {
            return Err(Error::Shape {
                what: "intercepts",
                expected: (1, n_outputs),
                found: (1, intercepts.len()),
            });
        }
        let bad = |name, problem| Err(Error::BadWeight { name, problem });
        if !coefficients.iter().all(|x| x.is_finite()) {
            return bad("coefficients", "has a value that is not finite");
        }
        if intercepts.iter().any(|x| x.is_infinite()) {
            return bad("intercepts", "has an infinite value");
        }
        Ok(Self::checked(coefficients, intercepts))
    }

    pub(crate) fn checked(coefficients: Array2<f64>, intercepts: Array1<f64>) -> Self {
        Self {
            coefficients: if coefficients.is_standard_layout() {
                coefficients
            } else {
                coefficients.as_standard_layout().into_owned()
            },
            intercepts,
        }
    }

    /// Shape `(n_features, n_outputs)`, in standard layout.
    pub fn coefficients(&self) -> &Array2<f64> {
        &self.coefficients
    }

    /// One per output; NaN for an output that predicts NaN.
    pub fn intercepts(&self) -> &Array1<f64> {
        &self.intercepts
    }

    /// Some of the outputs.
    pub(crate) fn columns(&self, outputs: &Range<usize>) -> Self {
        Self::checked(
            self.coefficients.slice(s![.., outputs.clone()]).to_owned(),
            self.intercepts.slice(s![outputs.clone()]).to_owned(),
        )
    }

    /// Refuses weights that do not make one learner of `n_targets` targets.
    pub(crate) fn check_all(weights: &[Self], n_targets: usize) -> Result<()> {
        if weights.len() != n_targets {
            return Err(Error::Shape {
                what: "weights",
                expected: (n_targets, 1),
                found: (weights.len(), 1),
            });
        }
        let shapes = || weights.iter().map(|weights| weights.coefficients.dim());
        let Some((n_features, _)) = shapes().next() else {
            return Ok(());
        };
        match shapes().find(|shape| shape.0 != n_features) {
            None => Ok(()),
            Some(found) => Err(Error::Shape {
                what: "coefficients",
                expected: (n_features, found.1),
                found,
            }),
        }
    }

    /// A matrix of shape `(n_queries, n_outputs)` for each target.
    pub(crate) fn empty_predictions(weights: &[Self], n_queries: usize) -> Vec<Array2<f32>> {
        weights
            .iter()
            .map(|weights| Array2::zeros((n_queries, weights.intercepts.len())))
            .collect()
    }

    /// `intercept + features . coefficients`, summed in float64 from the first feature to the last, whatever the machine.
    pub(crate) fn predict(&self, features: &[f64], prediction: &mut [f32]) {
        let coefficients = self
            .coefficients
            .as_slice()
            .expect("kept in standard layout");
        let mut sums = self.intercepts.to_vec();
        // Compiled for each instruction set: wide registers hold several outputs.
        Arch::new().dispatch(
            #[inline(always)]
            || {
                for (&feature, row) in features
                    .iter()
                    .zip(coefficients.chunks_exact(prediction.len()))
                {
                    for (sum, &coefficient) in sums.iter_mut().zip(row) {
                        *sum += feature * coefficient;
                    }
                }
            },
        );
        for (prediction, sum) in prediction.iter_mut().zip(sums) {
            *prediction = sum as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn weights_are_checked() {
        let refused = |coefficients: Array2<f64>, intercepts: Array1<f64>| {
            let refused = RidgeWeights::new(coefficients, intercepts);
            refused.expect_err("bad weights").to_string()
        };
        let nan = f64::NAN;
        for (message, expected) in [
            (refused(Array2::zeros((0, 1)), array![0.0]), "at least one"),
            (refused(array![[1.0]], array![0.0, 1.0]), "expected (1, 1)"),
            (refused(array![[nan]], array![0.0]), "not finite"),
            (refused(array![[1.0]], array![f64::INFINITY]), "infinite"),
        ] {
            assert!(message.contains(expected), "{message}");
        }
        let good = RidgeWeights::new(array![[1.0, 0.0]], array![0.5, nan]).expect("good");
        let mut prediction = [0.0; 2];
        good.predict(&[2.0], &mut prediction);
        assert!(prediction[0] == 2.5 && prediction[1].is_nan());
        let other = RidgeWeights::new(array![[1.0], [2.0]], array![0.0]).expect("good");
        assert!(RidgeWeights::check_all(&[good.clone(), other], 2).is_err());
        assert!(RidgeWeights::check_all(&[good], 2).is_err());
    }
}
