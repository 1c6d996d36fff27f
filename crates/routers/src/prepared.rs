//! What base learners have in common once their rows are prepared: out-of-fold predictions at each candidate setting, and the choice among them.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;

use crate::{
    Error, Result, Target,
    fold_order::FoldOrder,
    knn::{output_ranges, side_by_side},
};

/// Rows whose errors are summed by one thread at a time. Sums of such runs are added in order, so that rounding does not depend on the
/// number of threads.
const ROWS_PER_SUM: usize = 256;

/// A base learner whose rows are prepared in the order of their folds ([`crate::fold_order::FoldOrder`]); it fits any targets of those rows.
///
/// A candidate is one setting of all hyperparameters, numbered from 0. All targets are side by side in one matrix, so that the work of
/// several targets is done once where it can be.
pub(crate) trait Prepared: Sync {
    /// How many settings there are to choose from; at least 1.
    fn n_candidates(&self) -> usize;

    /// Whether there were rows enough for folds. If not, [`Prepared::out_of_fold`] visits nothing.
    fn has_folds(&self) -> bool;

    /// Predicts each row at each of the candidates (ascending) by a fit to the rows of the other folds, and hands each matrix to `visit`, in the
    /// order given; one matrix is held at a time.
    ///
    /// `values` has shape `(n_rows, n_outputs)`, rows in the order of the folds, NaN where unknown; so have the predictions, which are NaN for
    /// an output that is unknown in all other folds, and for no other reason.
    fn out_of_fold(
        &self,
        values: ArrayView2<'_, f32>,
        candidates: &[usize],
        visit: &mut dyn FnMut(usize, Array2<f64>),
    );
}

/// What was chosen for one target.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    /// The first of the candidates with the least error; the first of all where none has one.
    pub(crate) candidate: usize,
    /// [`difference_error`] of each candidate asked for, in their order; empty without folds.
    pub(crate) errors: Vec<f64>,
    /// Out-of-fold predictions at the chosen candidate, shape `(n_rows, n_outputs)`, in the order of the folds; `None` without folds.
    pub(crate) out_of_fold: Option<Array2<f64>>,
}

/// Targets with what was chosen for each: all that a fit needs besides the prepared rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen<'a> {
    pub(crate) targets: &'a [Target],
    /// All targets side by side, rows in the order of the folds.
    pub(crate) values: ArrayView2<'a, f32>,
    /// Each target's columns in `values`.
    pub(crate) outputs: &'a [Range<usize>],
    /// What each target's choice was among, in the order of [`Choice::errors`]; empty where the choice is not to be reported.
    pub(crate) candidates: &'a [usize],
    /// One for each target.
    pub(crate) choices: &'a [Choice],
}

/// Chooses among all candidates for each target of the rows, which come in their own order, and fits what was chosen. Unknown values are filled in
/// from what else their rows know ([`crate::completed`], once for all folds, by all rows), and judge nothing.
///
/// # Errors
/// As [`known_side_by_side`].
pub(crate) fn fit_best<T>(
    learner: &dyn Prepared,
    order: &FoldOrder,
    targets: &[Target],
    fit: impl FnOnce(Chosen<'_>) -> T,
) -> Result<T> {
    // Before anything is filled in from what cannot be.
    known_side_by_side(order.n_rows(), targets)?;
    let learned: Vec<Target> = targets.iter().map(Target::completed).collect();
    fit_learned(learner, order, targets, &learned, fit)
}

/// The same from what is known alone.
///
/// # Errors
/// As [`known_side_by_side`].
pub(crate) fn fit_best_known<T>(
    learner: &dyn Prepared,
    order: &FoldOrder,
    targets: &[Target],
    fit: impl FnOnce(Chosen<'_>) -> T,
) -> Result<T> {
    fit_learned(learner, order, targets, targets, fit)
}

fn fit_learned<T>(
    learner: &dyn Prepared,
    order: &FoldOrder,
    targets: &[Target],
    learned: &[Target],
    fit: impl FnOnce(Chosen<'_>) -> T,
) -> Result<T> {
    let sorted = |targets: &[Target]| {
        let values = known_side_by_side(order.n_rows(), targets)?;
        Ok::<_, Error>(order.sorted(values.view()))
    };
    let (truth, values) = (sorted(targets)?, sorted(learned)?);
    let outputs = output_ranges(targets);
    let candidates: Vec<usize> = (0..learner.n_candidates()).collect();
    let choices = choose_by(learner, values.view(), truth.view(), &outputs, &candidates);
    Ok(fit(Chosen {
        targets: learned,
        values: values.view(),
        outputs: &outputs,
        candidates: &candidates,
        choices: &choices,
    }))
}

/// Chooses a candidate for each target, whose columns `outputs` says, by out-of-fold squared error of differences between LLMs.
///
/// # Panics
/// When there is no candidate.
#[cfg(test)]
pub(crate) fn choose(
    learner: &dyn Prepared,
    values: ArrayView2<'_, f32>,
    outputs: &[Range<usize>],
    candidates: &[usize],
) -> Vec<Choice> {
    choose_by(learner, values, values, outputs, candidates)
}

/// The same where what is learned is not all true: unknown values that were filled in ([`crate::completed`]) judge nothing.
///
/// # Panics
/// When there is no candidate.
pub(crate) fn choose_by(
    learner: &dyn Prepared,
    learned: ArrayView2<'_, f32>,
    truth: ArrayView2<'_, f32>,
    outputs: &[Range<usize>],
    candidates: &[usize],
) -> Vec<Choice> {
    let mut choices: Vec<Choice> = outputs
        .iter()
        .map(|_| Choice {
            candidate: candidates[0],
            errors: Vec::new(),
            out_of_fold: None,
        })
        .collect();
    if !learner.has_folds() {
        return choices;
    }
    let mut least = vec![f64::INFINITY; outputs.len()];
    learner.out_of_fold(learned, candidates, &mut |candidate, predicted| {
        for ((outputs, choice), least) in outputs.iter().zip(&mut choices).zip(&mut least) {
            let predicted = predicted.slice(s![.., outputs.clone()]);
            let error = difference_error(truth.slice(s![.., outputs.clone()]), predicted);
            choice.errors.push(error);
            if choice.out_of_fold.is_none() || error < *least {
                choice.candidate = candidate;
                choice.out_of_fold = Some(predicted.to_owned());
                // An undefined error is larger than all others.
                *least = if error.is_nan() { f64::INFINITY } else { error };
            }
        }
    });
    choices
}

/// Mean squared error of differences between LLMs:
///
/// ```text
/// e_m   = predicted_m - true_m                     for the LLMs m whose truth and prediction are known in the row
/// error = mean over rows and LLMs of (e_m - mean of e over the row's LLMs)^2
/// ```
///
/// What all LLMs of a row share does not route, so an error in it is not counted. Where no row has two known LLMs (one output, or a log of one
/// answer per prompt) nothing is shared, and it is the mean of `e_m^2`. NaN where nothing is known.
///
/// Both matrices have shape `(n_rows, n_outputs)`, NaN where unknown.
pub(crate) fn difference_error(truth: ArrayView2<'_, f32>, predicted: ArrayView2<'_, f64>) -> f64 {
    let starts: Vec<usize> = (0..truth.nrows()).step_by(ROWS_PER_SUM).collect();
    let runs: Vec<Sums> = starts
        .into_par_iter()
        .map(|start| {
            let mut sums = Sums::default();
            for row in start..truth.nrows().min(start + ROWS_PER_SUM) {
                let errors = || {
                    let known = predicted.row(row).into_iter().zip(truth.row(row));
                    known
                        .map(|(&predicted, &truth)| predicted - f64::from(truth))
                        .filter(|error| !error.is_nan())
                };
                let n_known = errors().count();
                let mean = errors().sum::<f64>() / n_known as f64;
                sums.n_alone += n_known;
                sums.alone += errors().map(|error| error * error).sum::<f64>();
                if n_known > 1 {
                    sums.n_differing += n_known;
                    sums.differing += errors().map(|error| (error - mean).powi(2)).sum::<f64>();
                }
            }
            sums
        })
        .collect();
    let mut total = Sums::default();
    for run in &runs {
        total.n_alone += run.n_alone;
        total.alone += run.alone;
        total.n_differing += run.n_differing;
        total.differing += run.differing;
    }
    if total.n_differing > 0 {
        total.differing / total.n_differing as f64
    } else {
        total.alone / total.n_alone as f64
    }
}

/// All targets in one matrix, as [`side_by_side`], for learners whose sums an infinite value would spoil.
///
/// # Errors
/// [`Error::Shape`], [`Error::Empty`] or [`Error::InfiniteTarget`].
pub(crate) fn known_side_by_side(n_rows: usize, targets: &[Target]) -> Result<Array2<f32>> {
    let values = side_by_side(n_rows, targets)?;
    for target in targets {
        let mut cells = target.values.indexed_iter();
        if let Some(((row, output), _)) = cells.find(|(_, value)| value.is_infinite()) {
            let target = target.name.clone();
            return Err(Error::InfiniteTarget {
                target,
                row,
                output,
            });
        }
    }
    Ok(values)
}

#[derive(Default)]
struct Sums {
    n_alone: usize,
    alone: f64,
    n_differing: usize,
    differing: f64,
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn what_all_models_share_is_no_error() {
        let truth = array![[1.0_f32, 0.0], [0.5, 0.5]];
        let shifted = array![[3.0, 2.0], [-1.5, -1.5]];
        assert_eq!(difference_error(truth.view(), shifted.view()), 0.0);
        // Errors (1, 0) and (0, 0): each is .5 off its row's mean in the first row only. (.25 + .25 + 0 + 0) / 4.
        let one_off = array![[2.0, 0.0], [0.5, 0.5]];
        assert_eq!(difference_error(truth.view(), one_off.view()), 0.125);
    }

    #[test]
    fn unknown_values_are_left_out() {
        let nan = f32::NAN;
        let truth = array![[1.0, 0.0, nan], [0.5, nan, nan]];
        let predicted = array![[2.0, 0.0, 9.0], [7.0, 7.0, f64::NAN]];
        assert_eq!(difference_error(truth.view(), predicted.view()), 0.25);
        // One known LLM in each row: plain squared errors, (1 + 4) / 2.
        let truth = array![[1.0, nan], [nan, 0.0]];
        let predicted = array![[2.0, 0.0], [5.0, 2.0]];
        assert_eq!(difference_error(truth.view(), predicted.view()), 2.5);
        let none = Array2::from_elem((2, 2), nan);
        assert!(difference_error(none.view(), predicted.view()).is_nan());
    }

    /// Predicts its candidate's number for every output.
    struct Constant;

    impl Prepared for Constant {
        fn n_candidates(&self) -> usize {
            4
        }

        fn has_folds(&self) -> bool {
            true
        }

        fn out_of_fold(
            &self,
            values: ArrayView2<'_, f32>,
            candidates: &[usize],
            visit: &mut dyn FnMut(usize, Array2<f64>),
        ) {
            for &candidate in candidates {
                visit(candidate, Array2::from_elem(values.dim(), candidate as f64));
            }
        }
    }

    #[test]
    fn each_target_has_the_first_of_its_best() {
        // Alone in its row, so that plain squared errors decide; 1.5 is as near to 1 as to 2.
        let values = array![[1.5_f32, 3.0, f32::NAN]];
        let outputs = [0..1, 1..2, 2..3];
        let choices = choose(&Constant, values.view(), &outputs, &[0, 1, 2, 3]);
        let chosen: Vec<usize> = choices.iter().map(|choice| choice.candidate).collect();
        assert_eq!(chosen, [1, 3, 0]);
        assert_eq!(choices[0].errors, [2.25, 0.25, 0.25, 2.25]);
        assert_eq!(choices[1].out_of_fold, Some(array![[3.0]]));
        assert!(choices[2].errors.iter().all(|error| error.is_nan()));
        let kept = choose(&Constant, values.view(), &outputs, &[2]);
        assert_eq!(kept[1].candidate, 2);
        assert_eq!(kept[1].out_of_fold, Some(array![[2.0]]));
    }
}
