use serde::Serialize;

use crate::{
    Result,
    metric::formulas::SAME_ACCURACY,
    rule::argmax,
    sum::Sum,
    worth::{
        estimate::{Estimate, Spread, folds_inflation},
        halves::halves,
        judged::Outcomes,
        prompt_gains::{Column, PromptGains},
        report::{GainSettings, check},
    },
};

/// What routing gives in money or in quality, beside the LLM that one would take if only quality counted, see [`trade`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TradeReport {
    /// The reference: the best constant at the largest worth. `None` where folds have different ones: each prompt is then compared with its
    /// fold's own.
    pub reference: Option<usize>,
    /// The cheapest setting with at least the reference's quality.
    pub equal_quality: Trade,
    /// The setting of the best quality at no more than the reference's cost.
    pub equal_cost: Trade,
}

/// A router's setting beside the reference. Costs and scores are means per prompt, over the prompts where they are known, weighted as
/// [`crate::Propensities`] say.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Trade {
    /// The worth that was chosen on each half of the prompts, in US dollars; `None` where no setting was good enough there, and the
    /// reference answers instead.
    pub worths_usd: [Option<f64>; 2],
    /// The part of the reference's cost that is saved: `1 - cost / reference cost`. Unknown where the reference costs nothing.
    pub saving: Estimate,
    /// By how much the mean score exceeds the reference's.
    pub score_gain: Estimate,
    /// Mean cost in US dollars.
    pub cost_usd: f64,
    /// The reference's.
    pub reference_cost_usd: f64,
    /// Mean score.
    pub score: f64,
    /// The reference's.
    pub reference_score: f64,
}

/// Says what routing gives as "so much cheaper at about equal quality" and as "so much better at about equal cost".
///
/// Which worth keeps the quality, or the cost, is chosen on one half of the prompts and judged on the other, and the other way round: chosen and
/// judged on the same prompts, the best of many settings looks better than it is. So quality is equal on the prompts that chose, and only
/// about equal on those that judge: look at both numbers of a [`Trade`], and call a saving one only where [`crate::worth::GainReport::verdict`] is
/// worth it. A coin between a dear and a cheap LLM saves as well, at a little less quality.
/// Halves are drawn from the settings' seed, and groups stay whole.
///
/// Standard errors are of the linearized ratios and differences. They are multiplied by [`folds_inflation`] of the folds, at least of two: halves
/// choose for each other too.
///
/// # Errors
/// As for [`crate::worth::GainReport::new`].
pub fn trade(
    gains: &PromptGains,
    groups: Option<&[usize]>,
    settings: &GainSettings,
) -> Result<TradeReport> {
    let groups = check(gains, groups, settings)?;
    let halves = halves(gains.n_prompts(), groups.as_deref(), settings.seed);
    let spread = Spread {
        groups: groups.as_deref(),
        level: settings.level,
        inflation: gains.inflation().max(folds_inflation(2)),
    };
    // There is a worth, or there would be no gains.
    let largest = argmax(gains.worths().iter().copied()).unwrap_or(0);
    let columns = gains.columns();
    let reference = &columns[largest];
    let score_in = |half: usize, of: &Outcomes| of.mean(&of.score, |i| halves[i] == half);
    let cost_in = |half: usize, of: &Outcomes| of.mean(&of.cost_usd, |i| halves[i] == half);
    // NaN satisfies neither.
    let keeps_quality = |half: usize, column: &Column| {
        score_in(half, &column.routed) >= score_in(half, &reference.constant) - SAME_ACCURACY
    };
    let keeps_cost = |half: usize, column: &Column| {
        cost_in(half, &column.routed) <= cost_in(half, &reference.constant) * (1.0 + SAME_ACCURACY)
    };
    let choose = |is_allowed: &dyn Fn(usize, &Column) -> bool,
                  value: &dyn Fn(usize, &Column) -> f64| {
        [0, 1].map(|half| {
            let values = columns.iter().map(|column| {
                if is_allowed(half, column) {
                    value(half, column)
                } else {
                    f64::NAN
                }
            });
            argmax(values)
        })
    };
    let cheapest = choose(&keeps_quality, &|half, column| {
        -cost_in(half, &column.routed)
    });
    let best = choose(&keeps_cost, &|half, column| score_in(half, &column.routed));
    Ok(TradeReport {
        reference: (reference.constant_shares.iter()).position(|&share| share == 1.0),
        equal_quality: judge(gains, reference, &halves, cheapest, &spread),
        equal_cost: judge(gains, reference, &halves, best, &spread),
    })
}

/// Judges each half at the worth that the other one chose.
fn judge(
    gains: &PromptGains,
    reference: &Column,
    halves: &[usize],
    chosen: [Option<usize>; 2],
    spread: &Spread<'_>,
) -> Trade {
    let judged = |of: fn(&Outcomes) -> &Vec<f64>| -> Vec<f64> {
        let of_prompt = |(i, &half): (usize, &usize)| match chosen[1 - half] {
            Some(worth_idx) => of(&gains.columns()[worth_idx].routed)[i],
            None => of(&reference.constant)[i],
        };
        halves.iter().enumerate().map(of_prompt).collect()
    };
    let routed = Outcomes {
        score: judged(|outcomes| &outcomes.score),
        cost_usd: judged(|outcomes| &outcomes.cost_usd),
        weight: judged(|outcomes| &outcomes.weight),
    };
    let score = Known::new(&routed, &routed.score);
    let cost = Known::new(&routed, &routed.cost_usd);
    let reference_score = Known::new(&reference.constant, &reference.constant.score);
    let reference_cost = Known::new(&reference.constant, &reference.constant.cost_usd);

    let ratio = cost.mean / reference_cost.mean;
    let pairs = |a: &Known, b: &Known, weight: f64, scale: f64| -> Vec<f64> {
        a.deviations
            .iter()
            .zip(&b.deviations)
            .map(|(a, b)| (a - weight * b) * scale)
            .collect()
    };
    let saving = pairs(&cost, &reference_cost, ratio, -1.0 / reference_cost.mean);
    let score_gain = pairs(&score, &reference_score, 1.0, 1.0);
    Trade {
        worths_usd: chosen.map(|worth_idx| worth_idx.map(|worth_idx| gains.worths()[worth_idx])),
        saving: if ratio.is_finite() {
            spread.of_deviations(1.0 - ratio, &saving)
        } else {
            Estimate::UNKNOWN
        },
        score_gain: spread.of_deviations(score.mean - reference_score.mean, &score_gain),
        cost_usd: cost.mean,
        reference_cost_usd: reference_cost.mean,
        score: score.mean,
        reference_score: reference_score.mean,
    }
}

/// A weighted mean over the prompts where a number is known, and each prompt's deviation from it: over all prompts, their mean is 0, and its variance
/// that of the mean.
struct Known {
    mean: f64,
    deviations: Vec<f64>,
}

impl Known {
    fn new(outcomes: &Outcomes, of_prompts: &[f64]) -> Self {
        let mean = outcomes.mean(of_prompts, |_| true);
        let weights: Sum = outcomes.weight.iter().copied().collect();
        let mean_weight = weights.value() / of_prompts.len() as f64;
        let deviation = |(&x, &weight): (&f64, &f64)| match weight > 0.0 {
            true => weight * (x - mean) / mean_weight,
            false => 0.0,
        };
        let prompts = of_prompts.iter().zip(&outcomes.weight);
        Self {
            mean,
            deviations: prompts.map(deviation).collect(),
        }
    }
}
