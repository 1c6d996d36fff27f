use std::{fmt::Write as _, path::Path};

use carrot_router::{CalibrationGoal, CalibrationSupport, Coverage, Outcome};
use evaluation::Gaps;
use saved_routers::{CalibratedSetting, Calibration, CalibrationTarget, Range};
use serde::Serialize;

/// Below it most of what varies in billed tokens is not in the text.
const LOW_R2: f64 = 0.5;

/// A calibration, as text or JSON, and where it was written.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct CalibrationReport<'a> {
    pub(super) calibration: &'a Calibration,
    pub(super) path: &'a Path,
    /// What is missing of the test part, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gaps: Option<Gaps>,
    /// How far known scores carry it, where some are missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) support: Option<CalibrationSupport>,
    /// The smallest R2 of the router's lines from counted to billed tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) least_token_r2: Option<f64>,
    #[serde(skip)]
    pub(super) goal: &'a CalibrationGoal,
    #[serde(skip)]
    pub(super) folder: &'a Path,
}

impl CalibrationReport<'_> {
    pub(super) fn table(&self) -> String {
        let it = self.calibration;
        let mut text = String::new();
        let mut line = |line: String| writeln!(text, "{line}").expect("a String can be written to");
        let setting = describe(&it.setting);
        let goal = match &it.promise {
            Some(promise) => format!(
                "{} with {}% confidence",
                self.goal.promised(),
                shown(100.0 * promise.confidence)
            ),
            None => self.goal.to_string(),
        };
        line(format!(
            "{} on {}, {goal}: {setting}",
            it.router, it.dataset
        ));
        line(format!(
            "  chosen on {} test prompts, which it was not fitted on, and checked on {} others; seed {}",
            it.drawn.n_chosen_on, it.realized.n_prompts, it.drawn.seed
        ));
        if it.drawn.out_of_reach > 0.05 {
            line(format!(
                "  uncertain: the goal was out of reach on {:.0}% of the resamples, where the nearest setting was taken",
                100.0 * it.drawn.out_of_reach
            ));
        }
        let shares = it.expected.shares.iter().zip(&it.realized.shares);
        let rows: Vec<(String, Range, f64, f64)> = [
            (
                "cost per 1,000, $".to_owned(),
                it.expected.usd_per_1k,
                it.realized.usd_per_1k,
                1.0,
            ),
            (
                "accuracy".to_owned(),
                it.expected.accuracy,
                it.realized.accuracy,
                1.0,
            ),
        ]
        .into_iter()
        .chain(shares.map(|(expected, realized)| {
            (
                format!("{}, %", expected.model),
                expected.share,
                realized.share,
                100.0,
            )
        }))
        .collect();
        let width = rows.iter().map(|(name, ..)| name.chars().count()).max();
        let width = width.unwrap_or(0);
        line(format!(
            "  {:<width$}  {:>9}  {:>22}  {:>9}",
            "",
            "expected",
            format!("{}% interval", 100.0 * it.expected.level),
            "untouched"
        ));
        // The intervals are for the number of new prompts that was asked for, which the number of untouched ones need not equal.
        let is_comparable = it.expected.n_new_prompts == it.realized.n_prompts;
        for (name, expected, realized, factor) in rows {
            let mark = match (is_comparable, expected.contains(realized)) {
                (false, _) => "",
                (true, true) => "  within",
                (true, false) => "  outside",
            };
            line(format!(
                "  {name:<width$}  {:>9.4}  {:>9.4} to {:>9.4}  {:>9.4}{mark}",
                factor * expected.estimate,
                factor * expected.low,
                factor * expected.high,
                factor * realized
            ));
        }
        line(format!(
            "  the intervals are for means over {} new prompts of the same kind",
            it.expected.n_new_prompts
        ));
        self.say_how_sure(&mut line);
        if let Some(gaps) = self.gaps {
            line(format!("  {gaps}"));
        }
        let support = self.support.iter().flat_map(CalibrationSupport::lines);
        support.for_each(|words| line(format!("  {words}")));
        if let Some(tokens) = it.input_tokens {
            line(format!(
                "  the test prompts have {:.0} input tokens on average ({:.0} to {:.0}), as billed; `route` refuses prompts of other lengths at this setting",
                tokens.mean, tokens.least, tokens.most
            ));
            if let Some(r2) = self.least_token_r2.filter(|r2| *r2 < LOW_R2) {
                line(format!(
                    "  a prompt's text tells little of what is billed for it (R2 {r2:.2} at the least): prompts with longer histories would look alike, and cost more \
                     than expected; give each request's `input_tokens` to `route`, which refuses them then"
                ));
            }
        }
        line(self.path.display().to_string());
        if matches!(it.setting, CalibratedSetting::Weight { .. }) {
            line(format!(
                "next: cargo run -p carrot-router -- route \"Why?\" --model {} --calibration {}",
                self.folder.display(),
                it.name
            ));
        }
        text
    }

    /// Whether new prompts keep the goal: what is promised and what it costs, or how often they miss it.
    fn say_how_sure(&self, line: &mut impl FnMut(String)) {
        let expected = &self.calibration.expected;
        let n_new_prompts = expected.n_new_prompts;
        let Some(promise) = &self.calibration.promise else {
            if let Some(missed) = expected.missed {
                line(format!(
                    "  met in the mean: {n_new_prompts} new prompts miss the goal in about {:.0} of 100 cases; --confidence .95 keeps it in 95",
                    100.0 * missed
                ));
            }
            return;
        };
        let confidence = shown(100.0 * promise.confidence);
        line(format!(
            "  promised for {n_new_prompts} new prompts or more, with {confidence}% confidence: {} {}",
            match self.goal.target() {
                CalibrationTarget::Accuracy { .. } => "at least",
                _ => "at most",
            },
            self.goal.limit(promise.limit)
        ));
        let other = &promise.in_the_mean;
        let (cost, accuracy) = (expected.usd_per_1k.estimate, expected.accuracy.estimate);
        line(format!(
            "  the price: accuracy {accuracy:.4} for ${cost:.4} per 1,000, where {:.4} for ${:.4} meets the goal in the mean, which new prompts \
             miss in about {:.0} of 100 cases",
            other.accuracy.estimate,
            other.usd_per_1k.estimate,
            100.0 * other.missed
        ));
    }
}

/// A number as short as it can be: `95`, `97.5`.
fn shown(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn describe(setting: &CalibratedSetting) -> String {
    match setting {
        CalibratedSetting::Weight {
            mu,
            cost_multiplier,
            ..
        } => format!("mu {mu:.6} at a cost multiplier of {cost_multiplier}"),
        CalibratedSetting::Threshold {
            threshold,
            small,
            large,
        } => format!("`{small}` where its probability is at least {threshold:.6}, else `{large}`"),
    }
}

/// Counts of intervals that held, as text.
pub(super) fn coverage_table(coverage: &Coverage, goal: &CalibrationGoal) -> String {
    let n = coverage.n_repetitions - coverage.n_refused;
    let goal = match coverage.confidence {
        Some(_) => goal.promised(),
        None => goal.to_string(),
    };
    let mut text = format!(
        "{} on {}, {goal}: chosen on {} prompts and checked on {} others, {} times\n",
        coverage.router,
        coverage.dataset,
        coverage.n_prompts[0],
        coverage.n_prompts[1],
        coverage.n_repetitions,
    );
    let mut missed = |outcome: &Outcome, how: String| {
        writeln!(
            text,
            "  missed in {:>5} of {n}  {how}: accuracy {:.4} for ${:.4} per 1,000 prompts in the mean",
            outcome.n_missed, outcome.accuracy, outcome.usd_per_1k
        )
        .expect("a String can be written to");
    };
    let in_the_mean = coverage.in_the_mean.as_ref().unwrap_or(&coverage.outcome);
    if let Some(confidence) = coverage.confidence {
        let percent = shown(100.0 * confidence);
        missed(&coverage.outcome, format!("with {percent}% confidence"));
    }
    missed(in_the_mean, "met in the mean".to_owned());
    if coverage.n_refused > 0 {
        writeln!(
            text,
            "  refused in {:>4} of {}, which are not counted",
            coverage.n_refused, coverage.n_repetitions
        )
        .expect("a String can be written to");
    }
    text += &format!("  within the {}% interval:\n", 100.0 * coverage.level);
    let shares = coverage.shares.iter();
    let shares = shares.map(|it| (it.share, it.model.as_str()));
    for (count, what) in [(coverage.cost, "cost"), (coverage.accuracy, "accuracy")]
        .into_iter()
        .chain(shares)
    {
        writeln!(text, "  {count:>5} of {n}  {what}").expect("a String can be written to");
    }
    text + &format!(
        "  mean length of the intervals for costs: ${:.4} per 1,000 prompts\n",
        coverage.usd_per_1k_length
    )
}
