//! What may predict scores: the stack of least error, or one of the smoothest learners, each of all LLMs or of those with enough scores; and what the
//! rule says of them.

use std::ops::Range;

use ndarray::{Array2, ArrayView2};

use super::{
    combine::{Parts, Weighted},
    fit::{Sorted, fold_of_position},
    prepare::{Learner, PreparedBlend},
    report::{BlendCandidate, BlendReport, CandidateGain, FewScores},
    rule::{self, Decision},
    weights::{Weights, weigh},
};
use crate::{
    fold_order::FoldOrder,
    prepared::{Choice, choose_by},
    routing_gain::{Judge, Routed, fold_of_rows},
};

/// What predicts scores, and by what.
pub(super) struct Taken {
    pub(super) candidate: BlendCandidate,
    /// The number of each learner's setting, where they are not those of least error.
    pub(super) smoothest: Option<Vec<usize>>,
    /// The weights and the parts of the predictions; `None` where nothing was held out.
    pub(super) stack: Option<Stack>,
    pub(super) decision: Decision,
    /// Each candidate at its best.
    pub(super) tried: Vec<CandidateGain>,
    /// What was decided of LLMs with few scores, where there are any.
    pub(super) few_scores: Option<FewScores>,
}

/// Learners weighed for one target.
pub(super) struct Stack {
    pub(super) weights: Weights,
    pub(super) parts: Parts,
    /// What is predicted without routing, shape `(n_folds, n_models)`; NaN for an LLM that is never chosen.
    pub(super) means: Array2<f64>,
}

impl Taken {
    /// Before anything is judged: the stack of least error, or what an earlier fit took.
    pub(super) fn nothing(kept: Option<&BlendReport>) -> Self {
        Self {
            candidate: kept.map_or(BlendCandidate::LeastError, |it| it.taken),
            smoothest: None,
            stack: None,
            decision: Decision::nothing(),
            tried: Vec::new(),
            few_scores: None,
        }
    }
}

impl Stack {
    /// Weighs learners' out-of-fold predictions, or takes the weights that are given. All matrices have shape `(n_rows, n_models)`, rows in the
    /// order of the folds.
    pub(super) fn of(
        truth: ArrayView2<'_, f32>,
        predicted: &[ArrayView2<'_, f64>],
        means: Array2<f64>,
        folds: &[Range<usize>],
        kept: Option<Weights>,
    ) -> Self {
        let weights = kept.unwrap_or_else(|| weigh(truth, predicted, means.view(), folds));
        let weighted: Vec<Weighted<'_>> = (predicted.iter().enumerate())
            .map(|(learner, &predicted)| Weighted {
                predicted,
                deviation: weights.deviations[learner],
                level: weights.levels[learner],
            })
            .collect();
        let fold_of_row = fold_of_position(folds);
        let parts = Parts::of(truth.dim(), &weighted, |row| means.row(fold_of_row[row]));
        Self {
            weights,
            parts,
            means,
        }
    }

    /// Predictions at a factor of the differences between LLMs, in the order of the rows.
    pub(super) fn scaled(&self, scale: f64, order: &FoldOrder) -> Array2<f64> {
        let fold_of_row = fold_of_position(order.folds());
        let scaled = (self.parts).scaled(scale, |row| self.means.row(fold_of_row[row]));
        order.unsorted(scaled.view())
    }
}

/// Out-of-fold routing by predicted scores, with the dollars of the stack of least error, among the LLMs that are not held back.
pub(super) struct JudgedScores<'a, 'c> {
    prepared: &'a PreparedBlend,
    sorted: &'a Sorted<'a, 'c>,
    judge: Judge<'a>,
    /// Predicted dollars at each factor, in the order of the rows.
    cost_usd: &'a [Array2<f64>],
}

impl<'a, 'c> JudgedScores<'a, 'c> {
    /// `cost_usd` has the predicted dollars at each factor, in the order of the rows; `held_back` are LLMs that are never chosen.
    pub(super) fn new(
        prepared: &'a PreparedBlend,
        sorted: &'a Sorted<'a, 'c>,
        cost_usd: &'a [Array2<f64>],
        held_back: &[usize],
    ) -> Self {
        let order = &prepared.order;
        let fold_of_row = fold_of_rows(order, order.folds());
        let scores = sorted.scores_of_rows();
        Self {
            prepared,
            sorted,
            judge: Judge::without(scores, sorted.costs, &fold_of_row, held_back)
                .grouped(order.groups()),
            cost_usd,
        }
    }

    /// The stack of least error, or of the smoothest learners where those route with a higher gain less its standard error; or what an earlier fit
    /// took.
    pub(super) fn take(
        &self,
        learners: &[Learner<'_>],
        least_error: Stack,
        kept: Option<&BlendReport>,
    ) -> Taken {
        let mut taken = Taken::nothing(kept);
        taken.decision = self.decide(&least_error);
        let means = least_error.means.clone();
        taken.stack = Some(least_error);
        match kept {
            Some(_) => taken,
            None => self.or_smoothest(learners, taken, means),
        }
    }

    /// What the rule says of predicted scores.
    fn decide(&self, scores: &Stack) -> Decision {
        let scales = &self.prepared.params.params.scales;
        rule::decide(&self.judge, scales, self.cost_usd, |scale| {
            scores.scaled(scale, &self.prepared.order)
        })
    }

    fn or_smoothest(
        &self,
        learners: &[Learner<'_>],
        least_error: Taken,
        means: Array2<f64>,
    ) -> Taken {
        let truth = self.sorted.scores();
        let whole = 0..truth.ncols();
        let choices: Vec<Choice> = (learners.iter())
            .flat_map(|learner| {
                choose_by(
                    learner.prepared,
                    self.sorted.learned_scores(),
                    truth,
                    std::slice::from_ref(&whole),
                    &learner.smoothest,
                )
            })
            .collect();
        let predicted: Vec<ArrayView2<'_, f64>> = (choices.iter())
            .filter_map(|choice| choice.out_of_fold.as_ref())
            .map(Array2::view)
            .collect();
        let stack = Stack::of(truth, &predicted, means, self.prepared.order.folds(), None);
        let decision = self.decide(&stack);

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
            taken.smoothest = Some(choices.iter().map(|it| it.candidate).collect());
            taken.stack = Some(stack);
            taken.decision = decision;
        }
        taken
    }

    /// What each row gets by what was taken.
    fn routed(&self, taken: &Taken) -> Routed {
        let scale = taken.decision.scale;
        let scales = &self.prepared.params.params.scales;
        let at = scales.iter().position(|&it| it == scale);
        match (at, &taken.stack) {
            (Some(at), Some(stack)) => {
                let scores = stack.scaled(scale, &self.prepared.order);
                self.judge.routed(scores.view(), self.cost_usd[at].view())
            }
            // Whatever the prompt, an LLM by the means.
            _ => self.judge.unrouted().clone(),
        }
    }

    /// What was taken of all LLMs, or, where that is not better by more than a standard error, what was taken without `models`, which have few scores.
    pub(super) fn unless_without(
        &self,
        all: Taken,
        without: (&Self, Taken),
        models: Vec<usize>,
    ) -> Taken {
        let (judged, without) = without;
        let gain = (self.judge).gain_over(&self.routed(&all), &judged.routed(&without));
        // Held back as well where one of the two is not a number.
        let is_better = gain.mean - gain.standard_error > 0.0;
        let known = |value: f64| value.is_finite().then_some(value);
        let few_scores = FewScores {
            models,
            held_back: !is_better,
            gain: known(gain.mean),
            standard_error: known(gain.standard_error),
        };
        Taken {
            few_scores: Some(few_scores),
            ..if is_better { all } else { without }
        }
    }
}

/// The LLMs that have fewer than a quarter of the scores of the one that has the most, of shape `(n_rows, n_models)`; one without any score is never
/// chosen anyway.
pub(super) fn with_few_scores(scores: ArrayView2<'_, f32>) -> Vec<usize> {
    let n_known: Vec<usize> = (scores.columns().into_iter())
        .map(|column| column.iter().filter(|score| !score.is_nan()).count())
        .collect();
    let most = n_known.iter().copied().max().unwrap_or(0);
    (0..n_known.len())
        .filter(|&model| n_known[model] > 0 && 4 * n_known[model] < most)
        .collect()
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    #[test]
    fn few_scores_are_less_than_a_quarter_of_the_most() {
        let n_known = [40, 10, 9, 0];
        let scores =
            Array2::from_shape_fn(
                (40, 4),
                |(row, model)| {
                    if row < n_known[model] { 1.0 } else { f32::NAN }
                },
            );
        assert_eq!(with_few_scores(scores.view()), [2]);
    }
}
