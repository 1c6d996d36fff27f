use std::{borrow::Cow, ops::Range, sync::OnceLock};

use ndarray::{Array1, Array2, ArrayView2, Axis, CowArray, Ix2, s};
use rayon::prelude::*;

use super::{
    cholesky::Cholesky,
    moments::{CrossMoments, Moments},
    patterns::{Pattern, patterns},
    products::product,
    weights::RidgeWeights,
};

/// Rows that one thread works on at a time.
const ROWS: usize = 256;

/// Features with all that does not depend on targets, for outputs that are known in every row: moments of each fold, and the factored system of
/// each training side and alpha, which is made when it is first asked for.
///
/// Memory in bytes, with `m` features: at most `8 m n_rows + 8 m^2 n_folds + 8 m (m + 64) n_folds n_alphas`. A fit of outputs that are unknown
/// in some rows needs as much once more while it runs, but for factors of one fold only; patterns of unknowns follow one another.
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

    fn set(&mut self, outputs: &[usize], (coefficients, intercepts): (Array2<f64>, Array1<f64>)) {
        for (i, &output) in outputs.iter().enumerate() {
            self.coefficients
                .column_mut(output)
                .assign(&coefficients.column(i));
            self.intercepts[output] = intercepts[i];
        }
    }
}

/// Sums over each run's known rows of one pattern.
struct PatternSums<'a> {
    moments: Vec<Cow<'a, Moments>>,
    cross: Vec<CrossMoments>,
    /// What was taken off each target beforehand.
    center: Array1<f64>,
}

impl PreparedRidge {
    /// `features` has shape `(n_rows, m)`, its rows in the order of the folds; `folds` is empty where there are too few rows.
    pub(crate) fn new(mut features: Array2<f64>, folds: &[Range<usize>], alphas: &[f64]) -> Self {
        let center = center(&mut features);
        let has_folds = !folds.is_empty();
        let runs = if has_folds {
            folds.to_vec()
        } else {
            vec![0..features.nrows()]
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
        let solutions = self.solve_folds(values, alphas);
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
        let m = self.features.ncols();
        let mut solution = Solution::unknown(m, values.ncols());
        for pattern in patterns(values) {
            let sums = self.sums(values, &pattern);
            let moments = Moments::total(m, sums.moments.iter().map(AsRef::as_ref));
            let shape = (m, pattern.outputs.len());
            let cross = CrossMoments::total(shape, sums.cross.iter());
            let mut alphas: Vec<usize> = pattern.outputs.iter().map(|&i| alpha_of[i]).collect();
            alphas.sort_unstable();
            alphas.dedup();
            for alpha in alphas {
                let factored = moments.factor(self.alphas[alpha]);
                let (coefficients, intercepts) =
                    cross.solve(&moments, &factored, sums.center.view());
                let with_alpha: Vec<usize> = (0..pattern.outputs.len())
                    .filter(|&i| alpha_of[pattern.outputs[i]] == alpha)
                    .collect();
                let outputs: Vec<usize> = with_alpha.iter().map(|&i| pattern.outputs[i]).collect();
                let chosen = (
                    coefficients.select(Axis(1), &with_alpha),
                    intercepts.select(Axis(0), &with_alpha),
                );
                solution.set(&outputs, chosen);
            }
        }
        let center = self.center.view().insert_axis(Axis(0));
        solution.intercepts -=
            &product(center, solution.coefficients.view()).index_axis(Axis(0), 0);
        RidgeWeights::checked(solution.coefficients, solution.intercepts)
    }

    /// For each fold, a fit of the other folds' rows with each of the alphas.
    fn solve_folds(&self, values: ArrayView2<'_, f32>, alphas: &[usize]) -> Vec<Vec<Solution>> {
        let m = self.features.ncols();
        let mut solutions: Vec<Vec<Solution>> =
            vec![vec![Solution::unknown(m, values.ncols()); alphas.len()]; self.runs.len()];
        // One pattern after the other, so that the moments of one are held.
        for pattern in patterns(values) {
            let sums = self.sums(values, &pattern);
            let shape = (m, pattern.outputs.len());
            for (fold, solutions) in solutions.iter_mut().enumerate() {
                let moments = Moments::total(m, but(fold, sums.moments.iter()).map(AsRef::as_ref));
                if moments.n_rows == 0 {
                    continue;
                }
                let cross = CrossMoments::total(shape, but(fold, sums.cross.iter()));
                solutions
                    .par_iter_mut()
                    .zip(alphas)
                    .for_each(|(solution, &alpha)| {
                        let factor = || moments.factor(self.alphas[alpha]);
                        let factored = match &pattern.known {
                            // Nothing in `factor` waits for another thread, so the lock cannot be asked for twice by one.
                            None => Cow::Borrowed(self.factored[fold][alpha].get_or_init(factor)),
                            Some(_) => Cow::Owned(factor()),
                        };
                        let solved = cross.solve(&moments, &factored, sums.center.view());
                        solution.set(&pattern.outputs, solved);
                    });
            }
        }
        solutions
    }

    fn sums(&self, values: ArrayView2<'_, f32>, pattern: &Pattern) -> PatternSums<'_> {
        let values = values.select(Axis(1), &pattern.outputs).mapv(f64::from);
        let values = match &pattern.known {
            None => values,
            Some(rows) => values.select(Axis(0), rows),
        };
        let center = values.sum_axis(Axis(0)) / values.nrows() as f64;
        let values = values - &center;
        let mut sums = PatternSums {
            moments: Vec::new(),
            cross: Vec::new(),
            center,
        };
        for (run, moments) in self.runs.iter().zip(&self.moments) {
            let (features, known) = self.known(run, pattern);
            sums.moments.push(match &pattern.known {
                None => Cow::Borrowed(moments),
                Some(_) => Cow::Owned(Moments::of(features.view())),
            });
            let values = values.slice(s![known, ..]);
            sums.cross.push(CrossMoments::of(features.view(), values));
        }
        sums
    }

    /// Features of a run's known rows, and where these are among all known rows.
    fn known(
        &self,
        run: &Range<usize>,
        pattern: &Pattern,
    ) -> (CowArray<'_, f64, Ix2>, Range<usize>) {
        match &pattern.known {
            None => {
                let features = self.features.slice(s![run.clone(), ..]);
                (features.into(), run.clone())
            }
            Some(rows) => {
                let start = rows.partition_point(|&row| row < run.start);
                let end = rows.partition_point(|&row| row < run.end);
                let features = self.features.select(Axis(0), &rows[start..end]);
                (features.into(), start..end)
            }
        }
    }
}

/// All but one.
fn but<T>(left_out: usize, all: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    all.enumerate()
        .filter(move |&(i, _)| i != left_out)
        .map(|(_, item)| item)
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
