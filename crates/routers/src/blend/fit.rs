use std::ops::Range;

use dataset::worth;
use ndarray::{Array2, ArrayView2, s};

use super::{
    candidates::{JudgedScores, Stack, Taken, with_few_scores},
    model::{Blend, BlendParts},
    params::CheckedBlendParams,
    prepare::{Learner, PreparedBlend},
    report::{BlendReport, BlendTarget, LearnerReport, Setting, SettingScore},
    weights::{Weights, means_of_others},
};
use crate::{
    Error, Knn, Result, RoutingCosts, Target, UnitRows,
    completion::is_mostly_alone,
    knn::{FoldedKnown, output_ranges},
    prepared::{Choice, Chosen, choose_by, known_side_by_side},
};

impl CheckedBlendParams {
    /// Fits several learners, weighs them, and decides by out-of-fold utility whether to route at all.
    ///
    /// ```text
    /// prediction_m(x) = mean_m + level(x) + g dev_m(x)
    /// level(x)        = sum over learners j of u_j level_j(x)       level_j(x)  = mean over m of (f_jm(x) - mean_m)
    /// dev_m(x)        = sum over learners j of w_j dev_jm(x)        dev_jm(x)   = f_jm(x) - mean_m - level_j(x)
    /// w, u            non-negative least squares on out-of-fold predictions, pooled over LLMs: of each row's differences from its mean over
    ///                 LLMs, and of these means
    /// g               the factor in `scales` with the highest out-of-fold gain over not routing less its standard error, averaged over the grid
    ///                 of worths ([`dataset::worth::grid`]), if that is above 0; otherwise 0
    /// ```
    ///
    /// The learners `j` are nearest neighbors, ridge regression, kernel ridge regression and means over clusters, each with the hyperparameters
    /// that have the least out-of-fold squared error of differences between LLMs. Scores and costs have hyperparameters and weights of their own,
    /// and one g: costs that varied at g = 0 would still route. Weights that sum to less than 1 draw predictions to the means where the signal is
    /// weak.
    ///
    /// Scores have a second candidate ([`crate::BlendCandidate::Smoothest`]): the same learners with the smoothest of their hyperparameters, which
    /// are the most neighbors, the strongest penalties (of all gammas, the one of least error) and the fewest clusters, weighed by the same least
    /// squares. Each candidate has a g by the rule; the one that routes with the higher gain less its standard error is taken, that of least error
    /// where they tie or neither routes. Least squares ask for every LLM's score, routing only for the best LLM: among many LLMs close together
    /// the highest prediction is the one with the most noise, and more smoothing routes better than the least error has. Mean gains in 1e-4
    /// (MiniLM vectors, 5 outer folds, k-means of 6 to 30 iterations; zeroeval: over 4 draws of them; open-llm's 3,000 and 6,000 rows:
    /// over 3 and 2 draws of rows), with the least error alone, with both, and of nearest neighbors whose number is chosen by gain:
    ///
    /// | table | least error | both | neighbors |
    /// |---|---|---|---|
    /// | zeroeval, 2,840 x 17 | 42 | 76 | 84 |
    /// | open-llm, 3,000 x 18 | 188 | 203 | 172 |
    /// | open-llm, 6,000 x 18 | 229 | 251 | 214 |
    /// | open-llm, 17,793 x 18 | 248 | 250 | 221 |
    /// | mmlu-pro, 3,000 x 15 | 43 | 46 | 44 |
    /// | mmlu-pro, 12,032 x 15 | 92 | 91 | 82 |
    ///
    /// Where prompts are permuted against scores (zeroeval, 10 times) nothing changes: 15 of 50 fits route, mean gain -2, from -32 to 13;
    /// neighbors -23, from -134 to 58. Tried as well, and not kept: each learner alone at each of its settings (zeroeval 84, but 37 of 50 permuted
    /// fits route, and open-llm's 3,000 rows fall in one of the draws from 171 to 136); settings of each learner by gain (zeroeval 79,
    /// permuted 33 of 50).
    ///
    /// In a log whose policy went by the prompt, an LLM's known scores are of the prompts that it was asked: every mean above, and the gain that g is
    /// chosen by, is weighted by one over the probability with which the LLM was asked, where that is given
    /// ([`RoutingCosts::inverse_propensities`]). Squared errors are not: learners and their weights w, u say what to expect of a prompt given its
    /// embedding, which is the same whatever prompts were asked more often, and weights would only make them vary more.
    ///
    /// LLMs with fewer than a quarter of the scores of the LLM that has the most are held back, which is to say never chosen, unless out-of-fold
    /// choices among all LLMs, by the rules above, are better than those among the others by more than a standard error
    /// ([`BlendReport::few_scores`]): an LLM's known scores stand for all rows, each of a twentieth for twenty, and the one LLM's noise would decide
    /// for all whether to route, and by which factor. Mean gains of routing with an LLM that has 5% of its scores over routing without it, in 1e-4, each of
    /// the 6 LLMs that have the most choices in turn, two draws each, on test parts (static vectors), with the standard error over prompts, by what
    /// it takes to let the LLM in; and the share of choices that it gets:
    ///
    /// | table | by more than a standard error | by anything | not worse by a standard error | always |
    /// |---|---|---|---|---|
    /// | zeroeval | -7 (8), .015 | -3 (14), .050 | -13 (31), .118 | -6 (39), .185 |
    /// | made up | 37 (14), .022 | 48 (20), .036 | 35 (24), .041 | 35 (24), .041 |
    /// | made up, close LLMs | -26 (28), .110 | -50 (50), .168 | -6 (69), .201 | -6 (69), .201 |
    /// | mmlu-pro | 129 (18), .162 | 129 (18), .162 | 126 (21), .168 | 126 (21), .168 |
    /// | open-llm | 0 (0), 0 | 0 (0), 0 | -4 (4), .050 | -101 (33), .157 |
    ///
    /// The first is the rule by which g is chosen, and risks least. With all of its scores an LLM would gain 33, 166, 64, 166 and 27, with a share
    /// of .16.
    ///
    /// At g = 0 the blend does not route: whatever the prompt, it predicts each LLM's mean score and mean cost, so that at any worth one LLM has
    /// all prompts, the best one for the price. It then has no learners. `embeddings` has shape `(n_rows, dim)`; the targets are scores and, where
    /// they are to be predicted, costs, each of shape `(n_rows, n_models)`, NaN where unknown; `on_progress` counts rows.
    ///
    /// Unknown values are filled in from what else their rows know ([`crate::completed`], once for all folds, by all rows of the fit), and judge
    /// nothing. Where most known scores are alone in their rows, as in a log of one answer per prompt, nothing can be filled in: neighbors are then
    /// counted that know an LLM, and w and u are fitted side by side.
    ///
    /// With fewer than `2 * n_folds` rows nothing can be judged, and g is 0.
    ///
    /// Sources: stacking by non-negative least squares, Breiman (1996), "Stacked regressions"; the rule for g, Breiman et al. (1984),
    /// "Classification and regression trees", section 3.4.3. The blend is ours.
    ///
    /// # Deviations
    /// Stacking would weigh predictions themselves; here an LLM's mean is taken off first, so that no weight is needed to say how good it is.
    ///
    /// # Errors
    /// As [`CheckedBlendParams::prepare`] and [`PreparedBlend::fit`].
    pub fn fit(
        &self,
        embeddings: ArrayView2<'_, f32>,
        targets: &[Target],
        costs: &RoutingCosts<'_>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Blend> {
        known_side_by_side(embeddings.nrows(), targets)?;
        costs.check(targets)?;
        self.prepare(embeddings, on_progress)?.fit(targets, costs)
    }
}

/// Targets in the order of the folds, side by side.
pub(super) struct Sorted<'a, 'c> {
    targets: &'a [Target],
    pub(super) costs: &'a RoutingCosts<'c>,
    values: Array2<f32>,
    /// For how many rows each row and LLM stands, where anybody says.
    weights: Option<Array2<f64>>,
    outputs: Vec<Range<usize>>,
    /// The targets with what is filled in, in the order of the rows.
    learned_targets: Vec<Target>,
    /// The same in the order of the folds, side by side.
    learned: Array2<f32>,
}

impl Sorted<'_, '_> {
    /// The scores, in the order of the folds.
    pub(super) fn scores(&self) -> ArrayView2<'_, f32> {
        self.values.slice(s![.., self.outputs[0].clone()])
    }

    /// The scores with what is filled in, in the order of the folds.
    pub(super) fn learned_scores(&self) -> ArrayView2<'_, f32> {
        self.learned.slice(s![.., self.outputs[0].clone()])
    }

    /// Whether neighbors are counted that know: most known scores are alone in their rows.
    fn counts_known(&self) -> bool {
        is_mostly_alone(self.scores())
    }

    /// The scores, in the order of the rows.
    pub(super) fn scores_of_rows(&self) -> ArrayView2<'_, f32> {
        self.targets[0].values.view()
    }
}

impl PreparedBlend {
    /// Chooses hyperparameters, weights and g for targets of the rows ([`CheckedBlendParams::fit`]).
    ///
    /// # Errors
    /// [`Error::Shape`] when a target has other rows than the embeddings, or other LLMs than the dollars; [`Error::Empty`] for a target without
    /// columns; [`Error::InfiniteTarget`]; [`Error::RoutingTargets`] for other targets than scores, or scores and costs.
    pub fn fit(&self, targets: &[Target], costs: &RoutingCosts<'_>) -> Result<Blend> {
        let sorted = self.sort(targets, costs)?;
        let rows = self.order.unit_rows(&self.rows)?;
        let known = self.known_neighbors(&sorted, &rows);
        let known = known.map(|it| it.allowed_by(sorted.values.view()));
        let learners = self.learners(known.as_ref());
        let choices: Vec<Vec<Choice>> = (learners.iter())
            .map(|learner| {
                let all: Vec<usize> = (0..learner.settings.len()).collect();
                choose_by(
                    learner.prepared,
                    sorted.learned.view(),
                    sorted.values.view(),
                    &sorted.outputs,
                    &all,
                )
            })
            .collect();
        self.finish(&sorted, &learners, choices, None)
    }

    /// Decides g, and which LLMs are held back, once more for other values of the targets, or other LLMs, with what an earlier fit took, its
    /// hyperparameters and weights. The rows are prepared by [`CheckedBlendParams::keeping`] that fit's report; landmarks and centroids are those of the earlier fit where the rows are.
    ///
    /// # Errors
    /// As [`PreparedBlend::fit`]; [`Error::Kept`] when the report is of other targets, or of settings that the rows are not prepared for.
    pub fn fit_kept(
        &self,
        targets: &[Target],
        costs: &RoutingCosts<'_>,
        kept: &BlendReport,
    ) -> Result<Blend> {
        let sorted = self.sort(targets, costs)?;
        if kept.targets.len() != targets.len() {
            return Err(Error::Kept {
                problem: "is of other targets",
            });
        }
        let rows = self.order.unit_rows(&self.rows)?;
        let known = self.known_neighbors(&sorted, &rows);
        let learners = self.learners(known.as_ref());
        let mut choices = Vec::new();
        for learner in &learners {
            let mut of_targets = Vec::new();
            for (target, outputs) in kept.targets.iter().zip(&sorted.outputs) {
                let candidate = kept_candidate(learner, target)?;
                let [learned, truth] = [&sorted.learned, &sorted.values]
                    .map(|values| values.slice(s![.., outputs.clone()]));
                let whole = 0..outputs.len();
                let mut choice =
                    choose_by(learner.prepared, learned, truth, &[whole], &[candidate]);
                // It was not chosen here.
                choice[0].errors.clear();
                of_targets.append(&mut choice);
            }
            choices.push(of_targets);
        }
        self.finish(&sorted, &learners, choices, Some(kept))
    }

    fn sort<'a, 'c>(
        &self,
        targets: &'a [Target],
        costs: &'a RoutingCosts<'c>,
    ) -> Result<Sorted<'a, 'c>> {
        let n_rows = self.rows.n_rows();
        let values = known_side_by_side(n_rows, targets)?;
        costs.check(targets)?;
        let learned_targets: Vec<Target> = targets.iter().map(Target::completed).collect();
        let learned = known_side_by_side(n_rows, &learned_targets)?;
        Ok(Sorted {
            values: self.order.sorted(values.view()),
            weights: (costs.inverse_propensities.as_ref()).map(|it| self.order.sorted(it.view())),
            outputs: output_ranges(targets),
            learned: self.order.sorted(learned.view()),
            learned_targets,
            targets,
            costs,
        })
    }

    /// What takes the place of nearest neighbors where most known scores are alone in their rows; `rows` are in the order of the folds.
    fn known_neighbors<'a>(
        &'a self,
        sorted: &Sorted<'_, '_>,
        rows: &'a UnitRows,
    ) -> Option<FoldedKnown<'a>> {
        let knn = self.params.knn.as_ref()?;
        let ks = &knn.params().n_neighbors;
        (sorted.counts_known()).then(|| FoldedKnown::new(rows, self.order.folds(), ks))
    }

    fn finish(
        &self,
        sorted: &Sorted<'_, '_>,
        learners: &[Learner<'_>],
        mut choices: Vec<Vec<Choice>>,
        kept: Option<&BlendReport>,
    ) -> Result<Blend> {
        let mut taken = Taken::nothing(kept);
        let mut weights = Vec::new();
        // Without learners nothing was held out, and there is nothing to weigh.
        if !learners.is_empty() {
            let stack = |target, held_back: &[usize]| {
                self.stack(sorted, learners, &choices, kept, target, held_back)
            };
            let cost = (sorted.targets.len() > 1).then(|| stack(1, &[]));
            let dollars = |&scale: &f64| {
                let of_target = cost.as_ref().map(|stack| stack.scaled(scale, &self.order));
                let of_target = of_target.map(|it| it.mapv(|it| it as f32));
                sorted.costs.predicted(of_target.as_ref())
            };
            let cost_usd: Vec<Array2<f64>> = (self.params.params.scales.iter())
                .map(dollars)
                .collect::<Result<_>>()?;
            let judged = JudgedScores::new(self, sorted, &cost_usd, &[]);
            taken = judged.take(learners, stack(0, &[]), kept);
            let few = with_few_scores(sorted.scores());
            if !few.is_empty() {
                let others = JudgedScores::new(self, sorted, &cost_usd, &few);
                let without = others.take(learners, stack(0, &few), kept);
                taken = judged.unless_without(taken, (&others, without), few);
            }
            weights.extend(taken.stack.take().map(|it| it.weights));
            weights.extend(cost.map(|it| it.weights));
        }
        if let Some(settings) = &taken.smoothest {
            for (choices, &setting) in choices.iter_mut().zip(settings) {
                choices[0].candidate = setting;
            }
        }
        let report = report(sorted, learners, &choices, &weights, taken);
        self.keep(sorted, learners, &choices, report)
    }

    /// The learners' out-of-fold predictions of a target, weighed, for the LLMs that are not held back.
    fn stack(
        &self,
        sorted: &Sorted<'_, '_>,
        learners: &[Learner<'_>],
        choices: &[Vec<Choice>],
        kept: Option<&BlendReport>,
        target: usize,
        held_back: &[usize],
    ) -> Stack {
        let folds = self.order.folds();
        let of_target = s![.., sorted.outputs[target].clone()];
        let truth = sorted.values.slice(of_target);
        let predicted: Vec<ArrayView2<'_, f64>> = (choices.iter())
            .filter_map(|of_targets| of_targets[target].out_of_fold.as_ref())
            .map(Array2::view)
            .collect();
        let learned = sorted.learned.slice(of_target);
        let weights_of_rows = sorted.weights.as_ref().map(Array2::view);
        let mut means = means_of_others(learned, truth, weights_of_rows, folds);
        for &model in held_back {
            means.column_mut(model).fill(f64::NAN);
        }
        let kept = kept.map(|kept| kept_weights(learners, &kept.targets[target]));
        Stack::of(truth, &predicted, means, folds, kept)
    }

    /// Fits the learners that have weight to all rows.
    fn keep(
        &self,
        sorted: &Sorted<'_, '_>,
        learners: &[Learner<'_>],
        choices: &[Vec<Choice>],
        report: BlendReport,
    ) -> Result<Blend> {
        let rows_stand_for = sorted.costs.inverse_propensities;
        let of_all =
            |values: ArrayView2<'_, f64>| worth::weighted_means(values, rows_stand_for, |_| true);
        let mut means: Vec<Vec<f64>> = (sorted.learned_targets.iter())
            .map(|target| of_all(target.values.mapv(f64::from).view()))
            .collect();
        for &model in report.held_back() {
            means[0][model] = f64::NAN;
        }
        let mut blend = BlendParts {
            dim: self.rows.dim(),
            means,
            mean_costs_usd: of_all(sorted.costs.cost_usd.view()),
            report,
            knn: None,
            linear: None,
            kernel: None,
            cluster: None,
        };
        for (learner, choices) in learners.iter().zip(choices) {
            let first = learner.settings[0];
            if !(blend.report.routes && blend.report.has_weight(first)) {
                continue;
            }
            let chosen = Chosen {
                targets: &sorted.learned_targets,
                values: sorted.learned.view(),
                outputs: &sorted.outputs,
                // The blend reports its choices itself.
                candidates: &[],
                choices,
            };
            match first {
                Setting::Knn { .. } => {
                    let ks =
                        (choices.iter()).map(|choice| match learner.settings[choice.candidate] {
                            Setting::Knn { n_neighbors } => n_neighbors,
                            _ => unreachable!("settings of one learner are of one kind"),
                        });
                    let ks: Vec<usize> = ks.collect();
                    let knn = self.params.knn.as_ref().expect("it is one of the learners");
                    let backend = knn.params().backend;
                    let rows = self.rows.clone();
                    let knn = Knn::from_parts(rows, &sorted.learned_targets, &ks, backend)?;
                    // Weights do what a strength would.
                    let prior_values = vec![Some(0.0); ks.len()];
                    blend.knn = Some(match sorted.counts_known() {
                        true => knn.counting_known(&prior_values)?,
                        false => knn,
                    });
                }
                Setting::Linear { .. } => {
                    blend.linear = self.linear.as_ref().map(|it| it.fit_at(chosen));
                }
                Setting::Kernel { .. } => {
                    blend.kernel = self.kernel.as_ref().map(|it| it.fit_at(chosen));
                }
                Setting::Cluster { .. } => {
                    blend.cluster = self.cluster.as_ref().map(|it| it.fit_at(chosen));
                }
            }
        }
        Blend::from_parts(blend)
    }
}

/// The fold of each position in the order of the folds.
pub(super) fn fold_of_position(folds: &[Range<usize>]) -> Vec<usize> {
    let of_fold = |(fold, rows): (usize, &Range<usize>)| std::iter::repeat_n(fold, rows.len());
    folds.iter().enumerate().flat_map(of_fold).collect()
}

fn kept_candidate(learner: &Learner<'_>, kept: &BlendTarget) -> Result<usize> {
    let is_same = |setting: &Setting| kept.learners.iter().any(|it| it.setting == *setting);
    learner
        .settings
        .iter()
        .position(is_same)
        .ok_or(Error::Kept {
            problem: "has settings that the rows are not prepared for",
        })
}

fn kept_weights(learners: &[Learner<'_>], kept: &BlendTarget) -> Weights {
    let of = |weight: fn(&LearnerReport) -> f64| {
        let find = |learner: &Learner<'_>| {
            let is_same = |it: &&LearnerReport| it.setting.is_of(learner.settings[0]);
            kept.learners.iter().find(is_same).map_or(0.0, weight)
        };
        learners.iter().map(find).collect()
    };
    Weights {
        deviations: of(|it| it.deviation_weight),
        levels: of(|it| it.level_weight),
    }
}

fn report(
    sorted: &Sorted<'_, '_>,
    learners: &[Learner<'_>],
    choices: &[Vec<Choice>],
    weights: &[Weights],
    taken: Taken,
) -> BlendReport {
    let of_target = |target: usize| {
        let of_learner = |(i, (learner, choices)): (usize, (&Learner<'_>, &Vec<Choice>))| {
            let choice = &choices[target];
            let scores = learner.settings.iter().zip(&choice.errors);
            LearnerReport {
                setting: learner.settings[choice.candidate],
                deviation_weight: weights[target].deviations[i],
                level_weight: weights[target].levels[i],
                cross_validation: scores
                    .map(|(&setting, error)| SettingScore {
                        setting,
                        difference_error: error.is_finite().then_some(*error),
                    })
                    .collect(),
            }
        };
        let learners = learners.iter().zip(choices).enumerate();
        BlendTarget {
            target: sorted.targets[target].name.clone(),
            learners: learners.map(of_learner).collect(),
        }
    };
    BlendReport {
        routes: taken.decision.scale > 0.0,
        scale: taken.decision.scale,
        taken: taken.candidate,
        gains: taken.decision.gains,
        tried: taken.tried,
        few_scores: taken.few_scores,
        targets: (0..sorted.targets.len()).map(of_target).collect(),
    }
}
