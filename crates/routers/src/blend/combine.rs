use ndarray::{Array2, ArrayView1, ArrayView2};

/// Weighted predictions less each LLM's mean, taken apart: what all LLMs share in a row, and their differences.
#[derive(Debug)]
pub(super) struct Parts {
    /// One per row.
    pub(super) levels: Vec<f64>,
    /// Shape `(n_rows, n_outputs)`; NaN for an output that has no mean.
    pub(super) deviations: Array2<f64>,
}

/// One learner's predictions with its weights.
pub(super) struct Weighted<'a> {
    pub(super) predicted: ArrayView2<'a, f64>,
    pub(super) deviation: f64,
    pub(super) level: f64,
}

impl Parts {
    /// The parts of some learners' predictions. `means` gives the means of the outputs for a row.
    pub(super) fn of<'a>(
        shape: (usize, usize),
        learners: &[Weighted<'_>],
        means: impl Fn(usize) -> ArrayView1<'a, f64>,
    ) -> Self {
        let (n_rows, n_outputs) = shape;
        let mut parts = Self {
            levels: vec![0.0; n_rows],
            deviations: Array2::zeros(shape),
        };
        for row in 0..n_rows {
            let means = means(row);
            let mut deviations = parts.deviations.row_mut(row);
            for learner in learners {
                let less_mean = |m: usize| learner.predicted[[row, m]] - means[m];
                let (mut sum, mut n) = (0.0, 0_u32);
                for value in (0..n_outputs).map(less_mean).filter(|it| !it.is_nan()) {
                    sum += value;
                    n += 1;
                }
                if n == 0 {
                    continue;
                }
                let level = sum / f64::from(n);
                parts.levels[row] += learner.level * level;
                for (m, deviation) in deviations.iter_mut().enumerate() {
                    *deviation += learner.deviation * (less_mean(m) - level);
                }
            }
        }
        parts
    }

    /// `mean + level + scale * deviation`.
    pub(super) fn scaled<'a>(
        &self,
        scale: f64,
        means: impl Fn(usize) -> ArrayView1<'a, f64>,
    ) -> Array2<f64> {
        let mut predicted = self.deviations.clone();
        for (row, mut values) in predicted.outer_iter_mut().enumerate() {
            for (value, mean) in values.iter_mut().zip(means(row)) {
                *value = mean + self.levels[row] + scale * *value;
            }
        }
        predicted
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn parts_by_hand() {
        let means = array![1.0, 2.0, f64::NAN];
        // Less means: (2, 4): level 3, deviations (-1, 1).
        let predicted = array![[3.0, 6.0, f64::NAN]];
        let learner = Weighted {
            predicted: predicted.view(),
            deviation: 0.5,
            level: 2.0,
        };
        let parts = Parts::of((1, 3), &[learner], |_| means.view());
        assert_eq!(parts.levels, [6.0]);
        let scaled = parts.scaled(2.0, |_| means.view());
        assert_eq!(scaled[[0, 0]], 1.0 + 6.0 - 1.0);
        assert_eq!(scaled[[0, 1]], 2.0 + 6.0 + 1.0);
        assert!(scaled[[0, 2]].is_nan());
        let none = Parts::of((1, 3), &[], |_| means.view());
        assert_eq!(none.scaled(1.0, |_| means.view())[[0, 1]], 2.0);
    }
}
