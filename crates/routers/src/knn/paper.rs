//! The paper's choice of k: unshuffled folds, R2.

use std::ops::Range;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{
    means::{RunningMean, known_means},
    target::CvScore,
};
use crate::{
    neighbors::NeighborLists,
    r2::{R2Sums, uniform_average},
};

/// Rows whose errors are summed by one thread at a time. Sums of such runs are added in order, so that rounding does not depend on the
/// number of threads.
const ROWS_PER_SUM: usize = 256;

/// What is looked at: each row's neighbors outside its fold.
pub(super) struct Folded<'a> {
    pub(super) folds: &'a [Range<usize>],
    pub(super) lists: &'a NeighborLists,
    pub(super) ks: &'a [usize],
}

/// The score of every k, for each target.
pub(super) fn cross_validate(
    folded: &Folded<'_>,
    values: ArrayView2<'_, f32>,
    outputs: &[Range<usize>],
) -> Vec<Vec<CvScore>> {
    let folds = folded.folds.iter();
    let folds: Vec<FoldSums> = folds
        .map(|fold| sum_fold(fold.clone(), folded, values))
        .collect();
    let table = |outputs: &Range<usize>| {
        let scores = folded.ks.iter().enumerate().map(|(i, &n_neighbors)| {
            let of_folds: Vec<f64> = folds
                .iter()
                .filter_map(|fold| uniform_average(fold[i][outputs.clone()].iter()))
                .collect();
            CvScore {
                n_neighbors,
                mean_r2: of_folds.iter().sum::<f64>() / of_folds.len() as f64,
                mean_gain: None,
                difference_error: None,
                prior_values: None,
                standard_error: None,
            }
        });
        scores.collect()
    };
    outputs.iter().map(table).collect()
}

/// One sum for each k and output.
type FoldSums = Vec<Vec<R2Sums>>;

fn sum_fold(fold: Range<usize>, folded: &Folded<'_>, values: ArrayView2<'_, f32>) -> FoldSums {
    let Folded { lists, ks, .. } = folded;
    let n_rows = values.nrows();
    let others = (0..fold.start).chain(fold.end..n_rows);
    // From the other folds only: the mean over all rows would hold the answer that is to be predicted.
    let fallback = known_means(&values, others);
    warn_of_unknown(&fold, fallback.iter().filter(|it| it.is_nan()).count());
    let empty = || vec![vec![R2Sums::default(); values.ncols()]; ks.len()];
    let sum_run = |run: Range<usize>| {
        let mut sums = empty();
        for row in run {
            let mut mean = RunningMean::new(values.ncols());
            let mut start = 0;
            for (&k, sums) in ks.iter().zip(&mut sums) {
                mean.add(&lists.of(row)[start..k], values);
                start = k;
                for (output, sums) in sums.iter_mut().enumerate() {
                    let truth = values[[row, output]];
                    // Known in no other fold, an output cannot be predicted here, and says nothing of any k.
                    if !truth.is_nan() && !fallback[output].is_nan() {
                        sums.add(truth, mean.get(output).unwrap_or(fallback[output]));
                    }
                }
            }
        }
        sums
    };
    let runs: Vec<Range<usize>> = fold
        .clone()
        .step_by(ROWS_PER_SUM)
        .map(|start| start..fold.end.min(start + ROWS_PER_SUM))
        .collect();
    let of_runs: Vec<FoldSums> = runs.into_par_iter().map(sum_run).collect();
    of_runs.iter().fold(empty(), |mut total, run| {
        for (total, sums) in total.iter_mut().flatten().zip(run.iter().flatten()) {
            total.merge(sums);
        }
        total
    })
}

fn warn_of_unknown(fold: &Range<usize>, n_unknown: usize) {
    if n_unknown > 0 {
        tracing::warn!(
            n_outputs = n_unknown,
            rows = ?fold,
            "outputs without a known value outside these rows are left out when k is chosen"
        );
    }
}
