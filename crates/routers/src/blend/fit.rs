use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};

use super::{
    combine::{Parts, Weighted},
    model::{Blend, BlendParts},
    params::CheckedBlendParams,
    prepare::{Learner, PreparedBlend},
    report::{BlendReport, BlendTarget, LearnerReport, Setting, SettingScore},
    rule::{self, Decision, Predicted},
    weights::{Weights, means_of_others, weigh},
};
use crate::{
    Error, Knn, Result, RoutingCosts, Target,
    knn::output_ranges,
    prepared::{Choice, choose, known_side_by_side},
    routing_gain::{Judge, fold_of_rows, means},
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
    /// At g = 0 the blend does not route: whatever the prompt, it predicts each LLM's mean score and mean cost, so that at any worth one LLM has
    /// all prompts, the best one for the price. It then has no learners. `embeddings` has shape `(n_rows, dim)`; the targets are scores and, where
    /// they are to be predicted, costs, each of shape `(n_rows, n_models)`, NaN where unknown; `on_progress` counts rows.
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
struct Sorted<'a, 'c> {
    targets: &'a [Target],
    costs: &'a RoutingCosts<'c>,
    values: Array2<f32>,
    outputs: Vec<Range<usize>>,
}

impl PreparedBlend {
    /// Chooses hyperparameters, weights and g for targets of the rows ([`CheckedBlendParams::fit`]).
    ///
    /// # Errors
    /// [`Error::Shape`] when a target has other rows than the embeddings, or other LLMs than the dollars; [`Error::Empty`] for a target without
    /// columns; [`Error::InfiniteTarget`]; [`Error::RoutingTargets`] for other targets than scores, or scores and costs.
    pub fn fit(&self, targets: &[Target], costs: &RoutingCosts<'_>) -> Result<Blend> {
        let sorted = self.sort(targets, costs)?;
        let learners = self.learners();
        let choices: Vec<Vec<Choice>> = (learners.iter())
            .map(|learner| {
                let all: Vec<usize> = (0..learner.settings.len()).collect();
                choose(
                    learner.prepared,
                    sorted.values.view(),
                    &sorted.outputs,
                    &all,
                )
            })
            .collect();
        self.finish(&sorted, &learners, &choices, None)
    }

    /// Decides g once more for other values of the targets, or other LLMs, with the hyperparameters and weights of an earlier fit. The rows are
    /// prepared by [`CheckedBlendParams::keeping`] that fit's report; landmarks and centroids are those of the earlier fit where the rows are.
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
        let learners = self.learners();
        let mut choices = Vec::new();
        for learner in &learners {
            let mut of_targets = Vec::new();
            for (target, outputs) in kept.targets.iter().zip(&sorted.outputs) {
                let candidate = kept_candidate(learner, target)?;
                let values = sorted.values.slice(s![.., outputs.clone()]);
                let whole = 0..outputs.len();
                let mut choice = choose(learner.prepared, values, &[whole], &[candidate]);
                // It was not chosen here.
                choice[0].errors.clear();
                of_targets.append(&mut choice);
            }
            choices.push(of_targets);
        }
        self.finish(&sorted, &learners, &choices, Some(kept))
    }

    fn sort<'a, 'c>(
        &self,
        targets: &'a [Target],
        costs: &'a RoutingCosts<'c>,
    ) -> Result<Sorted<'a, 'c>> {
        let values = known_side_by_side(self.rows.n_rows(), targets)?;
        costs.check(targets)?;
        Ok(Sorted {
            values: self.order.sorted(values.view()),
            outputs: output_ranges(targets),
            targets,
            costs,
        })
    }

    fn finish(
        &self,
        sorted: &Sorted<'_, '_>,
        learners: &[Learner<'_>],
        choices: &[Vec<Choice>],
        kept: Option<&BlendReport>,
    ) -> Result<Blend> {
        let folds = self.order.folds();
        let (mut weights, mut parts, mut all_means) = (Vec::new(), Vec::new(), Vec::new());
        // Without learners nothing was held out, and there is nothing to weigh.
        let outputs = if learners.is_empty() {
            &[][..]
        } else {
            &sorted.outputs
        };
        for (target, outputs) in outputs.iter().enumerate() {
            let truth = sorted.values.slice(s![.., outputs.clone()]);
            let predicted: Vec<ArrayView2<'_, f64>> = (choices.iter())
                .filter_map(|of_targets| of_targets[target].out_of_fold.as_ref())
                .map(Array2::view)
                .collect();
            let means = means_of_others(truth, folds);
            let chosen = match kept {
                Some(kept) => kept_weights(learners, &kept.targets[target]),
                None => weigh(truth, &predicted, means.view(), folds),
            };
            let weighted: Vec<Weighted<'_>> = (predicted.into_iter().enumerate())
                .map(|(learner, predicted)| Weighted {
                    predicted,
                    deviation: chosen.deviations[learner],
                    level: chosen.levels[learner],
                })
                .collect();
            let fold_of_row = fold_of_position(folds);
            parts.push(Parts::of(truth.dim(), &weighted, |row| {
                means.row(fold_of_row[row])
            }));
            weights.push(chosen);
            all_means.push(means);
        }
        let decision = self.decide(sorted, learners, &parts, &all_means)?;
        let report = report(sorted, learners, choices, &weights, decision);
        self.keep(sorted, learners, choices, report)
    }

    fn decide(
        &self,
        sorted: &Sorted<'_, '_>,
        learners: &[Learner<'_>],
        parts: &[Parts],
        means: &[Array2<f64>],
    ) -> Result<Decision> {
        if learners.is_empty() {
            return Ok(Decision {
                scale: 0.0,
                gains: Vec::new(),
            });
        }
        let folds = self.order.folds();
        let fold_of_row = fold_of_rows(&self.order, folds);
        let scores = sorted.targets[0].values.view();
        let judge = Judge::new(scores, sorted.costs.cost_usd.view(), &fold_of_row);
        let fold_of_position = fold_of_position(folds);
        rule::decide(&judge, &self.params.params.scales, |scale| {
            let predicted = |target: usize| {
                let means = |row: usize| means[target].row(fold_of_position[row]);
                let sorted = parts[target].scaled(scale, means);
                self.order.unsorted(sorted.view())
            };
            let cost = (parts.len() == 2).then(|| predicted(1).mapv(|it| it as f32));
            Ok(Predicted {
                scores: predicted(0),
                cost_usd: sorted.costs.predicted(cost.as_ref())?,
            })
        })
    }

    /// Fits the learners that have weight to all rows.
    fn keep(
        &self,
        sorted: &Sorted<'_, '_>,
        learners: &[Learner<'_>],
        choices: &[Vec<Choice>],
        report: BlendReport,
    ) -> Result<Blend> {
        let names: Vec<&str> = sorted.targets.iter().map(|it| &*it.name).collect();
        let (values, outputs) = (sorted.values.view(), &sorted.outputs[..]);
        let mut blend = BlendParts {
            dim: self.rows.dim(),
            means: (sorted.targets.iter())
                .map(|target| means(target.values.mapv(f64::from).view(), |_| true))
                .collect(),
            mean_costs_usd: means(sorted.costs.cost_usd.view(), |_| true),
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
                    blend.knn = Some(Knn::from_parts(rows, sorted.targets, &ks, backend)?);
                }
                Setting::Linear { .. } => {
                    let fit = |it: &crate::linear::FoldedLinear| {
                        it.fit_at(values, &names, outputs, &[], choices)
                    };
                    blend.linear = self.linear.as_ref().map(fit);
                }
                Setting::Kernel { .. } => {
                    let fit = |it: &crate::kernel::FoldedKernel| {
                        it.fit_at(values, &names, outputs, &[], choices)
                    };
                    blend.kernel = self.kernel.as_ref().map(fit);
                }
                Setting::Cluster { .. } => {
                    let fit = |it: &crate::PreparedCluster| {
                        it.fit_chosen(sorted.targets, values, outputs, choices)
                    };
                    blend.cluster = self.cluster.as_ref().map(fit);
                }
            }
        }
        Blend::from_parts(blend)
    }
}

/// The fold of each position in the order of the folds.
fn fold_of_position(folds: &[Range<usize>]) -> Vec<usize> {
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
    decision: Decision,
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
        routes: decision.scale > 0.0,
        scale: decision.scale,
        gains: decision.gains,
        targets: (0..sorted.targets.len()).map(of_target).collect(),
    }
}
