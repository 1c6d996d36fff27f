/// Sums for the coefficient of determination of one output over some rows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct R2Sums {
    pub(crate) n: u32,
    pub(crate) sum: f64,
    pub(crate) sum_of_squares: f64,
    pub(crate) squared_error: f64,
}

impl R2Sums {
    pub(crate) fn add(&mut self, truth: f32, predicted: f64) {
        let truth = f64::from(truth);
        self.n += 1;
        self.sum += truth;
        self.sum_of_squares += truth * truth;
        self.squared_error += (truth - predicted).powi(2);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.sum += other.sum;
        self.sum_of_squares += other.sum_of_squares;
        self.squared_error += other.squared_error;
    }

    /// `1 - SSE / SST`; where the truth is constant, 1 for a perfect prediction and 0 otherwise (scikit-learn's `r2_score` with
    /// `force_finite=True`). `None` for fewer than two rows, where the score is not defined.
    pub(crate) fn score(&self) -> Option<f64> {
        if self.n < 2 {
            return None;
        }
        // Rounding can leave a tiny rest of a constant truth: what is below the sums' own precision counts as none.
        let total = self.sum_of_squares - self.sum * self.sum / f64::from(self.n);
        let is_constant = total <= self.sum_of_squares * f64::EPSILON * f64::from(self.n);
        Some(match (is_constant, self.squared_error == 0.0) {
            (false, _) => 1.0 - self.squared_error / total,
            (true, true) => 1.0,
            (true, false) => 0.0,
        })
    }
}

/// The mean over outputs whose score is defined (scikit-learn's `multioutput="uniform_average"`), or `None` if no output's is.
pub(crate) fn uniform_average<'a>(outputs: impl Iterator<Item = &'a R2Sums>) -> Option<f64> {
    let (mut sum, mut n) = (0.0, 0);
    for score in outputs.filter_map(R2Sums::score) {
        sum += score;
        n += 1;
    }
    (n > 0).then(|| sum / f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(rows: &[(f32, f64)]) -> Option<f64> {
        let mut sums = R2Sums::default();
        rows.iter()
            .for_each(|&(truth, predicted)| sums.add(truth, predicted));
        sums.score()
    }

    #[test]
    fn matches_sklearn_r2_score() {
        // SSE = .25 + .25 + 0 + 1 = 1.5; SST = 29.1875 from the mean 2.875: the example of scikit-learn's documentation, .9486.
        let example = score(&[(3.0, 2.5), (-0.5, 0.0), (2.0, 2.0), (7.0, 8.0)]).expect("four rows");
        assert!((example - 0.948_608_137_044_967_9).abs() < 1e-12);
        assert_eq!(
            score(&[(1.0, 1.0), (1.0, 1.0)]),
            Some(1.0),
            "constant and perfect"
        );
        assert_eq!(
            score(&[(0.1, 0.1), (0.1, 0.2)]),
            Some(0.0),
            "constant and not perfect"
        );
        assert_eq!(score(&[(1.0, 1.0)]), None);
    }
}
