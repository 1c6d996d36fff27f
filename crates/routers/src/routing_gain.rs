//! What routing by out-of-fold predictions gains over not routing: what a fit that serves routing is chosen by.

use std::{fmt, ops::Range};

use dataset::worth;
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::{Error, Result, Target};

/// Rows that one thread judges at a time.
const ROWS_PER_RUN: usize = 256;

/// What a fit must know of dollars to judge the choices that its predictions lead to.
#[derive(Clone, Copy)]
pub struct RoutingCosts<'a> {
    /// True dollars of each row and LLM, shape `(n_rows, n_models)`, NaN where unknown.
    pub cost_usd: ArrayView2<'a, f64>,
    /// Dollars of each row and LLM, by predictions of the cost target for all rows, in their order; `None` where costs are known before the
    /// call, and so no target.
    pub predicted_usd: &'a (dyn Fn(Option<&Array2<f32>>) -> Array2<f64> + Sync),
}

impl fmt::Debug for RoutingCosts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoutingCosts")
            .field("cost_usd", &self.cost_usd.dim())
            .finish_non_exhaustive()
    }
}

impl RoutingCosts<'_> {
    /// Dollars by predictions of the cost target, if there is one.
    ///
    /// # Errors
    /// [`Error::Shape`] when they are of another shape than the true ones.
    pub(crate) fn predicted(&self, target: Option<&Array2<f32>>) -> Result<Array2<f64>> {
        let predicted = (self.predicted_usd)(target);
        if predicted.dim() != self.cost_usd.dim() {
            return Err(Error::Shape {
                what: "predicted cost",
                expected: self.cost_usd.dim(),
                found: predicted.dim(),
            });
        }
        Ok(predicted)
    }

    /// Refuses targets other than scores, or scores and costs, of the LLMs that the dollars are of.
    pub(crate) fn check(&self, targets: &[Target]) -> Result<()> {
        if !(1..=2).contains(&targets.len()) {
            return Err(Error::RoutingTargets { n: targets.len() });
        }
        for target in targets {
            if target.values.dim() != self.cost_usd.dim() {
                return Err(Error::Shape {
                    what: "cost",
                    expected: target.values.dim(),
                    found: self.cost_usd.dim(),
                });
            }
        }
        Ok(())
    }
}

/// The gain of routing over not routing, in scores: its mean over the worths of [`dataset::worth::grid`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gain {
    /// The mean over rows. NaN where no choice is known.
    pub mean: f64,
    /// The standard error of the mean.
    pub standard_error: f64,
}

/// Rows with known truths, and what each would have got without routing.
///
/// ```text
/// router's choice     the first LLM with the highest predicted score - predicted cost / v
/// without routing     the LLM with the best mean score - mean cost / v of the rows of the other folds
/// gain(v)             mean of score - cost / v of the one - the same of the other, over the rows where it is known
/// ```
///
/// Where an LLM's answer is not known, neither side is held to it: each side's mean is over the rows in which its choice is known, as if scores
/// were missing at random. The standard error is that of the mean of the influences, which for known answers are the rows' gains:
///
/// ```text
/// s^2 = G / (G - 1) sum over groups of (sum of a group's influences)^2 / n_rows^2      G: groups of rows that stay together, or rows
/// ```
///
/// Source: Liang and Zeger (1986), "Longitudinal data analysis using generalized linear models", for a mean.
pub(crate) struct Judge<'a> {
    scores: ArrayView2<'a, f32>,
    cost_usd: ArrayView2<'a, f64>,
    worths: Vec<f64>,
    /// What each row got without routing, at each worth.
    unrouted: Array2<f64>,
    /// For each row the first row of its group; `None` where every row is by itself.
    groups: Option<&'a [usize]>,
}

impl<'a> Judge<'a> {
    /// `scores` and `cost_usd` have shape `(n_rows, n_models)`, NaN where unknown; `fold_of_row` says which rows each baseline is from.
    pub(crate) fn new(
        scores: ArrayView2<'a, f32>,
        cost_usd: ArrayView2<'a, f64>,
        fold_of_row: &[usize],
    ) -> Self {
        let worths = worth::grid(&worth::means(cost_usd, |_| true));
        let n_folds = fold_of_row.iter().max().map_or(0, |last| last + 1);
        let constants: Vec<Vec<Option<usize>>> = (0..n_folds)
            .map(|fold| {
                let is_other = |row: usize| fold_of_row[row] != fold;
                let mean_scores = worth::means(scores.mapv(f64::from).view(), is_other);
                let mean_costs = worth::means(cost_usd, is_other);
                let best = |&worth: &f64| worth::best_constant(&mean_scores, &mean_costs, worth);
                worths.iter().map(best).collect()
            })
            .collect();
        let unrouted = Array2::from_shape_fn((scores.nrows(), worths.len()), |(row, i)| {
            constants[fold_of_row[row]][i].map_or(f64::NAN, |model| {
                utility(scores, cost_usd, [row, model], worths[i])
            })
        });
        Self {
            scores,
            cost_usd,
            worths,
            unrouted,
            groups: None,
        }
    }

    /// The same with rows that are not independent of one another: `groups` has for each row the first row of its group.
    pub(crate) fn grouped(self, groups: Option<&'a [usize]>) -> Self {
        Self { groups, ..self }
    }

    /// The gain of choosing by predictions of shape `(n_rows, n_models)`; an LLM with an unknown one is not chosen.
    pub(crate) fn gain(
        &self,
        predicted_scores: ArrayView2<'_, f64>,
        predicted_usd: ArrayView2<'_, f64>,
    ) -> Gain {
        let (n_rows, n_worths) = self.unrouted.dim();
        let mut routed = Array2::from_elem((n_rows, n_worths), f64::NAN);
        let rows = routed.as_slice_mut().expect("it was made row by row");
        rows.par_chunks_mut(ROWS_PER_RUN * n_worths)
            .enumerate()
            .for_each(|(run, chunk)| {
                for (i, utilities) in chunk.chunks_mut(n_worths).enumerate() {
                    let row = run * ROWS_PER_RUN + i;
                    let choice = |worth| {
                        let scores = predicted_scores.row(row).into_iter();
                        first_best(scores.zip(predicted_usd.row(row)), worth)
                    };
                    for (utility, &worth) in utilities.iter_mut().zip(&self.worths) {
                        if let Some(model) = choice(worth) {
                            *utility =
                                self::utility(self.scores, self.cost_usd, [row, model], worth);
                        }
                    }
                }
            });
        self.compare(routed.view())
    }

    fn compare(&self, routed: ArrayView2<'_, f64>) -> Gain {
        let (n_rows, n_worths) = routed.dim();
        let (mut influences, mut total, mut n_judged) = (vec![0.0; n_rows], 0.0, 0);
        for i in 0..n_worths {
            let (ours, theirs) = (routed.column(i), self.unrouted.column(i));
            let (Some(our), Some(their)) = (Side::of(ours.iter()), Side::of(theirs.iter())) else {
                continue;
            };
            n_judged += 1;
            total += our.mean - their.mean;
            for (influence, (&a, &b)) in influences.iter_mut().zip(ours.iter().zip(theirs)) {
                *influence += our.influence(a) - their.influence(b);
            }
        }
        let n_judged = f64::from(n_judged);
        let n_independent = match self.groups {
            None => n_rows,
            Some(groups) => {
                // A group's sum stands at its first row, before which none of its rows is.
                for (row, &first) in groups
                    .iter()
                    .enumerate()
                    .filter(|&(row, &first)| row != first)
                {
                    influences[first] += std::mem::take(&mut influences[row]);
                }
                (groups
                    .iter()
                    .enumerate()
                    .filter(|&(row, &first)| row == first))
                .count()
            }
        };
        let squares: f64 = influences.iter().map(|it| (it / n_judged).powi(2)).sum();
        let (n, n_independent) = (n_rows as f64, n_independent as f64);
        Gain {
            mean: total / n_judged,
            standard_error: (squares / (n * (n_independent - 1.0)) * (n_independent / n)).sqrt(),
        }
    }
}

/// The mean of one side's utilities over the rows in which they are known.
struct Side {
    mean: f64,
    share_known: f64,
}

impl Side {
    fn of<'a>(utilities: impl ExactSizeIterator<Item = &'a f64>) -> Option<Self> {
        let n_rows = utilities.len();
        let (mut sum, mut n) = (0.0, 0_u32);
        for utility in utilities.filter(|it| !it.is_nan()) {
            sum += utility;
            n += 1;
        }
        (n > 0).then(|| Self {
            mean: sum / f64::from(n),
            share_known: f64::from(n) / n_rows as f64,
        })
    }

    fn influence(&self, utility: f64) -> f64 {
        if utility.is_nan() {
            0.0
        } else {
            (utility - self.mean) / self.share_known
        }
    }
}

fn utility(
    scores: ArrayView2<'_, f32>,
    cost_usd: ArrayView2<'_, f64>,
    at: [usize; 2],
    worth_usd: f64,
) -> f64 {
    worth::utility(f64::from(scores[at]), cost_usd[at], worth_usd)
}

/// The first LLM of those with the highest utility; an unknown one is passed over.
fn first_best<'a>(
    predicted: impl Iterator<Item = (&'a f64, &'a f64)>,
    worth_usd: f64,
) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (model_idx, (&score, &cost)) in predicted.enumerate() {
        let utility = worth::utility(score, cost, worth_usd);
        if !utility.is_nan() && best.is_none_or(|(_, highest)| utility > highest) {
            best = Some((model_idx, utility));
        }
    }
    best.map(|(model_idx, _)| model_idx)
}

/// The fold of each row, where folds are runs of an order of rows.
pub(crate) fn fold_of_rows(
    order: &crate::fold_order::FoldOrder,
    folds: &[Range<usize>],
) -> Vec<usize> {
    let n_rows = folds.last().map_or(0, |last| last.end);
    let mut sorted = Array2::zeros((n_rows, 1));
    for (fold, rows) in folds.iter().enumerate() {
        sorted.slice_mut(ndarray::s![rows.clone(), ..]).fill(fold);
    }
    order.unsorted(sorted.view()).into_raw_vec_and_offset().0
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    const NAN: f32 = f32::NAN;

    #[test]
    fn gain_by_hand() {
        // Costs are equal everywhere, so the only worth is infinite and utility is the score.
        let scores = array![[1.0_f32, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
        let costs = Array2::ones((4, 2));
        let judge = Judge::new(scores.view(), costs.view(), &[0, 0, 1, 1]);
        // Fold 0 goes by rows 2 and 3 (means .5, 1): LLM 1, which scores 0, 0. Fold 1 goes by rows 0 and 1: LLM 0, which scores 0, 1.
        assert_eq!(judge.unrouted, array![[0.0], [0.0], [0.0], [1.0]]);
        // A perfect router gains 1, 1, 1, 0: mean .75, variance .25, standard error sqrt(.25 / 4).
        let gain = judge.gain(scores.mapv(f64::from).view(), costs.view());
        assert_eq!(gain.mean, 0.75);
        assert!((gain.standard_error - 0.25).abs() < 1e-15);
    }

    #[test]
    fn rows_of_one_group_are_one_observation() {
        let scores = array![[1.0_f32, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
        let costs = Array2::ones((4, 2));
        let judge = Judge::new(scores.view(), costs.view(), &[0, 0, 1, 1]);
        let judge = judge.grouped(Some(&[0, 0, 2, 3]));
        // Gains 1, 1, 1, 0 as above. Sums less the mean: 2 of .25, .25, -.75; s^2 = 3 / 2 * (.25 + .0625 + .5625) / 16.
        let gain = judge.gain(scores.mapv(f64::from).view(), costs.view());
        assert_eq!(gain.mean, 0.75);
        assert!((gain.standard_error - (1.5_f64 * 0.875 / 16.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn predicted_costs_count_as_the_worth_says() {
        let scores = Array2::from_elem((8, 2), 0.5_f32);
        let costs = Array2::from_shape_fn((8, 2), |(_, model)| [1.0, 3.0][model]);
        let judge = Judge::new(scores.view(), costs.view(), &[0, 1, 0, 1, 0, 1, 0, 1]);
        assert_eq!(judge.worths.len(), 25);
        // Who takes costs for 0 and the second LLM for better always pays 2 more: the gain is the mean over worths of -2 / v.
        let blind = Array2::from_shape_fn((8, 2), |(_, model)| model as f64);
        let gain = judge.gain(blind.view(), Array2::zeros((8, 2)).view());
        let expected = judge.worths.iter().map(|worth| -2.0 / worth).sum::<f64>() / 25.0;
        assert!((gain.mean - expected).abs() < 1e-12);
        assert!(gain.standard_error < 1e-12);
    }

    #[test]
    fn unknown_answers_are_held_against_nobody() {
        let scores = array![[1.0, 0.0], [1.0, NAN], [NAN, 1.0], [1.0, 0.0]];
        let costs = Array2::ones((4, 2));
        let judge = Judge::new(scores.view(), costs.view(), &[0, 1, 0, 1]);
        // Choosing LLM 1, 1, 1, 0: known are 0, 1, 1; without routing LLM 0 everywhere: 1, 1, 1 are known.
        let predicted = array![[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]];
        let gain = judge.gain(predicted.view(), costs.view());
        assert!((gain.mean - (2.0 / 3.0 - 1.0)).abs() < 1e-15);
        let nothing = Array2::from_elem((4, 2), f64::NAN);
        assert!(judge.gain(nothing.view(), costs.view()).mean.is_nan());
    }
}
