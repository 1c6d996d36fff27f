//! Out-of-fold predictions at every k, from one search.

use std::ops::Range;

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use super::means::{RunningMean, known_means};
use crate::{
    Backend, Result, UnitRows,
    neighbors::{self, Ask, NeighborLists},
    prepared::Prepared,
};

/// Each row's nearest rows in other folds; rows in the order of their folds.
///
/// Memory: 4 bytes for each row and neighbor up to the largest k; while predicting, 20 bytes for each row and output.
#[derive(Debug)]
pub(crate) struct FoldedNeighbors {
    folds: Vec<Range<usize>>,
    /// The candidates, at least one.
    ks: Vec<usize>,
    /// `None` without folds, or where no k is allowed by them.
    lists: Option<NeighborLists>,
}

impl FoldedNeighbors {
    /// Searches once for all k. `rows` are in the order of the folds. A k above the rows of the smallest training side is no candidate; where no
    /// other is, the first is. `on_progress` counts rows.
    pub(crate) fn search(
        rows: &UnitRows,
        folds: &[Range<usize>],
        ks: &[usize],
        backend: Backend,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Self> {
        let n_others = rows.n_rows() - folds.iter().map(Range::len).max().unwrap_or(0);
        let allowed: Vec<usize> = ks.iter().copied().filter(|&k| k <= n_others).collect();
        let lists = if folds.is_empty() || allowed.is_empty() {
            on_progress(rows.n_rows() as u64);
            None
        } else {
            let ask = Ask {
                ks: &allowed,
                backend,
                on_progress,
            };
            Some(neighbors::nearest_in_other_folds(rows, folds, ask)?)
        };
        Ok(Self {
            folds: folds.to_vec(),
            ks: if allowed.is_empty() {
                ks[..1].to_vec()
            } else {
                allowed
            },
            lists,
        })
    }

    /// The candidates: numbers of neighbors.
    pub(crate) fn ks(&self) -> &[usize] {
        &self.ks
    }
}

impl Prepared for FoldedNeighbors {
    fn n_candidates(&self) -> usize {
        self.ks.len()
    }

    fn has_folds(&self) -> bool {
        self.lists.is_some()
    }

    fn out_of_fold(
        &self,
        values: ArrayView2<'_, f32>,
        candidates: &[usize],
        visit: &mut dyn FnMut(usize, Array2<f64>),
    ) {
        let Some(lists) = &self.lists else {
            return;
        };
        let (n_rows, n_outputs) = values.dim();
        let values = values.as_standard_layout();
        // From the other folds only: the mean over all rows would hold the answer that is to be predicted.
        let fallbacks: Vec<_> = (self.folds.iter())
            .map(|fold| known_means(&values, (0..fold.start).chain(fold.end..n_rows)))
            .collect();
        let mut fallback_of_row = Vec::with_capacity(n_rows);
        for (fold, fallback) in self.folds.iter().zip(&fallbacks) {
            fallback_of_row.extend(std::iter::repeat_n(fallback, fold.len()));
        }
        // Neighbors of a larger k are added to those of a smaller one.
        let mut sums: Vec<RunningMean> = (0..n_rows).map(|_| RunningMean::new(n_outputs)).collect();
        let mut start = 0;
        for &candidate in candidates {
            let k = self.ks[candidate];
            let mut predicted = Array2::zeros((n_rows, n_outputs));
            let rows = predicted.as_slice_mut().expect("it was made row by row");
            rows.par_chunks_mut(n_outputs)
                .zip(&mut sums)
                .enumerate()
                .for_each(|(row, (predicted, mean))| {
                    mean.add(&lists.of(row)[start..k], values.view());
                    for (output, predicted) in predicted.iter_mut().enumerate() {
                        *predicted = (mean.get(output)).unwrap_or(fallback_of_row[row][output]);
                    }
                });
            start = k;
            visit(candidate, predicted);
        }
    }
}
