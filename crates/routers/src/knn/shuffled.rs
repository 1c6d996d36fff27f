//! The choice of k on shuffled folds: by what routing gains, or by R2.

use ndarray::{Array2, ArrayView2, s};

use super::{
    folded::FoldedNeighbors,
    target::{CvScore, Target},
};
use crate::{
    Result, RoutingCosts,
    fold_order::FoldOrder,
    prepared::{Prepared as _, difference_error},
    r2::{R2Sums, uniform_average},
    routing_gain::{Judge, fold_of_rows},
};

/// For each target the k chosen and the table; no k where there are too few rows for folds.
pub(super) fn cross_validate(
    order: &FoldOrder,
    neighbors: &FoldedNeighbors,
    targets: &[Target],
    costs: &RoutingCosts<'_>,
) -> Result<Vec<(Option<usize>, Vec<CvScore>)>> {
    if !neighbors.has_folds() {
        return Ok(vec![(None, Vec::new()); targets.len()]);
    }
    let by_error = |target: &Target| {
        let (mut table, mut best, mut least) = (Vec::new(), None, f64::INFINITY);
        each_k(order, neighbors, target, |mut score, truth, predicted| {
            let error = difference_error(truth, predicted.view());
            score.difference_error = Some(error);
            // A value that is not defined is never the least.
            if error < least {
                (best, least) = (Some((score.n_neighbors, predicted)), error);
            }
            table.push(score);
        });
        (best, table)
    };
    let cost = targets.get(1).map(by_error);
    let predicted_cost = cost.as_ref().and_then(|(best, _)| best.as_ref());
    let predicted_cost = predicted_cost.map(|(_, sorted)| order.unsorted(sorted.view()));
    let predicted_cost = predicted_cost.map(|cost| cost.mapv(|it| it as f32));
    let predicted_usd = match (&cost, predicted_cost) {
        // Nothing is known of costs, so nothing is predicted of them either.
        (Some(_), None) => Array2::from_elem(costs.cost_usd.dim(), f64::NAN),
        (_, predicted) => costs.predicted(predicted.as_ref())?,
    };
    let scores = &targets[0];
    let fold_of_row = fold_of_rows(order, order.folds());
    let judge = Judge::new(scores.values.view(), costs, &fold_of_row).grouped(order.groups());
    let (mut table, mut best, mut highest) = (Vec::new(), None, f64::NEG_INFINITY);
    each_k(order, neighbors, scores, |mut score, _, predicted| {
        let predicted = order.unsorted(predicted.view());
        let gain = judge.gain(predicted.view(), predicted_usd.view()).mean;
        score.mean_gain = Some(gain);
        if gain > highest {
            (best, highest) = (Some(score.n_neighbors), gain);
        }
        table.push(score);
    });
    let cost = cost.map(|(best, table)| (best.map(|(k, _)| k), table));
    Ok(std::iter::once((best, table)).chain(cost).collect())
}

/// The R2 of every k for one target; empty where there are too few rows for folds.
pub(super) fn r2_of_all(
    order: &FoldOrder,
    neighbors: &FoldedNeighbors,
    target: &Target,
) -> Vec<CvScore> {
    let mut table = Vec::new();
    if neighbors.has_folds() {
        each_k(order, neighbors, target, |score, _, _| table.push(score));
    }
    table
}

/// Hands over each k's R2, the truths and the predictions, in the order of the folds.
fn each_k(
    order: &FoldOrder,
    neighbors: &FoldedNeighbors,
    target: &Target,
    mut visit: impl FnMut(CvScore, ArrayView2<'_, f32>, Array2<f64>),
) {
    let truth = order.sorted(target.values.view());
    let candidates: Vec<usize> = (0..neighbors.n_candidates()).collect();
    neighbors.out_of_fold(truth.view(), &candidates, &mut |candidate, predicted| {
        let score = CvScore {
            n_neighbors: neighbors.ks()[candidate],
            mean_r2: mean_r2(order, truth.view(), predicted.view()),
            mean_gain: None,
            difference_error: None,
        };
        visit(score, truth.view(), predicted);
    });
}

/// The mean over folds of the mean over outputs, of what can be predicted.
fn mean_r2(order: &FoldOrder, truth: ArrayView2<'_, f32>, predicted: ArrayView2<'_, f64>) -> f64 {
    let of_folds = order.folds().iter().filter_map(|fold| {
        let mut sums = vec![R2Sums::default(); truth.ncols()];
        let rows = s![fold.clone(), ..];
        let (truth, predicted) = (truth.slice(rows), predicted.slice(rows));
        for (truth, predicted) in truth.outer_iter().zip(predicted.outer_iter()) {
            for (sums, (&truth, &predicted)) in sums.iter_mut().zip(truth.iter().zip(predicted)) {
                if !truth.is_nan() && !predicted.is_nan() {
                    sums.add(truth, predicted);
                }
            }
        }
        uniform_average(sums.iter())
    });
    let of_folds: Vec<f64> = of_folds.collect();
    of_folds.iter().sum::<f64>() / of_folds.len() as f64
}
