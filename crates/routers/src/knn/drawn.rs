//! Means over few neighbors, drawn to what all LLMs share.

use ndarray::{Array1, Array2, ArrayView2};

use crate::prepared::difference_error;

/// Strengths to choose from, in known values of an LLM in the mean: from none to one that leaves next to nothing of what tells LLMs apart.
const STRENGTHS: [f64; 10] = [0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 64.0];

/// What is known of each output over some rows.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    means: Array1<f64>,
    deviations: Array1<f64>,
    n_known: Array1<f64>,
}

impl Shared {
    /// Of the rows of a matrix that are `among`.
    pub(super) fn of(values: ArrayView2<'_, f32>, among: impl Fn(usize) -> bool) -> Self {
        let n_outputs = values.ncols();
        let known = || {
            (values.indexed_iter())
                .filter(|((row, _), value)| !value.is_nan() && among(*row))
                .map(|((_, output), &value)| (output, f64::from(value)))
        };
        let mut sums = Array1::<f64>::zeros(n_outputs);
        let mut n_known = Array1::<f64>::zeros(n_outputs);
        for (output, value) in known() {
            sums[output] += value;
            n_known[output] += 1.0;
        }
        let means = sums / &n_known;
        let mut squares = Array1::<f64>::zeros(n_outputs);
        for (output, value) in known() {
            squares[output] += (value - means[output]).powi(2);
        }
        let deviations =
            (squares / &n_known).mapv(|it: f64| if it > 0.0 { it.sqrt() } else { 1.0 });
        Self {
            means,
            deviations,
            n_known,
        }
    }

    /// How many values an output has in the mean.
    fn mean_known(&self) -> f64 {
        self.n_known.mean().unwrap_or(0.0)
    }

    /// Draws means over neighbors to what all outputs share.
    ///
    /// ```text
    /// f_m       the mean over the nearest rows that know m
    /// level     mean over m of (f_m - mean_m) / sd_m
    /// drawn_m   = mean_m + sd_m level + n_m / (n_m + strength) (f_m - mean_m - sd_m level)        n_m: how many rows know m
    /// ```
    ///
    /// Whom a log asked seldom is drawn the most: empirical Bayes with a strength in scores. The level is averaged over all LLMs, and so
    /// known far better than any LLM's difference from it. An unknown mean is passed over.
    ///
    /// Source: the shrinkage of Efron and Morris (1973), "Stein's estimation rule and its competitors", with the strength by cross-validation.
    pub(super) fn draw(&self, means: &mut [f64], strength: f64) {
        let parts =
            |output: usize, mean: f64| (mean - self.means[output]) / self.deviations[output];
        let (mut sum, mut n) = (0.0, 0_u32);
        for (output, &mean) in means.iter().enumerate().filter(|(_, it)| !it.is_nan()) {
            sum += parts(output, mean);
            n += 1;
        }
        if n == 0 {
            return;
        }
        let level = sum / f64::from(n);
        for (output, mean) in means.iter_mut().enumerate() {
            let share = self.n_known[output] / (self.n_known[output] + strength);
            let own = parts(output, *mean) - level;
            *mean = self.means[output] + self.deviations[output] * (level + share * own);
        }
    }
}

/// Chooses the strength with the least out-of-fold error of differences between LLMs, for means over neighbors of shape `(n_rows, n_outputs)`, rows
/// in the order of their folds; gives it with the drawn means. `shared` has what is known outside each row's fold.
pub(super) fn choose_strength<'a>(
    truth: ArrayView2<'_, f32>,
    means: &Array2<f64>,
    shared: impl Fn(usize) -> &'a Shared,
) -> (f64, Array2<f64>) {
    // In values, so that one number holds for all folds and for the whole.
    let unit = Shared::of(truth, |_| true).mean_known();
    let mut best: Option<(f64, f64, Array2<f64>)> = None;
    for strength in STRENGTHS.map(|it| it * unit) {
        let mut drawn = means.clone();
        for (row, mut means) in drawn.outer_iter_mut().enumerate() {
            let means = means.as_slice_mut().expect("it was made row by row");
            shared(row).draw(means, strength);
        }
        let error = difference_error(truth, drawn.view());
        if best.as_ref().is_none_or(|(least, ..)| error < *least) {
            best = Some((error, strength, drawn));
        }
    }
    let (_, strength, drawn) = best.expect("there are strengths");
    (strength, drawn)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    const NAN: f32 = f32::NAN;

    #[test]
    fn drawn_by_hand() {
        // Means 1 and 3, deviations 1 and 1, known 2 and 4 times.
        let values = array![
            [0.0, NAN],
            [2.0, NAN],
            [NAN, 2.0],
            [NAN, 4.0],
            [NAN, 2.0],
            [NAN, 4.0]
        ];
        let shared = Shared::of(values.view(), |_| true);
        assert_eq!(shared.mean_known(), 3.0);
        // Differences 1 and -2: level -.5, own 1.5 and -1.5.
        let drawn = |strength| {
            let mut means = [2.0, 1.0];
            shared.draw(&mut means, strength);
            means
        };
        assert_eq!(drawn(0.0), [2.0, 1.0]);
        assert_eq!(drawn(2.0), [1.0 - 0.5 + 1.5 / 2.0, 3.0 - 0.5 - 1.0]);
        let mut unknown = [NAN.into(), 1.0];
        shared.draw(&mut unknown, 4.0);
        assert!(unknown[0].is_nan());
        assert_eq!(unknown[1], 1.0, "the level is its own");
    }

    #[test]
    fn noise_is_drawn_away_and_differences_are_kept() {
        // Each row knows one of two LLMs; the means over neighbors are either the truth or opposed to it.
        let truth = Array2::from_shape_fn((400, 2), |(row, m)| match row % 2 == m {
            true => f32::from(u8::from((row / 2) % 2 == m)),
            false => NAN,
        });
        let shared = Shared::of(truth.view(), |_| true);
        let right =
            Array2::from_shape_fn((400, 2), |(row, m)| f64::from(u8::from((row / 2) % 2 == m)));
        let (strength, drawn) = choose_strength(truth.view(), &right, |_| &shared);
        assert_eq!(strength, 0.0);
        assert_eq!(drawn, right);
        let wrong = 1.0 - right;
        let (strength, _) = choose_strength(truth.view(), &wrong, |_| &shared);
        assert_eq!(strength, 64.0 * 200.0);
    }
}
