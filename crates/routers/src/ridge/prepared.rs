use std::{ops::Range, sync::OnceLock};

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};
use rayon::prelude::*;

use super::{
    cholesky::Cholesky,
    moments::Moments,
    system::{Known, Side, System},
    targets::Targets,
    weights::RidgeWeights,
};
use crate::{
    folds::k_folds,
    products::{add_product, product},
};

/// Rows that one thread works on at a time.
const ROWS: usize = 256;

/// Features with all that does not depend on targets, for outputs that are known in every row: moments of each fold, and the factored system of
/// each training side and alpha, which is made when it is first asked for.
///
/// Memory in bytes, with `m` features: at most `8 m n_rows + 8 m^2 n_folds + 8 m (m + 64) n_folds n_alphas`. While a fit runs, `8 m^2 n_folds`
/// more; where outputs are unknown in some rows, also `8 m (n_rows + m n_folds + m n_threads)`, once: patterns of unknowns follow one another.
#[derive(Debug)]
pub(crate) struct PreparedRidge {
    /// Shape `(n_rows, m)`, less `center`.
    features: Array2<f64>,
    center: Array1<f64>,
    /// The rows of each fold; one run of all rows where there are too few for folds.
    runs: Vec<Range<usize>>,
    has_folds: bool,
    alphas: Vec<f64>,
    /// Of each run.
    moments: Vec<Moments>,
    /// Of all rows but each fold's, for each alpha. Empty without folds.
    factored: Vec<Vec<OnceLock<Cholesky>>>,
}

/// A fit of some outputs to centred features.
#[derive(Debug, Clone)]
struct Solution {
    /// Shape `(m, n_outputs)`; zero for an output that is known nowhere.
    coefficients: Array2<f64>,
    /// One per output; NaN for an output that is known nowhere.
    intercepts: Array1<f64>,
}

impl Solution {
    fn unknown(m: usize, n_outputs: usize) -> Self {
        Self {
            coefficients: Array2::zeros((m, n_outputs)),
            intercepts: Array1::from_elem(n_outputs, f64::NAN),
        }
    }

    fn set(
        &mut self,
        outputs: &[usize],
        coefficients: ArrayView2<'_, f64>,
        intercepts: ArrayView1<'_, f64>,
    ) {
        for (i, &output) in outputs.iter().enumerate() {
            self.coefficients
                .column_mut(output)
                .assign(&coefficients.column(i));
            self.intercepts[output] = intercepts[i];
        }
    }
}

impl PreparedRidge {
    /// `features` has shape `(n_rows, m)`, its rows in the order of the folds; `folds` is empty where there are too few rows.
    pub(crate) fn new(mut features: Array2<f64>, folds: &[Range<usize>], alphas: &[f64]) -> Self {
        let center = center(&mut features);
        let has_folds = !folds.is_empty();
        let runs = if has_folds {
            folds.to_vec()
        } else {
            k_folds(features.nrows(), 1)
        };
        let moments: Vec<Moments> = runs
            .iter()
            .map(|run| Moments::of(features.slice(s![run.clone(), ..])))
            .collect();
        let factored = folds
            .iter()
            .map(|_| alphas.iter().map(|_| OnceLock::new()).collect())
            .collect();
        Self {
            features,
            center,
            runs,
            has_folds,
            alphas: alphas.to_vec(),
            moments,
            factored,
        }
    }

    pub(crate) fn has_folds(&self) -> bool {
        self.has_folds
    }

    /// As [`crate::prepared::Prepared::out_of_fold`], the candidates being positions among the alphas.
    pub(crate) fn out_of_fold(
        &self,
        values: ArrayView2<'_, f32>,
        alphas: &[usize],
        visit: &mut dyn FnMut(usize, Array2<f64>),
    ) {
        if !self.has_folds {
            return;
        }
        let targets = Targets::new(values, self.features.view(), &self.runs);
        let sides: Vec<Side<'_>> = self
            .factored
            .iter()
            .enumerate()
            .map(|(fold, factored)| self.side(Some(fold), factored))
            .collect();
        let solutions = self.solve(&sides, &targets, alphas);
        for (i, &alpha) in alphas.iter().enumerate() {
            let mut predicted = Array2::zeros(values.dim());
            for (run, solutions) in self.runs.iter().zip(&solutions) {
                let solution = &solutions[i];
                let features = self.features.slice(s![run.clone(), ..]);
                let mut predicted = predicted.slice_mut(s![run.clone(), ..]);
                let chunks: Vec<_> = predicted
                    .axis_chunks_iter_mut(Axis(0), ROWS)
                    .zip(features.axis_chunks_iter(Axis(0), ROWS))
                    .collect();
                chunks
                    .into_par_iter()
                    .for_each(|(mut predicted, features)| {
                        predicted.assign(&product(features, solution.coefficients.view()));
                        predicted += &solution.intercepts;
                    });
            }
            visit(alpha, predicted);
        }
    }

    /// Fits all rows, each output with its own of the alphas, for features that are not centred.
    pub(crate) fn fit(&self, values: ArrayView2<'_, f32>, alpha_of: &[usize]) -> RidgeWeights {
        let mut alphas = alpha_of.to_vec();
        alphas.sort_unstable();
        alphas.dedup();
        let factored: Vec<OnceLock<Cholesky>> =
            self.alphas.iter().map(|_| OnceLock::new()).collect();
        let targets = Targets::new(values, self.features.view(), &self.runs);
        let of_alphas = self.solve(&[self.side(None, &factored)], &targets, &alphas);
        let mut solution = Solution::unknown(self.features.ncols(), values.ncols());
        for (alpha, of_alpha) in alphas.iter().zip(&of_alphas[0]) {
            let outputs: Vec<usize> = (0..alpha_of.len())
                .filter(|&output| alpha_of[output] == *alpha)
                .collect();
            let chosen = of_alpha.coefficients.select(Axis(1), &outputs);
            let intercepts = of_alpha.intercepts.select(Axis(0), &outputs);
            solution.set(&outputs, chosen.view(), intercepts.view());
        }
        let center = self.center.view().insert_axis(Axis(0));
        let shift = product(center, solution.coefficients.view());
        solution.intercepts -= &shift.index_axis(Axis(0), 0);
        RidgeWeights::checked(solution.coefficients, solution.intercepts)
    }

    /// All rows but those of one run.
    fn side<'a>(&self, left_out: Option<usize>, factored: &'a [OnceLock<Cholesky>]) -> Side<'a> {
        let runs = self.moments.iter().enumerate();
        let runs = runs.filter(|&(run, _)| Some(run) != left_out);
        Side {
            left_out,
            moments: Moments::total(self.features.ncols(), runs.map(|(_, moments)| moments)),
            factored,
        }
    }

    /// For each training side, a fit with each of the alphas.
    fn solve(&self, sides: &[Side<'_>], targets: &Targets, alphas: &[usize]) -> Vec<Vec<Solution>> {
        let (m, n_outputs) = (self.features.ncols(), targets.n_outputs());
        let totals: Vec<_> = sides
            .iter()
            .map(|side| targets.total(side.left_out))
            .collect();
        let mut solutions = vec![vec![Solution::unknown(m, n_outputs); alphas.len()]; sides.len()];
        // One pattern after the other, so that the moments of one are held.
        for (i, pattern) in targets.patterns.iter().enumerate() {
            let mut moments = None;
            let sides = sides.iter().zip(&totals).zip(&mut solutions);
            for ((side, (sums, cross)), solutions) in sides {
                // The sum of marks, which is exact.
                let n_known = sums[n_outputs + i] as usize;
                if n_known == 0 {
                    continue;
                }
                let mean = &cross.column(n_outputs + i) / n_known as f64;
                let known = Known {
                    n_rows: n_known,
                    mean: mean.view(),
                };
                let sums = sums.select(Axis(0), &pattern.outputs);
                let mut cross = cross.select(Axis(1), &pattern.outputs);
                let row = sums.view().insert_axis(Axis(0));
                add_product(
                    cross.view_mut(),
                    -1.0,
                    mean.view().insert_axis(Axis(1)),
                    row,
                );
                let system = self.system(side, &known, targets, i, &mut moments);
                let center = targets.center.select(Axis(0), &pattern.outputs);
                let means = sums / n_known as f64 + center;
                let alphas = alphas.par_iter().zip(solutions);
                alphas.for_each(|(&alpha, solution)| {
                    let coefficients = system.solve(alpha, self.alphas[alpha], &cross);
                    let mean = mean.view().insert_axis(Axis(0));
                    let shift = product(mean, coefficients.view());
                    let intercepts = &means - &shift.index_axis(Axis(0), 0);
                    solution.set(&pattern.outputs, coefficients.view(), intercepts.view());
                });
            }
        }
        solutions
    }

    /// The cheapest system of a pattern on a side; `moments` keeps those of the pattern's known rows in each run, once they are needed.
    fn system<'a>(
        &self,
        side: &'a Side<'a>,
        known: &Known<'_>,
        targets: &Targets,
        pattern_idx: usize,
        moments: &mut Option<Vec<Moments>>,
    ) -> System<'a> {
        let m = self.features.ncols();
        let n_unknown = side.moments.n_rows - known.n_rows;
        let marks = targets.column(targets.n_outputs() + pattern_idx);
        let rows = |runs: &mut dyn Iterator<Item = usize>, mark: f64| -> Vec<usize> {
            let rows = runs.flat_map(|run| self.runs[run].clone());
            rows.filter(|&row| marks[row] == mark).collect()
        };
        let mut of_side = (0..self.runs.len()).filter(|&run| Some(run) != side.left_out);
        if n_unknown == 0 {
            System::Complete(side)
        } else if System::is_downdate_cheap(n_unknown, m) {
            let unknown = self.features.select(Axis(0), &rows(&mut of_side, 0.0));
            System::downdated(side, known, unknown.view())
        } else if known.n_rows < m {
            let rows = rows(&mut of_side, 1.0);
            let outputs = &targets.patterns[pattern_idx].outputs;
            let values = Array2::from_shape_fn((rows.len(), outputs.len()), |(i, j)| {
                targets.column(outputs[j])[rows[i]]
            });
            System::dual(
                known,
                self.features.select(Axis(0), &rows).view(),
                values.view(),
            )
        } else {
            let moments = moments.get_or_insert_with(|| {
                let of_run = |run| {
                    let rows = rows(&mut std::iter::once(run), 1.0);
                    Moments::of(self.features.select(Axis(0), &rows).view())
                };
                (0..self.runs.len()).map(of_run).collect()
            });
            System::Direct(Moments::total(m, of_side.map(|run| &moments[run])))
        }
    }
}

/// Takes the mean off each column, and returns it: what all rows share would cost digits in the moments.
fn center(features: &mut Array2<f64>) -> Array1<f64> {
    let chunks: Vec<_> = features.axis_chunks_iter(Axis(0), ROWS).collect();
    let sums: Vec<Array1<f64>> = chunks
        .into_par_iter()
        .map(|rows| rows.sum_axis(Axis(0)))
        .collect();
    let mut mean = Array1::zeros(features.ncols());
    for sum in &sums {
        mean += sum;
    }
    mean /= features.nrows() as f64;
    let chunks: Vec<_> = features.axis_chunks_iter_mut(Axis(0), ROWS).collect();
    chunks.into_par_iter().for_each(|mut rows| rows -= &mean);
    mean
}
