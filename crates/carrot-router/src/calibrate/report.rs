use std::{fmt::Write as _, path::Path};

use saved_routers::{CalibratedSetting, Calibration, Range};
use serde::Serialize;

use super::target::Target;

/// A calibration for the eye, and where it lies.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report<'a> {
    pub(crate) calibration: &'a Calibration,
    pub(crate) path: &'a Path,
    #[serde(skip)]
    pub(crate) folder: &'a Path,
}

impl Report<'_> {
    pub(crate) fn table(&self) -> String {
        let it = self.calibration;
        let mut text = String::new();
        let mut line = |line: String| writeln!(text, "{line}").expect("a text takes all");
        let setting = describe(&it.setting);
        line(format!(
            "{} on {}, {}: {setting}",
            it.router,
            it.dataset,
            Target::describe(&it.target)
        ));
        line(format!(
            "  chosen on {} test prompts, none of which it was fitted on, checked on {} others; seed {}",
            it.drawn.n_chosen_on, it.realized.n_prompts, it.drawn.seed
        ));
        if it.drawn.out_of_reach > 0.05 {
            line(format!(
                "  shaky: on {:.0}% of resamples the target was out of reach, and the nearest was taken",
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
        // The intervals are for as many prompts as were asked for; those left untouched may be more or fewer.
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
            "  intervals are for the means over {} new prompts of the same kind",
            it.expected.n_new_prompts
        ));
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
}

fn describe(setting: &CalibratedSetting) -> String {
    match setting {
        CalibratedSetting::Weight {
            mu,
            cost_multiplier,
            lambda,
        } => format!(
            "mu {mu:.6} with multiplier {cost_multiplier}, which is lambda {lambda:.6} with 1"
        ),
        CalibratedSetting::Threshold {
            threshold,
            small,
            large,
        } => format!("`{small}` where its probability is at least {threshold:.6}, else `{large}`"),
    }
}
