//! What learners are fitted on, and how predictions of it become costs.

mod pair;

use dataset::{CostKind, DatasetInfo, Split};
use ndarray::{Array1, Array2, ArrayView1, Axis};

pub use self::pair::PairOutcome;
use crate::{Error, Result};

/// z-scores of each column, and back.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardizer {
    mean: Array1<f64>,
    deviation: Array1<f64>,
}

impl Standardizer {
    /// Takes mean and population deviation of each column over its known values (NumPy's `mean` and `std`). A column that is constant, or
    /// known nowhere, has deviation 1.
    pub fn fit(values: &Array2<f64>) -> Self {
        let moments = values.axis_iter(Axis(1)).map(|column| {
            let known: Vec<f64> = column
                .iter()
                .copied()
                .filter(|value| !value.is_nan())
                .collect();
            let n = (known.len() as f64).max(1.0);
            let mean = known.iter().sum::<f64>() / n;
            let deviation = (known
                .iter()
                .map(|value| (value - mean).powi(2))
                .sum::<f64>()
                / n)
                .sqrt();
            (mean, if deviation > 0.0 { deviation } else { 1.0 })
        });
        let (mean, deviation): (Vec<f64>, Vec<f64>) = moments.unzip();
        Self {
            mean: mean.into(),
            deviation: deviation.into(),
        }
    }

    /// A standardizer that was fitted before: mean and deviation of each column.
    ///
    /// # Errors
    /// [`Error::Shape`] when the two differ in length; [`Error::BadParameter`] for a mean that is not finite, or a deviation that is not above 0.
    pub fn from_parts(mean: Array1<f64>, deviation: Array1<f64>) -> Result<Self> {
        if deviation.len() != mean.len() {
            return Err(Error::Shape {
                what: "deviation",
                expected: (1, mean.len()),
                found: (1, deviation.len()),
            });
        }
        let bad = |name, found: f64, expected| {
            Err(Error::BadParameter {
                name,
                found: found.to_string(),
                expected,
            })
        };
        if let Some(&x) = mean.iter().find(|x| !x.is_finite()) {
            return bad("mean", x, "a finite number");
        }
        if let Some(&x) = deviation.iter().find(|x| !(x.is_finite() && **x > 0.0)) {
            return bad("deviation", x, "a positive number");
        }
        Ok(Self { mean, deviation })
    }

    /// The mean of each column; 0 where nothing is known.
    pub fn mean(&self) -> ArrayView1<'_, f64> {
        self.mean.view()
    }

    /// The deviation of each column; 1 where it is constant or nothing is known.
    pub fn deviation(&self) -> ArrayView1<'_, f64> {
        self.deviation.view()
    }

    /// Values to z-scores.
    pub fn standardize(&self, values: &Array2<f64>) -> Array2<f32> {
        ((values - &self.mean) / &self.deviation).mapv(|value| value as f32)
    }

    /// z-scores to values.
    pub fn restore(&self, values: &Array2<f32>) -> Array2<f64> {
        values.mapv(f64::from) * &self.deviation + &self.mean
    }
}

/// What an estimator has to predict besides scores, for one cost kind.
#[derive(Debug, Clone, PartialEq)]
pub enum CostTarget {
    /// Raw output tokens.
    OutputTokens(Array2<f32>),
    /// z-scored dollars, and the way back.
    Usd(Array2<f32>, Standardizer),
    /// Nothing: the cost is known before the call.
    Known,
}

impl CostTarget {
    /// The target that a data set's cost kind asks for, from its train split. Matrices have shape `(n_prompts, n_models)`, NaN where unknown.
    pub fn of(kind: CostKind, train: &Split) -> Self {
        match (kind, &train.output_tokens) {
            (CostKind::OutputTokens, Some(tokens)) => {
                Self::OutputTokens(tokens.mapv(|tokens| tokens as f32))
            }
            (CostKind::OutputTokens | CostKind::Usd, _) => {
                let standardizer = Standardizer::fit(&train.cost_usd);
                Self::Usd(standardizer.standardize(&train.cost_usd), standardizer)
            }
            (CostKind::Known, _) => Self::Known,
        }
    }

    /// The target's name and values, if there is something to predict.
    pub fn values(&self) -> Option<(&'static str, &Array2<f32>)> {
        match self {
            Self::OutputTokens(tokens) => Some(("output_tokens", tokens)),
            Self::Usd(z_scores, _) => Some(("cost_z_score", z_scores)),
            Self::Known => None,
        }
    }
}

/// Dollars for each prompt and LLM, from its true input tokens and predicted output tokens, both of shape `(n_prompts, n_models)`.
///
/// ```text
/// cost = (input tokens * input price + output tokens * output price) / 10^6
/// ```
///
/// NaN where an LLM's input tokens are unknown or it has no price. A predicted count below zero counts as zero.
pub fn cost_of_tokens(
    info: &DatasetInfo,
    split: &Split,
    output_tokens: &Array2<f32>,
) -> Array2<f64> {
    Array2::from_shape_fn(output_tokens.dim(), |(prompt, model)| {
        let input = split
            .input_tokens
            .as_ref()
            .map_or(f64::NAN, |tokens| tokens[[prompt, model]]);
        let output = f64::from(output_tokens[[prompt, model]]).max(0.0);
        info.models[model]
            .price
            .as_ref()
            .map_or(f64::NAN, |price| price.cost_usd(input, output))
    })
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn z_scores_leave_unknown_values_out_and_come_back() {
        // Column 0: mean 2, population deviation 1; column 1 is constant; column 2 is unknown.
        let values = array![
            [1.0, 5.0, f64::NAN],
            [3.0, 5.0, f64::NAN],
            [f64::NAN, 5.0, f64::NAN]
        ];
        let standardizer = Standardizer::fit(&values);
        let z_scores = standardizer.standardize(&values);
        assert_eq!(
            z_scores.slice(ndarray::s![..2, ..2]),
            array![[-1.0, 0.0], [1.0, 0.0]]
        );
        assert!(z_scores[[2, 0]].is_nan() && z_scores[[0, 2]].is_nan());
        let restored = standardizer.restore(&z_scores);
        assert_eq!(
            restored.slice(ndarray::s![..2, ..2]),
            values.slice(ndarray::s![..2, ..2])
        );

        let mean = standardizer.mean().to_owned();
        let deviation = standardizer.deviation().to_owned();
        assert_eq!(
            (&mean, &deviation),
            (&array![2.0, 5.0, 0.0], &array![1.0, 1.0, 1.0])
        );
        let again = Standardizer::from_parts(mean, deviation);
        assert_eq!(again.expect("good"), standardizer);
    }

    #[test]
    fn stored_moments_are_checked() {
        for (mean, deviation, expected) in [
            (
                array![1.0],
                array![1.0, 1.0],
                "the deviation matrix has shape (1, 2)",
            ),
            (array![f64::NAN], array![1.0], "`mean` is NaN"),
            (array![1.0], array![0.0], "`deviation` is 0"),
            (array![1.0], array![f64::INFINITY], "`deviation` is inf"),
        ] {
            let error = Standardizer::from_parts(mean, deviation).expect_err(expected);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
