use std::ops::Range;

use ndarray::{Array2, ArrayView2};

use super::{
    model::{Linear, LinearCvScore, LinearFit},
    params::CheckedLinearParams,
};
use crate::{
    Result, Rows, Target, UnitRows,
    fold_order::FoldOrder,
    prepared::{Choice, Chosen, Prepared, fit_best, fit_best_known, known_side_by_side},
    ridge::PreparedRidge,
};

/// Rows with all sums that do not depend on targets; made by [`CheckedLinearParams::prepare`].
#[derive(Debug)]
pub struct PreparedLinear {
    order: FoldOrder,
    folded: FoldedLinear,
}

impl CheckedLinearParams {
    /// Fits a ridge regression on the rows, brought to length 1, to each target.
    ///
    /// ```text
    /// prediction_m(x) = b_m + x . w_m         x: the embedding, of length 1
    /// w_m, b_m        = argmin of  sum over rows whose y_m is known or filled in of (y_m - b_m - x . w_m)^2 + alpha |w_m|^2
    /// alpha           = for each target the first of the candidates with the least out-of-fold squared error of differences between LLMs:
    ///                   each row's prediction and truth less their mean over the LLMs known in the row
    /// ```
    ///
    /// Unknown values are filled in from what else their rows know ([`crate::completed`]), and choose nothing: an LLM that is known on few rows would
    /// else have nothing of what all LLMs share, and seem the best for every hard prompt. In a log of one answer per prompt nothing can be filled in.
    ///
    /// `embeddings` has shape `(n_rows, dim)`, each target `(n_rows, n_outputs)`, NaN where unknown; `on_progress` counts rows. All is computed in
    /// float64. An output that is unknown in all rows predicts NaN; one that is unknown in all rows of a training side is left out of that fold.
    /// With fewer than `2 * n_folds` rows there is no cross-validation, and alpha is the first, which is the strongest.
    ///
    /// Cost in multiply-adds: `n_rows dim^2 / 2` for the sums and `n_folds n_alphas dim^3 / 6` for the factors, once; for a fit
    /// `n_alphas n_rows dim` for each output. Outputs that are unknown in the same rows share a system of their own: for few unknown rows the
    /// factored system of all rows less those, for few known rows the dual one, else sums and factors of the known rows, as much work as once more.
    ///
    /// Source: scikit-learn's `Ridge(fit_intercept=True)`, whose coefficients these are (tests/ridge).
    ///
    /// # Deviations
    /// None in the fit to what is known ([`PreparedLinear::fit_known`]). scikit-learn refuses unknown targets, and its `RidgeCV` chooses by
    /// leave-one-out error of the outputs themselves.
    ///
    /// # Errors
    /// As [`CheckedLinearParams::prepare`] and [`PreparedLinear::fit`].
    pub fn fit(
        &self,
        embeddings: ArrayView2<'_, f32>,
        targets: &[Target],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Linear> {
        known_side_by_side(embeddings.nrows(), targets)?;
        self.prepare(embeddings, on_progress)?.fit(targets)
    }

    /// All that a fit needs and that does not depend on its targets; `on_progress` counts rows.
    ///
    /// Memory in bytes: at most `8 dim n_rows + 8 dim^2 n_folds (1 + n_alphas)`, and a little for edges of blocks.
    ///
    /// # Errors
    /// [`crate::Error::Empty`], [`crate::Error::NotFinite`] or [`crate::Error::TooManyRows`] for the embeddings; [`crate::Error::Shape`] when there
    /// is not one group per row.
    pub fn prepare<'a>(
        &self,
        rows: impl Into<Rows<'a>>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<PreparedLinear> {
        let (rows, order) = rows.into().folded(self.0.n_folds, self.0.seed)?;
        let folded = FoldedLinear::new(&order.unit_rows(&rows)?, order.folds(), &self.0.alphas);
        on_progress(rows.n_rows() as u64);
        Ok(PreparedLinear { order, folded })
    }
}

impl PreparedLinear {
    /// Chooses an alpha for each target and fits all rows ([`CheckedLinearParams::fit`]).
    ///
    /// # Errors
    /// [`crate::Error::Shape`] when a target has other rows than the embeddings; [`crate::Error::Empty`] for one without columns;
    /// [`crate::Error::InfiniteTarget`].
    pub fn fit(&self, targets: &[Target]) -> Result<Linear> {
        fit_best(&self.folded, &self.order, targets, |chosen| {
            self.folded.fit_at(chosen)
        })
    }

    /// The same from what is known alone: each output by the rows that know it, as if the others told nothing of it.
    ///
    /// # Errors
    /// As [`PreparedLinear::fit`].
    pub fn fit_known(&self, targets: &[Target]) -> Result<Linear> {
        fit_best_known(&self.folded, &self.order, targets, |chosen| {
            self.folded.fit_at(chosen)
        })
    }
}

/// Rows in the order of their folds, ready for any targets.
#[derive(Debug)]
pub(crate) struct FoldedLinear {
    ridge: PreparedRidge,
    alphas: Vec<f64>,
}

impl FoldedLinear {
    /// `rows` are in the order of the folds, of which there are none where rows are too few; `alphas` are checked.
    pub(crate) fn new(rows: &UnitRows, folds: &[Range<usize>], alphas: &[f64]) -> Self {
        Self {
            ridge: PreparedRidge::new(rows.view().mapv(f64::from), folds, alphas),
            alphas: alphas.to_vec(),
        }
    }

    /// The cross-validation of some candidates.
    fn table(&self, candidates: &[usize], choice: &Choice) -> Vec<LinearCvScore> {
        let scores = candidates.iter().zip(&choice.errors);
        scores
            .filter(|(_, error)| error.is_finite())
            .map(|(&candidate, &difference_error)| LinearCvScore {
                alpha: self.alphas[candidate],
                difference_error,
            })
            .collect()
    }

    /// Fits all rows at what was chosen.
    pub(crate) fn fit_at(&self, chosen: Chosen<'_>) -> Linear {
        let mut alpha_of = vec![0; chosen.values.ncols()];
        for (outputs, choice) in chosen.outputs.iter().zip(chosen.choices) {
            alpha_of[outputs.clone()].fill(choice.candidate);
        }
        let weights = self.ridge.fit(chosen.values, &alpha_of);
        let fits = chosen
            .targets
            .iter()
            .zip(chosen.choices)
            .map(|(target, choice)| LinearFit {
                target: target.name.clone(),
                alpha: self.alphas[choice.candidate],
                cross_validation: self.table(chosen.candidates, choice),
            })
            .collect();
        let weights = (chosen.outputs.iter()).map(|outputs| weights.columns(outputs));
        Linear::new(fits, weights.collect())
    }
}

impl Prepared for FoldedLinear {
    fn n_candidates(&self) -> usize {
        self.alphas.len()
    }

    fn has_folds(&self) -> bool {
        self.ridge.has_folds()
    }

    fn out_of_fold(
        &self,
        values: ArrayView2<'_, f32>,
        candidates: &[usize],
        visit: &mut dyn FnMut(usize, Array2<f64>),
    ) {
        self.ridge.out_of_fold(values, candidates, visit);
    }
}
