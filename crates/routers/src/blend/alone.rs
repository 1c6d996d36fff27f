//! Single learners as candidates beside the stack, and what the rule says of each.

use ndarray::{Array2, ArrayView2};

use super::{
    combine::{Parts, Weighted},
    fit::{Sorted, fold_of_position},
    prepare::{Learner, PreparedBlend},
    report::{BlendCandidate, BlendReport, CandidateGain},
    rule::{self, Decision},
    weights::{Weights, weigh},
};
use crate::{
    Result,
    routing_gain::{Judge, fold_of_rows},
};

/// What predicts scores, and by what.
pub(super) struct Taken {
    pub(super) candidate: BlendCandidate,
    /// Which learner, where it is a single one that this fit found; otherwise the weights are those of the stack, or of an earlier fit.
    pub(super) alone: Option<Alone>,
    pub(super) decision: Decision,
    /// Each candidate at its best.
    pub(super) tried: Vec<CandidateGain>,
}

/// A single learner at one setting.
pub(super) struct Alone {
    pub(super) learner: usize,
    /// The setting's number among those of the learner.
    pub(super) candidate: usize,
    /// One for each learner, 0 for all others.
    pub(super) weights: Weights,
}

impl Taken {
    /// Before anything is judged: the stack, or what an earlier fit took.
    pub(super) fn nothing(kept: Option<&BlendReport>) -> Self {
        Self {
            candidate: kept.map_or(BlendCandidate::Stack, |it| it.taken),
            alone: None,
            decision: Decision::nothing(),
            tried: Vec::new(),
        }
    }
}

/// Out-of-fold routing by predicted scores, with the dollars of the stack.
pub(super) struct JudgedScores<'a> {
    prepared: &'a PreparedBlend,
    /// In the order of the folds; the judge has them in the order of the rows.
    truth: ArrayView2<'a, f32>,
    judge: Judge<'a>,
    /// Predicted dollars at each factor, in the order of the rows.
    cost_usd: Vec<Array2<f64>>,
    /// Of scores, shape `(n_folds, n_models)`.
    means: &'a Array2<f64>,
    fold_of_position: Vec<usize>,
}

impl<'a> JudgedScores<'a> {
    /// `parts` and `means` are those of scores, and of costs where they are a target.
    pub(super) fn new(
        prepared: &'a PreparedBlend,
        sorted: &'a Sorted<'_, '_>,
        parts: &[Parts],
        means: &'a [Array2<f64>],
    ) -> Result<Self> {
        let order = &prepared.order;
        let fold_of_position = fold_of_position(order.folds());
        let dollars = |&scale: &f64| {
            let of_target = parts.get(1).map(|parts| {
                let predicted = parts.scaled(scale, |row| means[1].row(fold_of_position[row]));
                order.unsorted(predicted.view()).mapv(|it| it as f32)
            });
            sorted.costs.predicted(of_target.as_ref())
        };
        let scales = prepared.params.params.scales.iter();
        let cost_usd = scales.map(dollars).collect::<Result<_>>()?;
        let fold_of_row = fold_of_rows(order, order.folds());
        Ok(Self {
            prepared,
            truth: sorted.scores(),
            judge: Judge::new(
                sorted.scores_of_rows(),
                sorted.costs.cost_usd.view(),
                &fold_of_row,
            ),
            cost_usd,
            means: &means[0],
            fold_of_position,
        })
    }

    /// What the rule says of predicted scores.
    pub(super) fn decide(&self, scores: &Parts) -> Decision {
        let scales = &self.prepared.params.params.scales;
        rule::decide(&self.judge, scales, &self.cost_usd, |scale| {
            let scaled = scores.scaled(scale, |row| self.means.row(self.fold_of_position[row]));
            self.prepared.order.unsorted(scaled.view())
        })
    }

    /// Takes a single learner in the stack's place where one routes with a higher gain less its standard error; the first of the best.
    ///
    /// Each learner is tried at each of its settings, with the one weight that least squares gives it ([`weigh`]). One matrix of predictions is
    /// held at a time.
    pub(super) fn or_alone(&self, learners: &[Learner<'_>], stack: Taken) -> Taken {
        let mut taken = stack;
        let mut tried = Vec::new();
        let mut note = |candidate, decision: &Decision| {
            tried.extend(decision.best.map(|best| CandidateGain { candidate, best }));
        };
        note(taken.candidate, &taken.decision);
        for (number, learner) in learners.iter().enumerate() {
            let all: Vec<usize> = (0..learner.settings.len()).collect();
            let mut judge = |candidate: usize, predicted: Array2<f64>| {
                let (weights, parts) = self.weigh(predicted.view());
                let decision = self.decide(&parts);
                let alone = BlendCandidate::Alone(learner.settings[candidate]);
                note(alone, &decision);
                if decision.scale > 0.0 && decision.bound > taken.decision.bound {
                    taken.candidate = alone;
                    taken.alone = Some(Alone {
                        learner: number,
                        candidate,
                        weights: weights.of_one(number, learners.len()),
                    });
                    taken.decision = decision;
                }
            };
            (learner.prepared).out_of_fold(self.truth, &all, &mut judge);
        }
        taken.tried = tried;
        taken
    }

    fn weigh(&self, predicted: ArrayView2<'_, f64>) -> (Weights, Parts) {
        let folds = self.prepared.order.folds();
        let weights = weigh(self.truth, &[predicted], self.means.view(), folds);
        let weighted = [Weighted {
            predicted,
            deviation: weights.deviations[0],
            level: weights.levels[0],
        }];
        let means = |row: usize| self.means.row(self.fold_of_position[row]);
        let parts = Parts::of(predicted.dim(), &weighted, means);
        (weights, parts)
    }
}
