use ndarray::{Array1, Array2, ArrayView1, Axis};

use crate::{Error, Result};

/// z-scores of each column, and back.
#[derive(Debug, Clone, PartialEq)]
pub struct Standardizer {
    mean: Array1<f64>,
    deviation: Array1<f64>,
}

impl Standardizer {
    /// Takes mean and population deviation of each column over its known values (NumPy's `mean` and `std`). A constant column has deviation 0: its
    /// z-scores are 0, and whatever is predicted of them, [`Standardizer::restore`] gives the constant. A column that is known nowhere has
    /// deviation 1.
    ///
    /// # Deviations
    /// scikit-learn's StandardScaler restores a constant column with a scale of 1. A z-score of .2, which a network or a regression pooled over
    /// LLMs may well predict, would then be 20 cents for an LLM that is free.
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
            (mean, if known.is_empty() { 1.0 } else { deviation })
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
    /// [`Error::Shape`] when the two differ in length; [`Error::BadScale`] for a mean that is not finite, or a deviation that is below 0 or not finite.
    pub fn from_parts(mean: Array1<f64>, deviation: Array1<f64>) -> Result<Self> {
        if deviation.len() != mean.len() {
            return Err(Error::Shape {
                what: "deviations",
                expected: (1, mean.len()),
                found: (1, deviation.len()),
            });
        }
        let bad = |what, value, expected| {
            Err(Error::BadScale {
                what,
                value,
                expected,
            })
        };
        if let Some(&x) = mean.iter().find(|x| !x.is_finite()) {
            return bad("mean", x, "a finite number");
        }
        if let Some(&x) = deviation.iter().find(|x| !(x.is_finite() && **x >= 0.0)) {
            return bad("deviation", x, "a number of at least 0");
        }
        Ok(Self { mean, deviation })
    }

    /// The mean of each column; 0 where nothing is known.
    pub fn mean(&self) -> ArrayView1<'_, f64> {
        self.mean.view()
    }

    /// The deviation of each column; 0 where it is constant, 1 where nothing is known.
    pub fn deviation(&self) -> ArrayView1<'_, f64> {
        self.deviation.view()
    }

    /// Values to z-scores.
    pub fn standardize(&self, values: &Array2<f64>) -> Array2<f32> {
        // A constant column has no scale; 0 divided by 1 stays 0.
        let divisor = (self.deviation).mapv(|it| if it > 0.0 { it } else { 1.0 });
        ((values - &self.mean) / &divisor).mapv(|value| value as f32)
    }

    /// z-scores to values.
    pub fn restore(&self, values: &Array2<f32>) -> Array2<f64> {
        values.mapv(f64::from) * &self.deviation + &self.mean
    }
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
            (&array![2.0, 5.0, 0.0], &array![1.0, 0.0, 1.0])
        );
        // Whatever is predicted of a constant, it is the constant.
        let predicted = standardizer.restore(&array![[0.5, -0.25, 0.0]]);
        assert_eq!(predicted, array![[2.5, 5.0, 0.0]]);
        let again = Standardizer::from_parts(mean, deviation);
        assert_eq!(again.expect("good"), standardizer);
    }

    #[test]
    fn stored_moments_are_checked() {
        for (mean, deviation, expected) in [
            (
                array![1.0],
                array![1.0, 1.0],
                "`deviations` has shape (1, 2), expected (1, 1)",
            ),
            (array![f64::NAN], array![1.0], "`mean` is NaN"),
            (array![1.0], array![-1.0], "`deviation` is -1"),
            (array![1.0], array![f64::INFINITY], "`deviation` is inf"),
        ] {
            let error = Standardizer::from_parts(mean, deviation).expect_err(expected);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
