//! From out-of-fold predictions to gains and a verdict.

use dataset::{
    OutOfFold, PartTable, Predictions, PromptsNeeded, TaskGain, WholeSet, WorthCounts,
    WorthEstimate, WorthEvidence, WorthFit, WorthPoint, WorthSettings, WorthTrade, WorthVerdict,
};
use evaluation::{
    Predicted, PropensitySource, Truth,
    worth::{
        Baseline, CrossFit, Estimate, GainAt, GainReport, GainSettings, PromptGains, Trade,
        Verdict, doubly_robust_gains, gains_by_task, prompt_gains, trade,
    },
};
use fitting::{LogPropensities, worths};
use ndarray::Array2;

use super::{WorthError, columns::Groups, evidence};

/// With which probability the named number of prompts finds a gain. The usual one for the size of a trial.
const POWER: f64 = 0.8;

/// The gain that a log which does not tell is asked for, in scores, where nobody names one: a point of accuracy.
const DEFAULT_AT_LEAST: f64 = 0.01;

/// What out-of-fold predictions say.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) verdict: WorthVerdict,
    pub(super) best_single: String,
    pub(super) gain: WorthEstimate,
    pub(super) p_gain: f64,
    pub(super) p_loss: f64,
    pub(super) curve: Vec<WorthPoint>,
    pub(super) tasks: Vec<TaskGain>,
    pub(super) equal_quality: Option<WorthTrade>,
    pub(super) equal_cost: Option<WorthTrade>,
    pub(super) prompts_needed: Option<PromptsNeeded>,
    pub(super) evidence: Option<WorthEvidence>,
    pub(super) counts: WorthCounts,
}

/// Judges a router by its out-of-fold predictions, one of each repeat.
///
/// `groups` has one number per row, equal for rows whose chance belongs together; `fits` is what the fits decided; `propensities` are those of a
/// log that does not say them; `at_least` is the least gain, in scores, that would be worth the effort.
pub(super) fn judge(
    whole: &WholeSet,
    (repeats, propensities): (&[OutOfFold], Option<&LogPropensities>),
    groups: &[usize],
    fits: &[WorthFit],
    settings: &WorthSettings,
    at_least: Option<f64>,
) -> Result<Judged, WorthError> {
    let has_costs = whole.table().cost_usd.iter().any(|cost| cost.is_finite());
    // Where no cost is known there is nothing to weigh scores against, and only they count.
    let costless = (!has_costs).then(|| PartTable {
        cost_usd: Array2::zeros(whole.table().cost_usd.dim()),
        ..whole.table().clone()
    });
    let table = costless.as_ref().unwrap_or(whole.table());
    let weighed = propensities.map(|propensities| propensities.on(table));
    let table = weighed.as_ref().unwrap_or(table);
    let truth = Truth::of(table)?;
    let cross_fits = cross_fits(repeats, settings)?;
    let worths = worths(table);
    let less_own_cost = |gains: PromptGains| match settings.embed_usd_per_1k {
        0.0 => gains,
        usd_per_1k => gains.less_router_cost(usd_per_1k / 1000.0),
    };
    let gains = less_own_cost(doubly_robust_gains(&truth, &cross_fits, &worths)?);
    let groups = Some(groups);
    let gain_settings = GainSettings {
        level: settings.level,
        n_resamples: settings.n_resamples,
        seed: settings.seed,
    };
    let report = GainReport::new(&gains, groups, &gain_settings)?;
    let is_complete = report.support.source == PropensitySource::Complete;
    let known_alone = match is_complete {
        true => None,
        false => {
            let gains = less_own_cost(prompt_gains(&truth, &cross_fits, &worths)?);
            Some(GainReport::new(&gains, groups, &gain_settings)?)
        }
    };
    let by_task = Groups::of(&table.tasks);
    let of_tasks = gains_by_task(
        &gains,
        &by_task.of_row,
        by_task.names.len(),
        groups,
        &gain_settings,
    )?;
    let trades = trade(&gains, groups, &gain_settings)?;
    let of_trade = |trade: &Trade| {
        // None where folds have different ones.
        let reference = trades.reference.map(|model_idx| &*table.models[model_idx]);
        let is_known = has_costs && trade.reference_cost_usd.is_finite();
        is_known.then(|| worth_trade(trade, reference))
    };
    let curve = curve(&report.curve, &table.models);
    let middle = &curve[curve.len() / 2];
    let n_known = table.scores.iter().filter(|it| it.is_finite()).count();
    let could_judge: Vec<bool> = fits.iter().map(|fit| fit.judged).collect();
    let at_least_asked = at_least;
    let at_least = match report.verdict(at_least) {
        Verdict::CannotTell if !is_complete => at_least.or(Some(DEFAULT_AT_LEAST)),
        _ => at_least,
    };
    Ok(Judged {
        evidence: known_alone
            .map(|known_alone| evidence::of(&report, estimate(&known_alone.mean), propensities)),
        verdict: match report.verdict_of_fits(at_least_asked, &could_judge) {
            Verdict::WorthIt => WorthVerdict::WorthIt,
            Verdict::NotWorthIt => WorthVerdict::NotWorthIt,
            Verdict::CannotTell => WorthVerdict::CannotTell,
        },
        equal_quality: of_trade(&trades.equal_quality),
        equal_cost: of_trade(&trades.equal_cost),
        best_single: middle.best_single.clone(),
        gain: estimate(&report.mean),
        p_gain: report.mean.p_above,
        p_loss: report.mean.p_below,
        tasks: by_task
            .names
            .into_iter()
            .zip(of_tasks)
            .map(|(task, of_task)| TaskGain {
                task,
                n_prompts: of_task.n_prompts,
                gain: estimate(&of_task.gain),
            })
            .collect(),
        prompts_needed: at_least.map(|at_least| PromptsNeeded {
            at_least,
            n_prompts: report.prompts_needed(at_least, POWER),
            power: POWER,
        }),
        counts: WorthCounts {
            n_prompts: table.n_prompts(),
            n_judged: report.n_prompts,
            n_models: table.models.len(),
            known_scores: n_known as f64 / table.scores.len() as f64,
            n_equal_prompts: whole.equal_prompts().n_repeated,
        },
        curve,
    })
}

fn cross_fits<'a>(
    repeats: &'a [OutOfFold],
    settings: &WorthSettings,
) -> Result<Vec<CrossFit<'a>>, WorthError> {
    let cross_fits = repeats.iter().map(|repeat| {
        let Predictions::PerModel(predicted) = &repeat.predictions else {
            return Err(WorthError::OfAPair);
        };
        Ok(CrossFit {
            predicted: Predicted::of(predicted)?,
            baseline: match settings.time {
                Some(_) => Baseline::Earlier(&repeat.folds),
                None => Baseline::Folds(&repeat.folds),
            },
        })
    });
    cross_fits.collect()
}

/// What the router itself costs, as a score: over the worths of the data set's grid, as a gain is.
pub(super) fn own_cost(table: &PartTable, settings: &WorthSettings) -> f64 {
    let usd_per_prompt = settings.embed_usd_per_1k / 1000.0;
    let worths = worths(table);
    worths
        .iter()
        .map(|worth| usd_per_prompt / worth)
        .sum::<f64>()
        / worths.len() as f64
}

fn curve(curve: &[GainAt], models: &[String]) -> Vec<WorthPoint> {
    let last = curve.len().saturating_sub(1);
    let named = [(0, "low"), (last / 2, "middle"), (last, "high")];
    let points = curve.iter().enumerate().map(|(i, at)| {
        // One worth is no range.
        let name = named.iter().find(|(named, _)| last > 0 && *named == i);
        let gain = estimate(&at.gain);
        WorthPoint {
            worth_usd: at.worth_usd,
            name: name.map(|(_, name)| (*name).to_owned()),
            best_single: at
                .best_constant
                .map_or_else(|| "none".to_owned(), |model_idx| models[model_idx].clone()),
            moved_share: at.differing_share,
            band_low: at.band_low,
            band_high: at.band_high,
            usd_per_1k: gain.scaled(1000.0 * at.worth_usd),
            gain,
        }
    });
    points.collect()
}

fn worth_trade(trade: &Trade, reference: Option<&str>) -> WorthTrade {
    WorthTrade {
        reference: reference.map(str::to_owned),
        saving: estimate(&trade.saving),
        score_gain: estimate(&trade.score_gain),
        usd_per_1k: 1000.0 * trade.cost_usd,
        reference_usd_per_1k: 1000.0 * trade.reference_cost_usd,
        score: trade.score,
        reference_score: trade.reference_score,
    }
}

fn estimate(estimate: &Estimate) -> WorthEstimate {
    WorthEstimate {
        estimate: estimate.value,
        standard_error: estimate.standard_error,
        low: estimate.low,
        high: estimate.high,
    }
}
