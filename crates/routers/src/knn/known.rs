//! Neighbors that know: for each output the nearest of the rows in which it is known.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::means::RunningMean;
use crate::{
    NeighborRows, UnitRows,
    neighbors::nearest_by_products,
    prepared::Prepared,
    ridge::{Pattern, patterns},
};

/// An index of known rows for each pattern of unknown values: in a log of one answer per prompt, one for each LLM.
///
/// Neighbors are searched for by matrix products, whatever the back end: the trees of others would have to be grown for each pattern, and the
/// neighbors are the same. Memory: each row once for every pattern that knows it, which in such a log is once.
#[derive(Debug, Clone)]
pub(super) struct KnownRows {
    indices: Vec<Index>,
    n_outputs: usize,
}

/// Rows that know some outputs.
#[derive(Debug, Clone)]
struct Index {
    rows: NeighborRows,
    outputs: Vec<usize>,
    /// Of those outputs in those rows, all known.
    values: Array2<f32>,
}

impl KnownRows {
    /// Of `rows` those that are `among`; `values` has shape `(n_rows, n_outputs)`, NaN where unknown.
    pub(super) fn new(
        rows: &NeighborRows,
        values: ArrayView2<'_, f32>,
        among: impl Fn(usize) -> bool,
    ) -> Self {
        let index = |pattern: Pattern| -> Option<Index> {
            let known = pattern
                .known
                .unwrap_or_else(|| (0..rows.n_rows()).collect());
            let known: Vec<usize> = known.into_iter().filter(|&row| among(row)).collect();
            (!known.is_empty()).then(|| Index {
                rows: rows.select(&known),
                values: Array2::from_shape_fn((known.len(), pattern.outputs.len()), |(i, j)| {
                    values[[known[i], pattern.outputs[j]]]
                }),
                outputs: pattern.outputs,
            })
        };
        Self {
            indices: patterns(values).into_iter().filter_map(index).collect(),
            n_outputs: values.ncols(),
        }
    }

    /// Means over the `k` nearest known rows of each output, for each of the ascending `ks`, and over all of them where there are fewer; NaN for an
    /// output that no row knows. The matrices have shape `(n_queries, n_outputs)`.
    pub(super) fn means(&self, queries: &UnitRows, ks: &[usize]) -> Vec<Array2<f64>> {
        let n_queries = queries.n_rows();
        let unknown = Array2::from_elem((n_queries, self.n_outputs), f64::NAN);
        let mut means = vec![unknown; ks.len()];
        for index in &self.indices {
            let capped: Vec<usize> = ks.iter().map(|&k| k.min(index.rows.n_rows())).collect();
            let mut distinct = capped.clone();
            distinct.dedup();
            let lists = nearest_by_products(queries, &index.rows, &distinct);
            let of_query = |query: usize| -> Vec<f64> {
                let mut mean = RunningMean::new(index.outputs.len());
                let mut found = Vec::with_capacity(capped.len() * index.outputs.len());
                let mut start = 0;
                for &k in &capped {
                    mean.add(&lists.of(query)[start..k], index.values.view());
                    start = k;
                    let outputs = 0..index.outputs.len();
                    found.extend(outputs.map(|output| mean.get(output).unwrap_or(f64::NAN)));
                }
                found
            };
            let of_queries: Vec<Vec<f64>> = (0..n_queries).into_par_iter().map(of_query).collect();
            for (query, found) in of_queries.iter().enumerate() {
                for (means, found) in means.iter_mut().zip(found.chunks(index.outputs.len())) {
                    for (&output, &value) in index.outputs.iter().zip(found) {
                        means[[query, output]] = value;
                    }
                }
            }
        }
        means
    }
}

/// Out-of-fold means over known neighbors; rows in the order of their folds.
///
/// Cost: for a log of one answer per prompt `(1 - 1 / n_folds) n_rows^2 dim` multiply-adds, twice as many as the search among all rows takes.
/// Memory: a matrix of the targets' shape for each k.
#[derive(Debug)]
pub(crate) struct FoldedKnown<'a> {
    rows: &'a UnitRows,
    folds: &'a [Range<usize>],
    ks: Vec<usize>,
}

impl<'a> FoldedKnown<'a> {
    /// `rows` are in the order of the folds; there is at least one k.
    pub(crate) fn new(rows: &'a UnitRows, folds: &'a [Range<usize>], ks: &[usize]) -> Self {
        Self {
            rows,
            folds,
            ks: ks.to_vec(),
        }
    }

    /// The same without each k that exceeds what any output is known in outside a fold, but for the first.
    pub(crate) fn allowed_by(mut self, values: ArrayView2<'_, f32>) -> Self {
        let n_known = values.map_axis(Axis(0), |column| {
            column.iter().filter(|value| !value.is_nan()).count()
        });
        let most = n_known.iter().max().copied().unwrap_or(0);
        let n_folds = self.folds.len().max(2);
        let largest = (most * (n_folds - 1) / n_folds).max(self.ks[0]);
        self.ks.retain(|&k| k <= largest);
        self
    }

    /// The candidates: numbers of neighbors that know.
    pub(crate) fn ks(&self) -> &[usize] {
        &self.ks
    }
}

impl Prepared for FoldedKnown<'_> {
    fn n_candidates(&self) -> usize {
        self.ks.len()
    }

    fn has_folds(&self) -> bool {
        !self.folds.is_empty()
    }

    fn out_of_fold(
        &self,
        values: ArrayView2<'_, f32>,
        candidates: &[usize],
        visit: &mut dyn FnMut(usize, Array2<f64>),
    ) {
        let ks: Vec<usize> = candidates.iter().map(|&it| self.ks[it]).collect();
        let mut predicted = vec![Array2::zeros(values.dim()); ks.len()];
        let rows = NeighborRows::from(self.rows.clone());
        for fold in self.folds {
            let known = KnownRows::new(&rows, values, |row| !fold.contains(&row));
            let queries: Vec<usize> = fold.clone().collect();
            let of_fold = known.means(&self.rows.select(&queries), &ks);
            for (predicted, of_fold) in predicted.iter_mut().zip(of_fold) {
                predicted
                    .slice_mut(ndarray::s![fold.clone(), ..])
                    .assign(&of_fold);
            }
        }
        for (&candidate, predicted) in candidates.iter().zip(predicted) {
            visit(candidate, predicted);
        }
    }
}
