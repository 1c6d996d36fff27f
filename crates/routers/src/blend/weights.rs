//! The weights of learners, from their out-of-fold predictions.

use std::ops::Range;

use dataset::worth;
use ndarray::{Array2, ArrayView1, ArrayView2};
use rayon::prelude::*;

use super::nnls::NormalEquations;

/// Rows that one thread sums at a time. Sums of such runs are added in order, so that rounding does not depend on the number of threads.
const ROWS_PER_SUM: usize = 256;

/// The weights of the learners of one target, in their order, at least 0.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Weights {
    /// Of differences between LLMs.
    pub(super) deviations: Vec<f64>,
    /// Of means over LLMs.
    pub(super) levels: Vec<f64>,
}

/// The mean of each output over the rows outside each fold, with what was filled in, or weighted where there are weights: what is predicted without
/// routing. NaN for an output whose `truth` is known in none of them. Shape `(n_folds, n_outputs)`.
pub(super) fn means_of_others(
    learned: ArrayView2<'_, f32>,
    truth: ArrayView2<'_, f32>,
    weights: Option<ArrayView2<'_, f64>>,
    folds: &[Range<usize>],
) -> Array2<f64> {
    let values = learned.mapv(f64::from);
    let mut of_folds = Array2::zeros((folds.len(), values.ncols()));
    for (fold, mut row) in folds.iter().zip(of_folds.outer_iter_mut()) {
        let is_other = |row: usize| !fold.contains(&row);
        // Those of what is unknown are 0, so that nothing filled in counts.
        let means = worth::weighted_means(values.view(), weights, is_other);
        row.assign(&ArrayView1::from(&means));
        for (output, mean) in row.iter_mut().enumerate() {
            let mut others = truth.column(output).into_iter().enumerate();
            if !others.any(|(row, value)| is_other(row) && !value.is_nan()) {
                *mean = f64::NAN;
            }
        }
    }
    of_folds
}

/// Non-negative least squares of the truth on the learners' out-of-fold predictions, both less each LLM's mean over the other folds, pooled over
/// LLMs: on each row's differences from its mean over LLMs for the one weights, and on those means for the others.
///
/// All matrices have shape `(n_rows, n_outputs)`, rows in the order of the folds; what is unknown is left out. Where most known values are alone
/// in their row, as in a log of one answer per prompt, no differences are seen: the values themselves are then regressed on what each learner
/// predicts of all LLMs alike and on its differences from that, side by side. All LLMs tell what they share, each only its own difference, which is
/// known far less well.
pub(super) fn weigh(
    truth: ArrayView2<'_, f32>,
    predicted: &[ArrayView2<'_, f64>],
    means: ArrayView2<'_, f64>,
    folds: &[Range<usize>],
) -> Weights {
    let runs: Vec<(usize, Range<usize>)> = (folds.iter().enumerate())
        .flat_map(|(fold, rows)| {
            let starts = rows.clone().step_by(ROWS_PER_SUM);
            starts.map(move |start| (fold, start..rows.end.min(start + ROWS_PER_SUM)))
        })
        .collect();
    let of_runs: Vec<Sums> = runs
        .into_par_iter()
        .map(|(fold, rows)| {
            let mut sums = Sums::default();
            for row in rows {
                sums.add(truth.row(row), predicted, means.row(fold), row);
            }
            sums
        })
        .collect();
    let mut total = Sums::default();
    for run in &of_runs {
        total.merge(run);
    }
    let n = predicted.len();
    if 2 * total.n_alone > total.n_known {
        let both = total.values.solve(2 * n);
        return Weights {
            deviations: both[..n].to_vec(),
            levels: both[n..].to_vec(),
        };
    }
    let solve = |equations: &NormalEquations| equations.solve(n);
    Weights {
        deviations: solve(&total.deviations),
        levels: solve(&total.levels),
    }
}

/// What a learner predicts of all LLMs alike: the mean over those that it predicts, less their means.
fn level_of_all(predicted: ArrayView1<'_, f64>, means: ArrayView1<'_, f64>) -> f64 {
    let less_mean = predicted
        .iter()
        .zip(means)
        .map(|(value, mean)| value - mean);
    let (sum, n) = (less_mean.filter(|it| !it.is_nan()))
        .fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
    sum / f64::from(n)
}

#[derive(Default)]
struct Sums {
    n_known: usize,
    /// Known values whose row knows no other.
    n_alone: usize,
    /// Of the values: differences and levels side by side.
    values: NormalEquations,
    deviations: NormalEquations,
    levels: NormalEquations,
}

impl Sums {
    fn add(
        &mut self,
        truth: ArrayView1<'_, f32>,
        predicted: &[ArrayView2<'_, f64>],
        means: ArrayView1<'_, f64>,
        row: usize,
    ) {
        let known: Vec<usize> = (0..truth.len())
            .filter(|&m| !truth[m].is_nan() && !means[m].is_nan())
            .collect();
        if known.is_empty() {
            return;
        }
        let n = known.len() as f64;
        let truth = |m: usize| f64::from(truth[m]) - means[m];
        let of = |learner: usize, m: usize| predicted[learner][[row, m]] - means[m];
        let mean = |value: &dyn Fn(usize) -> f64| known.iter().map(|&m| value(m)).sum::<f64>() / n;
        let true_level = mean(&truth);
        let learners = 0..predicted.len();
        let levels: Vec<f64> = learners.clone().map(|j| mean(&|m| of(j, m))).collect();
        self.n_known += known.len();
        self.n_alone += usize::from(known.len() == 1);
        self.levels.add(&levels, true_level, n);
        let mut columns = vec![0.0; predicted.len()];
        for &m in &known {
            for j in learners.clone() {
                columns[j] = of(j, m);
            }
            let all = learners
                .clone()
                .map(|j| level_of_all(predicted[j].row(row), means));
            let all: Vec<f64> = all.collect();
            let own = columns.iter().zip(&all).map(|(value, level)| value - level);
            let apart: Vec<f64> = own.chain(all.iter().copied()).collect();
            self.values.add(&apart, truth(m), 1.0);
            for (column, level) in columns.iter_mut().zip(&levels) {
                *column -= level;
            }
            self.deviations.add(&columns, truth(m) - true_level, 1.0);
        }
    }

    fn merge(&mut self, other: &Self) {
        self.n_known += other.n_known;
        self.n_alone += other.n_alone;
        self.values.merge(&other.values);
        self.deviations.merge(&other.deviations);
        self.levels.merge(&other.levels);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn means_are_of_the_other_folds() {
        let values = array![[1.0_f32, f32::NAN], [3.0, 5.0], [0.0, f32::NAN]];
        let means = means_of_others(values.view(), values.view(), None, &[0..2, 2..3]);
        assert_eq!(means[[0, 0]], 0.0);
        assert!(means[[0, 1]].is_nan());
        assert_eq!(means.row(1), array![2.0, 5.0]);
        // What was filled in counts, but makes nothing known.
        let filled = array![[1.0_f32, 3.0], [3.0, 5.0], [0.0, 4.0]];
        let means = means_of_others(filled.view(), values.view(), &[0..2, 2..3]);
        assert!(means[[0, 1]].is_nan());
        assert_eq!(means.row(1), array![2.0, 4.0]);
    }

    #[test]
    fn differences_and_levels_have_weights_of_their_own() {
        // Means are 0. Truth of each row: level + (d, -d); the learner has half the level and a third of d.
        let (levels, differences) = ([1.0, -2.0, 0.5, 3.0], [0.5, 1.0, -1.0, 0.25]);
        let matrix = |level: f64, difference: f64| {
            Array2::from_shape_fn((4, 2), |(row, m)| {
                let sign = [1.0, -1.0][m];
                level * levels[row] + sign * difference * differences[row]
            })
        };
        let truth = matrix(1.0, 1.0).mapv(|it| it as f32);
        let predicted = matrix(0.5, 1.0 / 3.0);
        let means = Array2::zeros((2, 2));
        let weigh = |truth: &Array2<f32>| {
            weigh(
                truth.view(),
                &[predicted.view()],
                means.view(),
                &[0..2, 2..4],
            )
        };
        let weights = weigh(&truth);
        assert!((weights.deviations[0] - 3.0).abs() < 1e-6, "{weights:?}");
        assert!((weights.levels[0] - 2.0).abs() < 1e-6, "{weights:?}");
        // One known value per row: what all LLMs share and the differences still tell themselves apart.
        let mut sparse = truth.clone();
        for row in 0..4 {
            sparse[[row, row % 2]] = f32::NAN;
        }
        let weights = weigh(&sparse);
        assert!((weights.deviations[0] - 3.0).abs() < 1e-6, "{weights:?}");
        assert!((weights.levels[0] - 2.0).abs() < 1e-6, "{weights:?}");
    }
}
