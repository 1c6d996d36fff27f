//! What routing by out-of-fold predictions gains over not routing: what a fit that serves routing is chosen by.

use std::{fmt, ops::Range};

use dataset::worth;
use ndarray::{Array2, ArrayBase, ArrayView2};
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
    /// For how many rows like it each row and LLM stands, shape `(n_rows, n_models)`: one over the probability with which the LLM was asked, 0 where
    /// it was not. `None` where nobody says, and each of an LLM's rows counts alike.
    pub inverse_propensities: Option<ArrayView2<'a, f64>>,
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

    /// Refuses targets other than scores, or scores and costs, of the LLMs that the dollars are of, and propensities of others.
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
        match self.inverse_propensities {
            Some(weights) if weights.dim() != self.cost_usd.dim() => Err(Error::Shape {
                what: "propensity",
                expected: self.cost_usd.dim(),
                found: weights.dim(),
            }),
            _ => Ok(()),
        }
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
/// mean                sum of w x / sum of w        w: one over the probability with which the LLM was asked for the row
/// ```
///
/// Where an LLM's answer is not known, neither side is held to it: each side's mean is over the rows in which its choice is known, weighted so that
/// they stand for all rows (self-normalized; Hajek 1971). Where nobody says how LLMs were asked, scores are taken to be missing at random, and an
/// LLM's probability to be its share of the rows in which any answer is known. The standard error is that of the mean of the influences, which for
/// known answers are the rows' gains:
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
    unrouted: Routed,
    /// For how many rows each row and LLM stands; `None`: for itself.
    weights: Option<Array2<f64>>,
    /// For each row the first row of its group; `None` where every row is by itself.
    groups: Option<&'a [usize]>,
}

/// What a row got.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Got {
    /// NaN where it is not known.
    utility: f64,
    /// For how many rows it stands where it is known.
    weight: f64,
}

impl Got {
    const UNKNOWN: Self = Self {
        utility: f64::NAN,
        weight: 1.0,
    };
}

/// What each row got by some way of choosing, at each worth.
#[derive(Debug, Clone)]
pub(crate) struct Routed(Array2<Got>);

impl<'a> Judge<'a> {
    /// `scores` has shape `(n_rows, n_models)`, NaN where unknown; `fold_of_row` says which rows each baseline is from.
    pub(crate) fn new(
        scores: ArrayView2<'a, f32>,
        costs: &'a RoutingCosts<'_>,
        fold_of_row: &[usize],
    ) -> Self {
        Self::without(scores, costs, fold_of_row, &[])
    }

    /// The same where nobody ever chooses some of the LLMs.
    pub(crate) fn without(
        scores: ArrayView2<'a, f32>,
        costs: &'a RoutingCosts<'_>,
        fold_of_row: &[usize],
        held_back: &[usize],
    ) -> Self {
        let cost_usd = costs.cost_usd.view();
        // Of an LLM's own rows all count alike where nobody says how they were asked.
        let within = costs.inverse_propensities.as_ref().map(ArrayBase::view);
        let worths = worth::grid(&worth::weighted_means(cost_usd, within, |_| true));
        let n_folds = fold_of_row.iter().max().map_or(0, |last| last + 1);
        let constants: Vec<Vec<Option<usize>>> = (0..n_folds)
            .map(|fold| {
                let is_other = |row: usize| fold_of_row[row] != fold;
                let scores = scores.mapv(f64::from);
                let mut mean_scores = worth::weighted_means(scores.view(), within, is_other);
                held_back
                    .iter()
                    .for_each(|&model| mean_scores[model] = f64::NAN);
                let mean_costs = worth::weighted_means(cost_usd, within, is_other);
                let best = |&worth: &f64| worth::best_constant(&mean_scores, &mean_costs, worth);
                worths.iter().map(best).collect()
            })
            .collect();
        let mut this = Self {
            scores,
            cost_usd,
            unrouted: Routed(Array2::from_elem((0, 0), Got::UNKNOWN)),
            weights: within
                .map(|weights| weights.to_owned())
                .or_else(|| missing_at_random(scores, cost_usd)),
            worths,
            groups: None,
        };
        let of_row = |(row, i): (usize, usize)| {
            constants[fold_of_row[row]][i]
                .map_or(Got::UNKNOWN, |model| this.got([row, model], this.worths[i]))
        };
        let shape = (scores.nrows(), this.worths.len());
        this.unrouted = Routed(Array2::from_shape_fn(shape, of_row));
        this
    }

    /// What a row gets of an LLM.
    fn got(&self, at: [usize; 2], worth_usd: f64) -> Got {
        Got {
            utility: worth::utility(f64::from(self.scores[at]), self.cost_usd[at], worth_usd),
            weight: self.weights.as_ref().map_or(1.0, |weights| weights[at]),
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
        let routed = self.routed(predicted_scores, predicted_usd);
        self.gain_over(&routed, &self.unrouted)
    }

    /// What each row got without routing.
    pub(crate) fn unrouted(&self) -> &Routed {
        &self.unrouted
    }

    /// What each row got by such predictions.
    pub(crate) fn routed(
        &self,
        predicted_scores: ArrayView2<'_, f64>,
        predicted_usd: ArrayView2<'_, f64>,
    ) -> Routed {
        let (n_rows, n_worths) = self.unrouted.0.dim();
        let mut routed = Array2::from_elem((n_rows, n_worths), Got::UNKNOWN);
        let rows = routed.as_slice_mut().expect("it was made row by row");
        rows.par_chunks_mut(ROWS_PER_RUN * n_worths)
            .enumerate()
            .for_each(|(run, chunk)| {
                for (i, of_row) in chunk.chunks_mut(n_worths).enumerate() {
                    let row = run * ROWS_PER_RUN + i;
                    let choice = |worth| {
                        let scores = predicted_scores.row(row).into_iter();
                        first_best(scores.zip(predicted_usd.row(row)), worth)
                    };
                    for (got, &worth) in of_row.iter_mut().zip(&self.worths) {
                        if let Some(model) = choice(worth) {
                            *got = self.got([row, model], worth);
                        }
                    }
                }
            });
        Routed(routed)
    }

    /// The gain of one way of choosing over another; of the same rows.
    pub(crate) fn gain_over(&self, routed: &Routed, other: &Routed) -> Gain {
        let (n_rows, n_worths) = routed.0.dim();
        let (mut influences, mut total, mut n_judged) = (vec![0.0; n_rows], 0.0, 0);
        for i in 0..n_worths {
            let (ours, theirs) = (routed.0.column(i), other.0.column(i));
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
    /// The share of the rows for which those stand that are known.
    share_known: f64,
}

impl Side {
    fn of<'a>(of_rows: impl ExactSizeIterator<Item = &'a Got>) -> Option<Self> {
        let n_rows = of_rows.len();
        let (mut sum, mut total) = (0.0, 0.0);
        for got in of_rows.filter(|it| !it.utility.is_nan()) {
            sum += got.weight * got.utility;
            total += got.weight;
        }
        (total > 0.0).then(|| Self {
            mean: sum / total,
            share_known: total / n_rows as f64,
        })
    }

    fn influence(&self, got: Got) -> f64 {
        if got.utility.is_nan() {
            0.0
        } else {
            got.weight * (got.utility - self.mean) / self.share_known
        }
    }
}

/// Weights of scores that are missing at random: one over the LLM's share of the rows in which anything is known. `None` where nothing is missing.
fn missing_at_random(
    scores: ArrayView2<'_, f32>,
    cost_usd: ArrayView2<'_, f64>,
) -> Option<Array2<f64>> {
    let is_known = |at: [usize; 2]| !scores[at].is_nan() && !cost_usd[at].is_nan();
    let (n_rows, n_models) = scores.dim();
    let mut n_known = vec![0_u32; n_models];
    let mut n_scored = 0;
    for row in 0..n_rows {
        let known = (0..n_models).filter(|&model| is_known([row, model]));
        let n_before: u32 = n_known.iter().sum();
        known.for_each(|model| n_known[model] += 1);
        n_scored += u32::from(n_known.iter().sum::<u32>() > n_before);
    }
    let is_complete = n_known.iter().all(|&n| n == n_scored);
    (!is_complete).then(|| {
        Array2::from_shape_fn((n_rows, n_models), |(_, model)| {
            f64::from(n_scored) / f64::from(n_known[model])
        })
    })
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
    const NAN_USD: f64 = f64::NAN;

    /// For who predicts no dollars.
    fn routing_costs<'a>(
        cost_usd: &'a Array2<f64>,
        weights: Option<&'a Array2<f64>>,
    ) -> RoutingCosts<'a> {
        RoutingCosts {
            cost_usd: cost_usd.view(),
            predicted_usd: &|_| unreachable!("nothing is predicted"),
            inverse_propensities: weights.map(Array2::view),
        }
    }

    #[test]
    fn gain_by_hand() {
        // Costs are equal everywhere, so the only worth is infinite and utility is the score.
        let scores = array![[1.0_f32, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
        let costs = Array2::ones((4, 2));
        let routing_costs = routing_costs(&costs, None);
        let judge = Judge::new(scores.view(), &routing_costs, &[0, 0, 1, 1]);
        // Fold 0 goes by rows 2 and 3 (means .5, 1): LLM 1, which scores 0, 0. Fold 1 goes by rows 0 and 1: LLM 0, which scores 0, 1.
        let unrouted = judge.unrouted.0.mapv(|it| it.utility);
        assert_eq!(unrouted, array![[0.0], [0.0], [0.0], [1.0]]);
        // A perfect router gains 1, 1, 1, 0: mean .75, variance .25, standard error sqrt(.25 / 4).
        let gain = judge.gain(scores.mapv(f64::from).view(), costs.view());
        assert_eq!(gain.mean, 0.75);
        assert!((gain.standard_error - 0.25).abs() < 1e-15);
    }

    #[test]
    fn rows_of_one_group_are_one_observation() {
        let scores = array![[1.0_f32, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]];
        let costs = Array2::ones((4, 2));
        let routing_costs = routing_costs(&costs, None);
        let judge = Judge::new(scores.view(), &routing_costs, &[0, 0, 1, 1]);
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
        let routing_costs = routing_costs(&costs, None);
        let judge = Judge::new(scores.view(), &routing_costs, &[0, 1, 0, 1, 0, 1, 0, 1]);
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
        let routing_costs = routing_costs(&costs, None);
        let judge = Judge::new(scores.view(), &routing_costs, &[0, 1, 0, 1]);
        // Choosing LLM 1, 1, 1, 0: known are 0, 1, 1; without routing LLM 0 everywhere: 1, 1, 1 are known.
        let predicted = array![[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]];
        let gain = judge.gain(predicted.view(), costs.view());
        assert!((gain.mean - (2.0 / 3.0 - 1.0)).abs() < 1e-15);
        let nothing = Array2::from_elem((4, 2), f64::NAN);
        assert!(judge.gain(nothing.view(), costs.view()).mean.is_nan());
    }

    #[test]
    fn a_row_stands_for_as_many_as_it_was_unlikely() {
        // LLM 0 was asked with probability 1/2 in rows 0 and 1, LLM 1 in row 2 with 1/4, and in row 3 with 1.
        let scores = array![[1.0, NAN], [0.0, NAN], [NAN, 1.0], [NAN, 0.0]];
        let costs = array![
            [1.0, NAN_USD],
            [1.0, NAN_USD],
            [NAN_USD, 1.0],
            [NAN_USD, 1.0]
        ];
        let weights = array![[2.0, 0.0], [2.0, 0.0], [0.0, 4.0], [0.0, 1.0]];
        let weighted = routing_costs(&costs, Some(&weights));
        let judge = Judge::new(scores.view(), &weighted, &[0, 1, 0, 1]);
        // Without routing: fold 0 goes by rows 1 and 3, 0 and 0: LLM 0. Fold 1 by rows 0 and 2, 1 and 1: LLM 0.
        let everywhere_1 = Array2::from_shape_fn((4, 2), |(_, m)| m as f64);
        let gain = judge.gain(everywhere_1.view(), Array2::ones((4, 2)).view());
        // (4 * 1 + 1 * 0) / 5, less (2 * 1 + 2 * 0) / 4.
        assert!((gain.mean - 0.3).abs() < 1e-15, "{gain:?}");
        // Influences: routed 4 (1 - .8) / (5 / 4) in row 2, 1 (0 - .8) / (5 / 4) in row 3; unrouted 2 (+-.5) / (4 / 4) in rows 0 and 1.
        let squares = 0.64_f64 * 0.64 * 2.0 + 1.0 * 2.0;
        assert!(
            (gain.standard_error - (squares / 12.0).sqrt()).abs() < 1e-15,
            "{gain:?}"
        );
        // Nobody says how they were asked: each LLM's rows count alike.
        let unweighted = routing_costs(&costs, None);
        let judge = Judge::new(scores.view(), &unweighted, &[0, 1, 0, 1]);
        let gain = judge.gain(everywhere_1.view(), Array2::ones((4, 2)).view());
        assert!(gain.mean.abs() < 1e-15, "{gain:?}");
    }
}
