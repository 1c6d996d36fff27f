//! What may predict scores: the stack of least error, or one of the smoothest learners; and what the rule says of both.

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
    prepared::{Choice, choose_by},
    routing_gain::{Judge, fold_of_rows},
};

/// What predicts scores, and by what.
pub(super) struct Taken {
    pub(super) candidate: BlendCandidate,
    /// Settings and weights, where they are not those that were given.
    pub(super) smoothest: Option<Smoothest>,
    pub(super) decision: Decision,
    /// Each candidate at its best.
    pub(super) tried: Vec<CandidateGain>,
}

/// A stack of the learners at their smoothest settings.
pub(super) struct Smoothest {
    /// The number of each learner's setting.
    pub(super) settings: Vec<usize>,
    pub(super) weights: Weights,
}

impl Taken {
    /// Before anything is judged: the stack of least error, or what an earlier fit took.
    pub(super) fn nothing(kept: Option<&BlendReport>) -> Self {
        Self {
            candidate: kept.map_or(BlendCandidate::LeastError, |it| it.taken),
            smoothest: None,
            decision: Decision::nothing(),
            tried: Vec::new(),
        }
    }
}

/// Out-of-fold routing by predicted scores, with the dollars of the stack of least error.
pub(super) struct JudgedScores<'a> {
    prepared: &'a PreparedBlend,
    /// In the order of the folds; the judge has them in the order of the rows.
    truth: ArrayView2<'a, f32>,
    /// The same with what is filled in.
    learned: ArrayView2<'a, f32>,
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
            learned: sorted.learned_scores(),
            judge: Judge::new(sorted.scores_of_rows(), sorted.costs, &fold_of_row)
                .grouped(order.groups()),
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

    /// Takes the smoothest learners in the place of those of least error where they route with a higher gain less its standard error.
    pub(super) fn or_smoothest(&self, learners: &[Learner<'_>], least_error: Taken) -> Taken {
        let whole = 0..self.truth.ncols();
        let choices: Vec<Choice> = (learners.iter())
            .flat_map(|learner| {
                let outputs = std::slice::from_ref(&whole);
                choose_by(
                    learner.prepared,
                    self.learned,
                    self.truth,
                    outputs,
                    &learner.smoothest,
                )
            })
            .collect();
        let predicted: Vec<ArrayView2<'_, f64>> = (choices.iter())
            .filter_map(|choice| choice.out_of_fold.as_ref())
            .map(Array2::view)
            .collect();
        let folds = self.prepared.order.folds();
        let weights = weigh(self.truth, &predicted, self.means.view(), folds);
        let weighted: Vec<Weighted<'_>> = (predicted.iter().enumerate())
            .map(|(learner, &predicted)| Weighted {
                predicted,
                deviation: weights.deviations[learner],
                level: weights.levels[learner],
            })
            .collect();
        let means = |row: usize| self.means.row(self.fold_of_position[row]);
        let decision = self.decide(&Parts::of(self.truth.dim(), &weighted, means));

        let mut taken = least_error;
        let best = |candidate, decision: &Decision| {
            decision.best.map(|best| CandidateGain { candidate, best })
        };
        let both = [
            best(BlendCandidate::LeastError, &taken.decision),
            best(BlendCandidate::Smoothest, &decision),
        ];
        taken.tried = both.into_iter().flatten().collect();
        if decision.scale > 0.0 && decision.bound > taken.decision.bound {
            taken.candidate = BlendCandidate::Smoothest;
            taken.smoothest = Some(Smoothest {
                settings: choices.iter().map(|it| it.candidate).collect(),
                weights,
            });
            taken.decision = decision;
        }
        taken
    }
}
