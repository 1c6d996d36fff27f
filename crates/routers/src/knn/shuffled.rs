//! The choice of k on shuffled folds, by what routing gains or by R2, and what unknown values mean for it.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};

use super::{
    drawn::{Shared, choose_strength},
    folded::FoldedNeighbors,
    known::FoldedKnown,
    target::{CvScore, Target, output_ranges, side_by_side},
};
use crate::{
    Result, RoutingCosts, UnitRows,
    completion::is_mostly_alone,
    fold_order::FoldOrder,
    prepared::{Prepared, difference_error},
    r2::{R2Sums, uniform_average},
    routing_gain::{Judge, fold_of_rows},
};

/// What is chosen from.
pub(super) struct Folded<'a> {
    pub(super) order: &'a FoldOrder,
    pub(super) neighbors: &'a FoldedNeighbors,
    /// In the order of the fit.
    pub(super) rows: &'a UnitRows,
    /// Numbers of neighbors for so many rows.
    pub(super) ks: &'a [usize],
}

/// Targets with what a fit does about their unknown values.
pub(super) struct Learned<'a> {
    folded: &'a Folded<'a>,
    targets: &'a [Target],
    /// The same with what is filled in.
    completed: Vec<Target>,
    outputs: Vec<Range<usize>>,
    /// Out-of-fold means over the nearest rows that know each output, for each k, of targets whose known values are mostly alone in their rows; rows
    /// in the order of the folds, all targets side by side.
    of_known: Vec<(usize, Array2<f64>)>,
}

impl<'a> Learned<'a> {
    pub(super) fn new(folded: &'a Folded<'a>, targets: &'a [Target]) -> Result<Self> {
        let mut this = Self {
            folded,
            targets,
            completed: targets.iter().map(Target::completed).collect(),
            outputs: output_ranges(targets),
            of_known: Vec::new(),
        };
        if (0..targets.len()).any(|target| this.counts_known(target)) {
            let values = side_by_side(folded.order.n_rows(), targets)?;
            let mut values = folded.order.sorted(values.view());
            for (target, outputs) in this.outputs.iter().enumerate() {
                if !this.counts_known(target) {
                    values.slice_mut(s![.., outputs.clone()]).fill(f32::NAN);
                }
            }
            let rows = folded.order.unit_rows(folded.rows)?;
            let known =
                FoldedKnown::new(&rows, folded.order.folds(), folded.ks).allowed_by(values.view());
            let candidates: Vec<usize> = (0..known.n_candidates()).collect();
            known.out_of_fold(values.view(), &candidates, &mut |candidate, means| {
                this.of_known.push((known.ks()[candidate], means));
            });
        }
        Ok(this)
    }

    /// Whether a target's k counts the neighbors that know an LLM.
    fn counts_known(&self, target: usize) -> bool {
        self.folded.neighbors.has_folds() && is_mostly_alone(self.targets[target].values.view())
    }

    /// The targets that neighbors are averaged over.
    pub(super) fn targets(&self) -> &[Target] {
        &self.completed
    }

    /// For each target the k chosen by what routing gains, and the table; no k where there are too few rows for folds.
    pub(super) fn cross_validate(
        &self,
        costs: &RoutingCosts<'_>,
    ) -> Result<Vec<(Option<usize>, Vec<CvScore>)>> {
        let order = self.folded.order;
        if !self.folded.neighbors.has_folds() {
            return Ok(vec![(None, Vec::new()); self.targets.len()]);
        }
        let by_error = |target: usize| {
            let (mut table, mut best, mut least) = (Vec::new(), None, f64::INFINITY);
            self.each_k(target, |mut score, truth, predicted| {
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
        let cost = (self.targets.len() > 1).then(|| by_error(1));
        let predicted_cost = cost.as_ref().and_then(|(best, _)| best.as_ref());
        let predicted_cost = predicted_cost.map(|(_, sorted)| order.unsorted(sorted.view()));
        let predicted_cost = predicted_cost.map(|cost| cost.mapv(|it| it as f32));
        let predicted_usd = match (&cost, predicted_cost) {
            // Nothing is known of costs, so nothing is predicted of them either.
            (Some(_), None) => Array2::from_elem(costs.cost_usd.dim(), f64::NAN),
            (_, predicted) => costs.predicted(predicted.as_ref())?,
        };
        let fold_of_row = fold_of_rows(order, order.folds());
        let scores = self.targets[0].values.view();
        let judge = Judge::new(scores, costs, &fold_of_row).grouped(order.groups());
        let (mut table, mut best, mut highest) = (Vec::new(), None, f64::NEG_INFINITY);
        self.each_k(0, |mut score, _, predicted| {
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

    /// The R2 of every k, for each target; empty where there are too few rows for folds.
    pub(super) fn r2(&self) -> Vec<Vec<CvScore>> {
        let of_target = |target| {
            let mut table = Vec::new();
            self.each_k(target, |score, _, _| table.push(score));
            table
        };
        (0..self.targets.len()).map(of_target).collect()
    }

    /// Hands over each k's R2, the truths and the predictions, in the order of the folds; nothing without folds.
    fn each_k(
        &self,
        target: usize,
        mut visit: impl FnMut(CvScore, ArrayView2<'_, f32>, Array2<f64>),
    ) {
        let Folded {
            order, neighbors, ..
        } = self.folded;
        if !neighbors.has_folds() {
            return;
        }
        let truth = order.sorted(self.targets[target].values.view());
        let score = |n_neighbors, predicted: &Array2<f64>, prior_values| CvScore {
            n_neighbors,
            mean_r2: mean_r2(order, truth.view(), predicted.view()),
            mean_gain: None,
            difference_error: None,
            prior_values,
            standard_error: None,
        };
        if self.counts_known(target) {
            let of_fold =
                |fold: &Range<usize>| Shared::of(truth.view(), |row| !fold.contains(&row));
            let shared: Vec<Shared> = order.folds().iter().map(of_fold).collect();
            let fold_of = |row: usize| {
                let fold = order.folds().iter().position(|fold| fold.contains(&row));
                &shared[fold.expect("folds hold all rows")]
            };
            for (k, means) in &self.of_known {
                let means = means.slice(s![.., self.outputs[target].clone()]).to_owned();
                let (strength, drawn) = choose_strength(truth.view(), &means, fold_of);
                visit(score(*k, &drawn, Some(strength)), truth.view(), drawn);
            }
            return;
        }
        let learned = order.sorted(self.completed[target].values.view());
        let candidates: Vec<usize> = (0..neighbors.n_candidates()).collect();
        neighbors.out_of_fold(learned.view(), &candidates, &mut |candidate, predicted| {
            let score = score(neighbors.ks()[candidate], &predicted, None);
            visit(score, truth.view(), predicted);
        });
    }
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
