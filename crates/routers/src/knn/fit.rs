use std::ops::Range;

use ndarray::ArrayView2;
use rayon::prelude::*;

use super::{
    means::{RunningMean, known_means},
    model::Knn,
    params::CheckedKnnParams,
    target::{CvScore, Target, TargetFit, output_ranges, side_by_side},
};
use crate::{
    Result, UnitRows,
    folds::k_folds,
    neighbors::{self, Ask, NeighborLists},
    r2::{R2Sums, uniform_average},
};

/// Rows whose errors are summed by one thread at a time. Sums of such runs are added in order, so that rounding does not depend on the
/// number of threads.
const ROWS_PER_SUM: usize = 256;

impl CheckedKnnParams {
    /// Chooses k for each target by cross-validation and keeps all rows, brought to length 1, as neighbors-to-be.
    ///
    /// ```text
    /// prediction(x) = mean of y_i over the k rows i with the highest cos(x, x_i)
    /// k             = the first of the candidates with the best mean over folds of R2, as `KFold(n_folds)` cuts the rows
    /// R2            = mean over outputs of 1 - sum (y - prediction)^2 / sum (y - mean y)^2
    /// ```
    ///
    /// `embeddings` has shape `(n_rows, dim)`, each target `(n_rows, n_outputs)`. `on_progress` counts rows searched for. One search, in which
    /// each row finds its nearest rows outside its own fold, serves all k and all targets. Cost: 0.4 n^2 dim multiply-adds with five folds.
    ///
    /// Source: the reference's `KNeighborsRegressor(metric="cosine")` under `cross_val_score(cv=5)`, in
    /// somerstep/CARROT at 3e6acff.
    ///
    /// # Deviations
    /// scikit-learn breaks ties between equally near rows arbitrarily; here the lower row number wins. Unknown values, which scikit-learn
    /// refuses, are left out: a prediction is the mean over those of the k neighbors that have a value, or over all rows where none has
    /// one; a score counts known values only. A candidate that exceeds the rows of the smallest training side is left out, where
    /// scikit-learn fails. With fewer than `2 * n_folds` rows there is no cross-validation, and k is the first candidate; no k exceeds the
    /// number of rows.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] when a target has other rows than the embeddings; [`crate::Error::Empty`], [`crate::Error::NotFinite`] or
    /// [`crate::Error::TooManyRows`] for the embeddings; [`crate::Error::Backend`].
    pub fn fit(
        &self,
        embeddings: ArrayView2<'_, f32>,
        targets: &[Target],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Knn> {
        let n_rows = embeddings.nrows();
        let values = side_by_side(n_rows, targets)?;
        let rows = UnitRows::new(embeddings.to_owned())?;
        let outputs = output_ranges(targets);
        let tables = self.cross_validate(&rows, values.view(), &outputs, on_progress)?;
        let fits = targets
            .iter()
            .zip(tables)
            .map(|(target, cross_validation)| TargetFit {
                target: target.name.clone(),
                n_neighbors: best(&cross_validation)
                    .unwrap_or(self.0.n_neighbors[0])
                    .min(n_rows),
                cross_validation,
            })
            .collect();
        Ok(Knn::new(rows, values, fits, outputs, self.0.backend))
    }

    /// The score of every k that the folds allow, for each target.
    fn cross_validate(
        &self,
        rows: &UnitRows,
        values: ArrayView2<'_, f32>,
        outputs: &[Range<usize>],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<Vec<CvScore>>> {
        let n_rows = rows.n_rows();
        let folds = k_folds(n_rows, self.0.n_folds);
        let n_others = n_rows - folds.first().map_or(0, Range::len);
        let ks: Vec<usize> = self
            .0
            .n_neighbors
            .iter()
            .copied()
            .filter(|&k| k <= n_others)
            .collect();
        // With one row in a fold its R2 has no variance to be measured against.
        if n_rows < 2 * self.0.n_folds || ks.is_empty() {
            on_progress(n_rows as u64);
            return Ok(vec![Vec::new(); outputs.len()]);
        }
        let ask = Ask {
            ks: &ks,
            backend: self.0.backend,
            on_progress,
        };
        let lists = neighbors::nearest_in_other_folds(rows, &folds, ask)?;
        let folds: Vec<FoldSums> = folds
            .iter()
            .map(|fold| sum_fold(fold.clone(), &lists, &ks, values))
            .collect();
        let table = |outputs: &Range<usize>| {
            let scores = ks.iter().enumerate().map(|(i, &n_neighbors)| {
                let of_folds: Vec<f64> = folds
                    .iter()
                    .filter_map(|fold| uniform_average(fold[i][outputs.clone()].iter()))
                    .collect();
                CvScore {
                    n_neighbors,
                    mean_r2: of_folds.iter().sum::<f64>() / of_folds.len() as f64,
                }
            });
            scores.collect()
        };
        Ok(outputs.iter().map(table).collect())
    }
}

/// One sum for each k and output.
type FoldSums = Vec<Vec<R2Sums>>;

fn sum_fold(
    fold: Range<usize>,
    lists: &NeighborLists,
    ks: &[usize],
    values: ArrayView2<'_, f32>,
) -> FoldSums {
    let n_rows = values.nrows();
    let others = (0..fold.start).chain(fold.end..n_rows);
    // From the other folds only: the mean over all rows would hold the answer that is to be predicted.
    let fallback = known_means(&values, others);
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
                    if !truth.is_nan() {
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

/// The first of the best; a score that is not defined is never the best.
fn best(table: &[CvScore]) -> Option<usize> {
    let defined = table.iter().filter(|score| !score.mean_r2.is_nan());
    defined
        .reduce(|best, score| {
            if score.mean_r2 > best.mean_r2 {
                score
            } else {
                best
            }
        })
        .map(|score| score.n_neighbors)
}
