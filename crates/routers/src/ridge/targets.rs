use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, concatenate, s};
use rayon::prelude::*;

use super::patterns::{Pattern, patterns};
use crate::products::product;

/// Features of a tile of products.
const TILE: usize = 256;

/// Targets with their sums over each run of rows. A mark for each pattern of unknown values (1 where known, 0 elsewhere) stands beside them as one
/// more column, so that the same product gives the sums of its known rows' features.
pub(super) struct Targets {
    pub(super) patterns: Vec<Pattern>,
    /// Mean of each output's known values, which is taken off them; NaN for an output that is known nowhere.
    pub(super) center: Array1<f64>,
    /// Shape `(n_rows, n_outputs + n_patterns)`; 0 where unknown.
    columns: Array2<f64>,
    /// Sums of the columns over each run.
    sums: Vec<Array1<f64>>,
    /// Products of features with the columns over each run, shape `(m, n_outputs + n_patterns)`.
    cross: Vec<Array2<f64>>,
}

impl Targets {
    /// `values` has shape `(n_rows, n_outputs)`, NaN where unknown; `features` has shape `(n_rows, m)`.
    pub(super) fn new(
        values: ArrayView2<'_, f32>,
        features: ArrayView2<'_, f64>,
        runs: &[Range<usize>],
    ) -> Self {
        let patterns = patterns(values);
        let mut columns = values.mapv(f64::from);
        let mut center = Array1::from_elem(values.ncols(), f64::NAN);
        for (mut column, center) in columns.columns_mut().into_iter().zip(&mut center) {
            let known = column.iter().filter(|value| !value.is_nan());
            *center = known.clone().sum::<f64>() / known.count() as f64;
            let mean = *center;
            column.mapv_inplace(|value| if value.is_nan() { 0.0 } else { value - mean });
        }
        let mut marks = Array2::zeros((values.nrows(), patterns.len()));
        for (pattern, mut marks) in patterns.iter().zip(marks.columns_mut()) {
            match &pattern.known {
                None => marks.fill(1.0),
                Some(rows) => rows.iter().for_each(|&row| marks[row] = 1.0),
            }
        }
        let columns = concatenate![Axis(1), columns, marks];
        let of_run = |run: &Range<usize>| {
            let run = s![run.clone(), ..];
            (
                columns.slice(run).sum_axis(Axis(0)),
                cross(features.slice(run), columns.slice(run)),
            )
        };
        let (sums, cross) = runs.iter().map(of_run).unzip();
        Self {
            patterns,
            center,
            columns,
            sums,
            cross,
        }
    }

    pub(super) fn n_outputs(&self) -> usize {
        self.center.len()
    }

    /// A column's value in each row: an output's, or the mark of pattern `i` at `n_outputs + i`.
    pub(super) fn column(&self, column: usize) -> ArrayView1<'_, f64> {
        self.columns.column(column)
    }

    /// Sums, and products with features, over all runs but one.
    pub(super) fn total(&self, left_out: Option<usize>) -> (Array1<f64>, Array2<f64>) {
        let mut sums = Array1::zeros(self.columns.ncols());
        let mut cross = Array2::zeros(self.cross[0].dim());
        for (run, (of_run, cross_of_run)) in self.sums.iter().zip(&self.cross).enumerate() {
            if Some(run) != left_out {
                sums += of_run;
                cross += cross_of_run;
            }
        }
        (sums, cross)
    }
}

/// `features' . columns`, tile by tile of the features.
fn cross(features: ArrayView2<'_, f64>, columns: ArrayView2<'_, f64>) -> Array2<f64> {
    let m = features.ncols();
    let starts: Vec<usize> = (0..m).step_by(TILE).collect();
    let products: Vec<Array2<f64>> = starts
        .par_iter()
        .map(|&start| {
            let tile = features.slice(s![.., start..m.min(start + TILE)]);
            product(tile.t(), columns)
        })
        .collect();
    let mut cross = Array2::zeros((m, columns.ncols()));
    for (start, tile) in starts.into_iter().zip(products) {
        cross
            .slice_mut(s![start..start + tile.nrows(), ..])
            .assign(&tile);
    }
    cross
}
