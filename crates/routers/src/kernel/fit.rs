use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::{
    landmarks::{Landmarks, gaussian},
    model::{Kernel, KernelCvScore, KernelFit},
    params::{CheckedKernelParams, KernelParams},
};
use crate::{
    Error, Result, Rows, Target, UnitRows,
    fold_order::FoldOrder,
    prepared::{Choice, Chosen, Prepared, fit_best, fit_best_known, known_side_by_side},
    ridge::{Cholesky, PreparedRidge, RidgeWeights},
};

/// Rows whose features one thread computes at a time.
const ROWS: usize = 256;

/// Rows with all features and sums that do not depend on targets; made by [`CheckedKernelParams::prepare`].
#[derive(Debug)]
pub struct PreparedKernel {
    order: FoldOrder,
    folded: FoldedKernel,
}

impl CheckedKernelParams {
    /// Fits a kernel ridge regression in Nystrom's approximation to each target.
    ///
    /// ```text
    /// k(x, y)         = exp(-gamma |x - y|^2)       of embeddings of length 1
    /// phi(x)          = L^-1 k(landmarks, x)        K = L L' is the landmarks' own kernel matrix
    /// prediction_m(x) = b_m + phi(x) . w_m
    /// w_m, b_m        = argmin of  sum over rows whose y_m is known or filled in of (y_m - b_m - phi(x) . w_m)^2 + alpha |w_m|^2
    /// gamma, alpha    = for each target the first of the candidates, gamma by gamma, with the least out-of-fold squared error of differences
    ///                   between LLMs: each row's prediction and truth less their mean over the LLMs known in the row
    /// ```
    ///
    /// The landmarks are `n_landmarks` distinct rows, drawn by the seed from all rows: also from those that a fold leaves out, but never their
    /// targets. Kept are `L'^-1 w_m` and b_m, so that a prediction needs the kernel's values alone.
    ///
    /// `embeddings` has shape `(n_rows, dim)`, each target `(n_rows, n_outputs)`, NaN where unknown; `on_progress` counts rows. All is computed in
    /// float64. Unknown values are filled in, and outputs that are unknown everywhere, in a fold, and tables too small for folds are treated as in
    /// [`crate::CheckedLinearParams::fit`].
    ///
    /// Cost in multiply-adds, with m landmarks: `n_rows m dim` for distances; for each gamma `n_rows m^2` for features and sums and
    /// `n_folds n_alphas m^3 / 6` for factors, all once; for a fit `n_gammas n_alphas n_rows m` for each output. Outputs that are unknown in the
    /// same rows share a system of their own, as there.
    ///
    /// Sources: Williams and Seeger (2001), "Using the Nystrom method to speed up kernel machines"; scikit-learn's
    /// `Nystroem(kernel="rbf")` under `Ridge(fit_intercept=True)`, which predicts the same with the same landmarks (tests/ridge).
    ///
    /// # Deviations
    /// scikit-learn takes the symmetric root of K, from its singular values; any root predicts the same, and L costs a tenth. 1e-10 is added to K's
    /// diagonal where scikit-learn lifts singular values to 1e-12. scikit-learn may draw equal rows.
    ///
    /// # Errors
    /// As [`CheckedKernelParams::prepare`] and [`PreparedKernel::fit`].
    pub fn fit(
        &self,
        embeddings: ArrayView2<'_, f32>,
        targets: &[Target],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Kernel> {
        known_side_by_side(embeddings.nrows(), targets)?;
        self.prepare(embeddings, on_progress)?.fit(targets)
    }

    /// All that a fit needs and that does not depend on its targets; `on_progress` counts rows.
    ///
    /// Memory in bytes, with m landmarks: at most `8 m n_gammas (n_rows + m n_folds (1 + n_alphas))`, and a little for edges of blocks.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::NotFinite`] or [`Error::TooManyRows`] for the embeddings; [`Error::Shape`] when there is not one group per
    /// row.
    pub fn prepare<'a>(
        &self,
        rows: impl Into<Rows<'a>>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<PreparedKernel> {
        let (rows, order) = rows.into().folded(self.0.n_folds, self.0.seed)?;
        let rows = order.unit_rows(&rows)?;
        let landmarks = Landmarks::draw(&rows, self.0.n_landmarks, self.0.seed)?;
        let folded = FoldedKernel::new(&rows, order.folds(), landmarks, &self.0, on_progress);
        Ok(PreparedKernel { order, folded })
    }

    /// As [`CheckedKernelParams::prepare`], with landmarks of the caller's, which are taken as they are.
    ///
    /// # Errors
    /// Those, and [`Error::Shape`] when the landmarks have another dimension.
    pub fn prepare_with<'a>(
        &self,
        rows: impl Into<Rows<'a>>,
        landmarks: UnitRows,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<PreparedKernel> {
        let (rows, order) = rows.into().folded(self.0.n_folds, self.0.seed)?;
        if landmarks.dim() != rows.dim() {
            return Err(Error::Shape {
                what: "landmarks",
                expected: (landmarks.n_rows(), rows.dim()),
                found: (landmarks.n_rows(), landmarks.dim()),
            });
        }
        let rows = order.unit_rows(&rows)?;
        let landmarks = Landmarks::new(landmarks);
        let folded = FoldedKernel::new(&rows, order.folds(), landmarks, &self.0, on_progress);
        Ok(PreparedKernel { order, folded })
    }
}

impl PreparedKernel {
    /// Chooses a gamma and an alpha for each target and fits all rows ([`CheckedKernelParams::fit`]).
    ///
    /// # Errors
    /// [`Error::Shape`] when a target has other rows than the embeddings; [`Error::Empty`] for one without columns; [`Error::InfiniteTarget`].
    pub fn fit(&self, targets: &[Target]) -> Result<Kernel> {
        fit_best(&self.folded, &self.order, targets, |chosen| {
            self.folded.fit_at(chosen)
        })
    }

    /// The same from what is known alone: each output by the rows that know it, as if the others told nothing of it.
    ///
    /// # Errors
    /// As [`PreparedKernel::fit`].
    pub fn fit_known(&self, targets: &[Target]) -> Result<Kernel> {
        fit_best_known(&self.folded, &self.order, targets, |chosen| {
            self.folded.fit_at(chosen)
        })
    }
}

/// Rows in the order of their folds, ready for any targets. A candidate is a gamma with an alpha; those of one gamma follow one another.
#[derive(Debug)]
pub(crate) struct FoldedKernel {
    landmarks: Landmarks,
    gammas: Vec<f64>,
    alphas: Vec<f64>,
    /// The landmarks' own kernel, for each gamma.
    roots: Vec<Cholesky>,
    /// On the features of each gamma.
    ridges: Vec<PreparedRidge>,
}

impl FoldedKernel {
    /// `rows` are in the order of the folds, of which there are none where rows are too few. `on_progress` counts rows.
    pub(crate) fn new(
        rows: &UnitRows,
        folds: &[Range<usize>],
        landmarks: Landmarks,
        params: &KernelParams,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Self {
        let (gammas, alphas) = (params.gammas.clone(), params.alphas.clone());
        let roots: Vec<Cholesky> = gammas
            .par_iter()
            .map(|&gamma| landmarks.factor(gamma))
            .collect();
        let ridges = features(rows, &landmarks, &gammas, &roots, on_progress)
            .into_iter()
            .map(|features| PreparedRidge::new(features, folds, &alphas))
            .collect();
        Self {
            landmarks,
            gammas,
            alphas,
            roots,
            ridges,
        }
    }

    /// Fits all rows at what was chosen.
    pub(crate) fn fit_at(&self, chosen: Chosen<'_>) -> Kernel {
        let (outputs, choices) = (chosen.outputs, chosen.choices);
        let mut weights: Vec<Option<RidgeWeights>> = vec![None; outputs.len()];
        for (gamma, (ridge, root)) in self.ridges.iter().zip(&self.roots).enumerate() {
            // The targets of this gamma, side by side once more.
            let (mut columns, mut alpha_of, mut targets) = (Vec::new(), Vec::new(), Vec::new());
            for (target, (outputs, choice)) in outputs.iter().zip(choices).enumerate() {
                if self.split(choice.candidate).0 == gamma {
                    targets.push((target, columns.len()..columns.len() + outputs.len()));
                    columns.extend(outputs.clone());
                    alpha_of.resize(columns.len(), self.split(choice.candidate).1);
                }
            }
            if columns.is_empty() {
                continue;
            }
            let values = chosen.values.select(Axis(1), &columns);
            let solved = ridge.fit(values.view(), &alpha_of);
            let mut coefficients = solved.coefficients().clone();
            root.solve_transposed(&mut coefficients);
            let on_kernel = RidgeWeights::checked(coefficients, solved.intercepts().clone());
            for (target, columns) in targets {
                weights[target] = Some(on_kernel.columns(&columns));
            }
        }
        let fits = chosen
            .targets
            .iter()
            .zip(choices)
            .map(|(target, choice)| {
                let (gamma, alpha) = self.split(choice.candidate);
                KernelFit {
                    target: target.name.clone(),
                    gamma: self.gammas[gamma],
                    alpha: self.alphas[alpha],
                    cross_validation: self.table(chosen.candidates, choice),
                }
            })
            .collect();
        Kernel::new(
            self.landmarks.clone(),
            fits,
            weights.into_iter().flatten().collect(),
        )
    }

    /// The cross-validation of some candidates.
    fn table(&self, candidates: &[usize], choice: &Choice) -> Vec<KernelCvScore> {
        let scores = candidates.iter().zip(&choice.errors);
        scores
            .filter(|(_, error)| error.is_finite())
            .map(|(&candidate, &difference_error)| {
                let (gamma, alpha) = self.split(candidate);
                KernelCvScore {
                    gamma: self.gammas[gamma],
                    alpha: self.alphas[alpha],
                    difference_error,
                }
            })
            .collect()
    }

    /// Positions of a candidate's gamma and alpha.
    fn split(&self, candidate: usize) -> (usize, usize) {
        (candidate / self.alphas.len(), candidate % self.alphas.len())
    }
}

impl Prepared for FoldedKernel {
    fn n_candidates(&self) -> usize {
        self.gammas.len() * self.alphas.len()
    }

    fn has_folds(&self) -> bool {
        self.ridges.iter().all(PreparedRidge::has_folds)
    }

    fn out_of_fold(
        &self,
        values: ArrayView2<'_, f32>,
        candidates: &[usize],
        visit: &mut dyn FnMut(usize, Array2<f64>),
    ) {
        for (gamma, ridge) in self.ridges.iter().enumerate() {
            let first = gamma * self.alphas.len();
            let alphas: Vec<usize> = candidates
                .iter()
                .filter(|&&candidate| self.split(candidate).0 == gamma)
                .map(|&candidate| self.split(candidate).1)
                .collect();
            if !alphas.is_empty() {
                ridge.out_of_fold(values, &alphas, &mut |alpha, predicted| {
                    visit(first + alpha, predicted);
                });
            }
        }
    }
}

/// phi of all rows for each gamma, of shape `(n_rows, n_landmarks)`; the distances serve all gammas.
fn features(
    rows: &UnitRows,
    landmarks: &Landmarks,
    gammas: &[f64],
    roots: &[Cholesky],
    on_progress: &(dyn Fn(u64) + Sync),
) -> Vec<Array2<f64>> {
    let shape = (rows.n_rows(), landmarks.len());
    let mut features: Vec<Array2<f64>> = gammas.iter().map(|_| Array2::zeros(shape)).collect();
    // For each run of rows its place in the features of each gamma.
    let rows = rows.view();
    let mut runs: Vec<_> = rows
        .axis_chunks_iter(Axis(0), ROWS)
        .map(|rows| (rows, Vec::with_capacity(gammas.len())))
        .collect();
    for features in &mut features {
        let places = features.axis_chunks_iter_mut(Axis(0), ROWS);
        for ((_, of_run), place) in runs.iter_mut().zip(places) {
            of_run.push(place);
        }
    }
    runs.into_par_iter().for_each(|(rows, places)| {
        let distances = landmarks.squared_distances(rows);
        for ((mut place, &gamma), root) in places.into_iter().zip(gammas).zip(roots) {
            place.zip_mut_with(&distances, |feature, &distance| {
                *feature = gaussian(gamma, distance);
            });
            root.solve_rows(place);
        }
        on_progress(rows.nrows() as u64);
    });
    features
}
