use ndarray::{Array1, Array2, ArrayView2, Axis, concatenate, s};
use rayon::prelude::*;

use super::lbfgs::Convex;
use crate::{products::product, ridge::Cholesky};

/// Rows that one thread sums at a time. Sums of such runs are added in order, so that rounding does not depend on the number of threads.
const ROWS_PER_SUM: usize = 512;
/// Rows that the preconditioner is made of, evenly over all. It changes how fast the least value is found, not which one.
const PRECONDITIONER_ROWS: usize = 4096;
/// A point will do when about this much of log-likelihood per row is left to gain: probabilities are then within about its root.
const TOLERANCE_PER_ROW: f64 = 1e-11;
/// Added to each class's number of rows for the second derivative, so that a class without rows has one.
const NEVER_ZERO: f64 = 1.0;

/// Rows with the class of each.
pub(super) struct Labelled {
    /// Shape `(n_rows, dim + 1)`; the last column is 1, for the intercept.
    features: Array2<f64>,
    labels: Vec<usize>,
    n_classes: usize,
}

/// The penalized negative log-likelihood
///
/// ```text
/// sum over rows of -log p_label(x) + alpha / 2 * sum over classes of |w_m|^2
/// ```
///
/// as a function of the weights, of shape `(dim + 1, n_classes)`, the last row being the intercepts.
pub(super) struct Likelihood<'a> {
    rows: &'a Labelled,
    alpha: f64,
    /// One for each class.
    preconditioners: Vec<Option<Cholesky>>,
}

/// What does not depend on alpha.
pub(super) struct Curvature {
    /// `X'X`, scaled to all rows, shape `(dim + 1, dim + 1)`.
    gram: Array2<f64>,
    /// `share (1 - share)` of each class.
    variances: Vec<f64>,
}

impl Labelled {
    /// `rows` has shape `(n_rows, dim)`; labels are below `n_classes`.
    pub(super) fn new(rows: ArrayView2<'_, f32>, labels: Vec<usize>, n_classes: usize) -> Self {
        Self {
            features: features(rows),
            labels,
            n_classes,
        }
    }

    pub(super) fn n_rows(&self) -> usize {
        self.labels.len()
    }

    pub(super) fn label(&self, row: usize) -> usize {
        self.labels[row]
    }

    /// How many rows each class has.
    pub(super) fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.n_classes];
        self.labels.iter().for_each(|&label| counts[label] += 1);
        counts
    }

    /// Weights that say the classes' shares whatever the row. A class without rows keeps the share of a fraction of one, so that its logarithm is
    /// a number.
    pub(super) fn shares_alone(&self) -> Array2<f64> {
        let mut weights = Array2::zeros((self.features.ncols(), self.n_classes));
        let shares = self.counts().into_iter().map(|n| (n as f64).max(0.5).ln());
        let shares = Array1::from_iter(shares);
        let mut intercepts = weights.row_mut(self.features.ncols() - 1);
        intercepts.assign(&(&shares - shares.mean().unwrap_or(0.0)));
        weights
    }

    /// The mean of `-log p_label(x)`.
    pub(super) fn log_loss(&self, weights: &Array2<f64>) -> f64 {
        let runs: Vec<f64> = self
            .runs()
            .map(|run| self.of_run(&run, weights).0)
            .collect();
        runs.iter().sum::<f64>() / self.n_rows() as f64
    }

    pub(super) fn curvature(&self) -> Curvature {
        let n_rows = self.n_rows();
        let step = n_rows.div_ceil(PRECONDITIONER_ROWS).max(1);
        let some = self.features.slice(s![..;step, ..]);
        let mut gram = product(some.t(), some);
        gram *= n_rows as f64 / some.nrows() as f64;
        let n = n_rows as f64 + NEVER_ZERO;
        let variance = |count: usize| {
            let share = (count as f64 + NEVER_ZERO / self.n_classes as f64) / n;
            share * (1.0 - share)
        };
        Curvature {
            gram,
            variances: self.counts().into_iter().map(variance).collect(),
        }
    }

    fn runs(&self) -> impl IndexedParallelIterator<Item = std::ops::Range<usize>> {
        let n_rows = self.n_rows();
        (0..n_rows.div_ceil(ROWS_PER_SUM))
            .into_par_iter()
            .map(move |run| run * ROWS_PER_SUM..n_rows.min((run + 1) * ROWS_PER_SUM))
    }

    /// The loss of a run of rows, and the derivatives by their logits, shape `(rows, n_classes)`.
    fn of_run(&self, run: &std::ops::Range<usize>, weights: &Array2<f64>) -> (f64, Array2<f64>) {
        let features = self.features.slice(s![run.clone(), ..]);
        let mut values = product(features, weights.view());
        let mut loss = 0.0;
        for (mut row, &label) in values.outer_iter_mut().zip(&self.labels[run.clone()]) {
            let logit = row[label];
            let log_sum = softmax(row.as_slice_mut().expect("made row by row"));
            loss += log_sum - logit;
            row[label] -= 1.0;
        }
        (loss, values)
    }
}

/// Rows with a last column of 1.
pub(super) fn features(rows: ArrayView2<'_, f32>) -> Array2<f64> {
    let ones = Array2::ones((rows.nrows(), 1));
    concatenate(Axis(1), &[rows.mapv(f64::from).view(), ones.view()])
        .expect("both have the same rows")
}

/// Turns logits into probabilities; gives the logarithm of the sum of their exponentials.
pub(super) fn softmax(logits: &mut [f64]) -> f64 {
    let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for logit in &mut *logits {
        *logit = (*logit - largest).exp();
        sum += *logit;
    }
    logits.iter_mut().for_each(|it| *it /= sum);
    largest + sum.ln()
}

impl<'a> Likelihood<'a> {
    pub(super) fn new(rows: &'a Labelled, curvature: &Curvature, alpha: f64) -> Self {
        let dim = rows.features.ncols() - 1;
        let of_class = |variance: &f64| {
            let mut matrix = *variance * &curvature.gram;
            for i in 0..dim {
                matrix[[i, i]] += alpha;
            }
            // The intercept has no penalty; the variance of a class keeps it above 0, but for rounding.
            matrix[[dim, dim]] *= 1.0 + 1e-12;
            Cholesky::factor(matrix)
        };
        Self {
            rows,
            alpha,
            preconditioners: curvature.variances.iter().map(of_class).collect(),
        }
    }
}

impl Convex for Likelihood<'_> {
    fn at(&self, weights: &Array2<f64>) -> (f64, Array2<f64>) {
        let of_runs: Vec<(f64, Array2<f64>)> = self
            .rows
            .runs()
            .map(|run| {
                let (loss, by_logits) = self.rows.of_run(&run, weights);
                let features = self.rows.features.slice(s![run, ..]);
                (loss, product(features.t(), by_logits.view()))
            })
            .collect();
        let dim = self.rows.features.ncols() - 1;
        let penalized = weights.slice(s![..dim, ..]);
        let mut gradient = Array2::zeros(weights.dim());
        gradient
            .slice_mut(s![..dim, ..])
            .assign(&(self.alpha * &penalized));
        let mut loss = 0.5 * self.alpha * penalized.iter().map(|w| w * w).sum::<f64>();
        for (of_run, by_weights) in &of_runs {
            loss += of_run;
            gradient += by_weights;
        }
        (loss, gradient)
    }

    fn precondition(&self, gradient: &Array2<f64>) -> Array2<f64> {
        let mut solved = gradient.clone();
        for (class, cholesky) in self.preconditioners.iter().enumerate() {
            let Some(cholesky) = cholesky else { continue };
            let mut column = gradient.slice(s![.., class..=class]).to_owned();
            cholesky.solve(&mut column);
            solved.slice_mut(s![.., class..=class]).assign(&column);
        }
        solved
    }

    fn tolerance(&self) -> f64 {
        TOLERANCE_PER_ROW * self.rows.n_rows() as f64
    }
}
