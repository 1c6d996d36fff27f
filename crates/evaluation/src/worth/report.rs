use serde::Serialize;

use crate::{
    Error, Result,
    interval::check_level,
    worth::{
        band::critical_value,
        estimate::{Estimate, Spread, dense},
        prompt_gains::PromptGains,
        student,
        support::{Support, WIDEST},
    },
};

/// How a gain is summed up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GainSettings {
    /// Level of confidence of intervals and of the band, .95 say.
    pub level: f64,
    /// How often the band's process is drawn; more make its width more exact, at next to no cost.
    pub n_resamples: usize,
    /// Of those draws.
    pub seed: u64,
}

/// The gain of routing over a grid of worths.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GainReport {
    /// How many prompts were judged.
    pub n_prompts: usize,
    /// How many groups of prompts that belong together; as many as prompts where each is its own.
    pub n_groups: usize,
    /// Over how many repeats each prompt's gain is a mean.
    pub n_repeats: usize,
    /// Level of confidence.
    pub level: f64,
    /// The deciding statistic: the mean over the worths where the gain is known.
    pub mean: Estimate,
    /// Whether any prompt at any worth goes to another LLM than the best constant.
    pub routes: bool,
    /// The gain at each worth.
    pub curve: Vec<GainAt>,
    /// How far the known scores carry the choices.
    pub support: Support,
}

/// The gain of routing at one worth.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct GainAt {
    /// What a whole score is worth, in US dollars.
    pub worth_usd: f64,
    /// The gain with its own interval.
    pub gain: Estimate,
    /// Lower end of the band that holds the whole curve with the level's probability.
    pub band_low: f64,
    /// Upper end.
    pub band_high: f64,
    /// The LLM that gets every prompt where nobody routes, of the most prompts where folds disagree.
    pub best_constant: Option<usize>,
    /// The share of the prompts whose best constant it is; below 1 where folds disagree.
    pub best_constant_share: f64,
    /// The share of the prompts that the router sends to another LLM than the best constant.
    pub differing_share: f64,
    /// The router's share of prompts for each LLM.
    pub routed_shares: Vec<f64>,
}

/// The gain on the prompts of one task.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct TaskGain {
    /// How many prompts were judged.
    pub n_prompts: usize,
    /// Their mean gain over the worths.
    pub gain: Estimate,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Routing gains: the interval lies above 0.
    WorthIt,
    /// It does not gain (as much as was asked for): use the best constant.
    NotWorthIt,
    /// The prompts do not tell.
    CannotTell,
}

impl GainReport {
    /// Sums up what the prompts say. `groups` has one number per prompt, equal for prompts that belong together; `None` where each is by itself.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one group per prompt; [`Error::BadLevel`]; [`Error::NoResamples`].
    pub fn new(
        gains: &PromptGains,
        groups: Option<&[usize]>,
        settings: &GainSettings,
    ) -> Result<Self> {
        let groups = check(gains, groups, settings)?;
        let spread = Spread {
            groups: groups.as_deref(),
            level: settings.level,
            inflation: gains.inflation(),
        };
        let over_worths = gains.over_worths();
        let estimates: Vec<Estimate> = gains
            .columns()
            .iter()
            .map(|column| spread.of_mean(&column.gain))
            .collect();
        let n_groups = spread.group_sums(&over_worths).len();
        let columns: Vec<&[f64]> = gains.columns().iter().map(|column| &*column.gain).collect();
        let critical = critical_value(&columns, n_groups, &spread, settings);
        let curve: Vec<GainAt> = gains
            .columns()
            .iter()
            .zip(gains.worths())
            .zip(estimates)
            .map(|((column, &worth_usd), gain)| {
                let half_width = if gain.standard_error == 0.0 {
                    0.0
                } else {
                    critical * gain.standard_error
                };
                let most = crate::rule::argmax(column.constant_shares.iter().copied());
                GainAt {
                    worth_usd,
                    gain,
                    band_low: gain.value - half_width,
                    band_high: gain.value + half_width,
                    best_constant: most,
                    best_constant_share: most.map_or(f64::NAN, |most| column.constant_shares[most]),
                    differing_share: column.differing_share,
                    routed_shares: column.routed_shares.clone(),
                }
            })
            .collect();
        Ok(Self {
            n_prompts: over_worths.iter().filter(|gain| !gain.is_nan()).count(),
            n_groups,
            n_repeats: gains.n_repeats(),
            level: settings.level,
            mean: spread.of_mean(&over_worths),
            routes: curve.iter().any(|at| at.differing_share > 0.0),
            curve,
            support: *gains.support(),
        })
    }

    /// The answer: worth it where the one-sided test at half of what the level leaves rejects that the mean gain is 0 or less; not worth it where
    /// the interval's upper end is not above 0, or below `at_least`, the least gain that would be worth the effort; else the prompts do not
    /// tell. A router that never leaves the best constant is not worth it, however few prompts there are. Nothing is told where the known scores do
    /// not carry the choices ([`Support::refusal`]).
    pub fn verdict(&self, at_least: Option<f64>) -> Verdict {
        let is_too_small = at_least.is_some_and(|at_least| self.mean.high < at_least);
        if self.support.refusal().is_some() {
            Verdict::CannotTell
        } else if !self.routes || self.mean.high <= 0.0 || is_too_small {
            Verdict::NotWorthIt
        } else if self.mean.p_above <= (1.0 - self.level) / 2.0 {
            Verdict::WorthIt
        } else {
            Verdict::CannotTell
        }
    }

    /// [`GainReport::verdict`] of a router whose fits decide whether to route; `could_judge` says of each fit whether it had rows enough to judge by.
    /// Where it never departed from the best single LLM because there were too few prompts, they do not tell: there are fewer than 50, copies and
    /// groups counted once, or fewer than half of the fits could judge. Of a router that decides nothing there are no fits to give.
    pub fn verdict_of_fits(&self, at_least: Option<f64>, could_judge: &[bool]) -> Verdict {
        match self.verdict(at_least) {
            Verdict::NotWorthIt if !self.routes && are_too_few(self.n_groups, could_judge) => {
                Verdict::CannotTell
            }
            verdict => verdict,
        }
    }

    /// Whether the interval, of which each half is wider than [`WIDEST`], says nothing of use: it holds 0, and gains and losses that nobody would expect.
    pub fn is_too_wide(&self) -> bool {
        let Estimate { low, high, .. } = self.mean;
        low <= 0.0 && high >= 0.0 && high - low > 2.0 * WIDEST
    }

    /// How many prompts like these a verdict of "worth it" needs with a probability of `power`, .8 say, if the true gain is `gain`.
    ///
    /// ```text
    /// n * ((t_level + t_power) * se / gain)^2
    /// ```
    ///
    /// Take the least gain that would be worth the effort, and not the one that was found: with that one the number repeats the p-value
    /// (Hoenig and Heisey 2001). `None` where the standard error is unknown or 0, for a gain that is not above 0, and for a power outside [1/2, 1).
    pub fn prompts_needed(&self, gain: f64, power: f64) -> Option<usize> {
        let error = self.mean.standard_error;
        if !(error > 0.0 && gain > 0.0 && (0.5..1.0).contains(&power)) {
            return None;
        }
        let df = self.n_groups as f64 - 1.0;
        let distance = student::upper_quantile((1.0 - self.level) / 2.0, df)
            + student::upper_quantile(1.0 - power, df);
        let ratio = distance * error / gain;
        Some((self.n_prompts as f64 * ratio * ratio).ceil() as usize)
    }
}

/// With fewer prompts, a router that departs from the best single LLM for none of them does not say that there is nothing to route by: of 50
/// drawn at random none is among 7% that are worth routing with a probability of .027 (`.93^50`).
const FEW_PROMPTS: usize = 50;

fn are_too_few(n_judged: usize, could_judge: &[bool]) -> bool {
    let n_able = could_judge.iter().filter(|it| **it).count();
    n_judged < FEW_PROMPTS || 2 * n_able < could_judge.len()
}

/// The mean gain over worths on the prompts of each task, `tasks[i]` in `0..n_tasks`, with intervals that hold one by one.
///
/// # Errors
/// As for [`GainReport::new`]; [`Error::Shape`] when there is not one task per prompt.
///
/// # Panics
/// When a task is not below `n_tasks`.
pub fn gains_by_task(
    gains: &PromptGains,
    tasks: &[usize],
    n_tasks: usize,
    groups: Option<&[usize]>,
    settings: &GainSettings,
) -> Result<Vec<TaskGain>> {
    let groups = check(gains, groups, settings)?;
    check_length("tasks", tasks.len(), gains)?;
    let mut by_task = vec![vec![f64::NAN; gains.n_prompts()]; n_tasks];
    for ((i, gain), &task) in gains.over_worths().into_iter().enumerate().zip(tasks) {
        by_task[task][i] = gain;
    }
    let spread = Spread {
        groups: groups.as_deref(),
        level: settings.level,
        inflation: gains.inflation(),
    };
    Ok(by_task
        .iter()
        .map(|of_task| TaskGain {
            n_prompts: of_task.iter().filter(|gain| !gain.is_nan()).count(),
            gain: spread.of_mean(of_task),
        })
        .collect())
}

/// p-values that may be compared with a level though there are many of them (Holm 1979): at a level of .05 the probability that any true null
/// hypothesis is rejected is at most .05.
///
/// ```text
/// adjusted of the i-th smallest of n = max over j <= i of min(1, (n - j + 1) p_j)
/// ```
///
/// NaN, for a comparison that could not be made, stays, and does not count.
///
/// ```
/// // Three times .01, twice .03, and once .04, which must not be below the one before.
/// assert_eq!(evaluation::worth::holm(&[0.04, 0.01, f64::NAN, 0.03])[..2], [0.06, 0.03]);
/// ```
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len())
        .filter(|&i| !p_values[i].is_nan())
        .collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![f64::NAN; p_values.len()];
    let mut largest = 0.0_f64;
    for (n_before, &i) in order.iter().enumerate() {
        let n_left = (order.len() - n_before) as f64;
        largest = largest.max((n_left * p_values[i]).min(1.0));
        adjusted[i] = largest;
    }
    adjusted
}

/// Refuses settings and groups that do not fit; numbers groups from 0.
pub(super) fn check(
    gains: &PromptGains,
    groups: Option<&[usize]>,
    settings: &GainSettings,
) -> Result<Option<Vec<usize>>> {
    check_level(settings.level)?;
    if settings.n_resamples == 0 {
        return Err(Error::NoResamples);
    }
    if let Some(groups) = groups {
        check_length("groups", groups.len(), gains)?;
    }
    Ok(groups.map(dense))
}

fn check_length(what: &'static str, n: usize, gains: &PromptGains) -> Result<()> {
    if n == gains.n_prompts() {
        return Ok(());
    }
    Err(Error::Shape {
        what,
        expected: (gains.n_prompts(), 1),
        found: (n, 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_or_fits_that_could_judge_are_too_few() {
        let fits = |n_able: usize| -> Vec<bool> { (0..5).map(|fold| fold < n_able).collect() };
        assert!(are_too_few(49, &fits(5)) && are_too_few(50, &fits(2)));
        assert!(!are_too_few(50, &fits(3)));
        // A router that decides nothing.
        assert!(!are_too_few(50, &[]) && are_too_few(49, &[]));
    }
}
