//! How far known scores carry a calibrated setting, and why they do not.

use std::path::{Path, PathBuf};

use evaluation::{
    choice::{ChoiceSupport, support_at},
    worth::{FEWEST_EFFECTIVE, LOW_PROPENSITY, Refusal},
};
use serde::Serialize;

use super::{
    calibrator::{Calibrated, Calibrator},
    goal::percent,
};
use crate::CalibrationError;

/// How far known scores carry the numbers of a calibration, where some are missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CalibrationSupport {
    /// Of the choices on the prompts that chose the setting.
    pub chosen_on: ChoiceSupport,
    /// Of those on the untouched ones.
    pub untouched: ChoiceSupport,
    /// The file of propensities that were estimated, where the numbers are weighted by them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimated_in: Option<PathBuf>,
    /// Whether one LLM was asked for each prompt, and neither the data set nor an estimate says with which probability.
    pub is_unweighed_log: bool,
}

impl Calibrator {
    /// How far known scores carry what was calibrated; `None` where nothing is missing of the test part.
    ///
    /// # Errors
    /// As for [`Calibrator::calibrate`].
    pub fn support(
        &self,
        calibrated: &Calibrated,
    ) -> Result<Option<CalibrationSupport>, CalibrationError> {
        if self.gaps()?.is_none() {
            return Ok(None);
        }
        let (chosen_on, untouched) =
            (self.held_out).part(self.settings.holdout_share, self.settings.seed)?;
        let setting = calibrated.choice.setting;
        let of = |half: &super::held_out::Half| {
            Ok::<_, CalibrationError>(support_at(&half.truth()?, half.router()?, setting)?)
        };
        Ok(Some(CalibrationSupport {
            chosen_on: of(&chosen_on)?,
            untouched: of(&untouched)?,
            estimated_in: self.held_out.estimated_in().map(Path::to_owned),
            is_unweighed_log: self.held_out.is_unweighed_log(),
        }))
    }
}

impl CalibrationSupport {
    /// In words, a line each: how much is known of the choices, and what is wrong with that.
    pub fn lines(&self) -> Vec<String> {
        let Self {
            chosen_on,
            untouched,
            ..
        } = self;
        let mut lines = Vec::new();
        if let Some(path) = &self.estimated_in {
            lines.push(format!(
                "the probabilities were estimated by train-and-infer: `{}`",
                path.display()
            ));
        }
        if self.is_unweighed_log {
            lines.push(
                "one LLM was asked for each prompt, and nothing says with which probability: where the prompt had a say in it, every number above is wrong by as \
                 much as that matters. train-and-infer estimates the probabilities when it fits a router on embeddings; `<model>/propensity` says them"
                    .to_owned(),
            );
        }
        lines.push(format!(
            "at this setting the known scores of its choices weigh as much as {:.0} of the {} prompts that chose it, and as {:.0} of the {} untouched ones; \
             {} of its choices are known to have a probability below {LOW_PROPENSITY}",
            chosen_on.effective_prompts,
            chosen_on.n_prompts,
            untouched.effective_prompts,
            untouched.n_prompts,
            percent(round(chosen_on.low_share.max(untouched.low_share)))
        ));
        if let Some(refusal) = chosen_on.refusal().or_else(|| untouched.refusal()) {
            lines.push(format!("do not rely on it: {}", why(&refusal)));
        }
        lines
    }
}

/// To a tenth of a percent.
fn round(share: f64) -> f64 {
    (1e3 * share).round() / 1e3
}

/// Why known scores do not carry a router's choices, and what would help.
pub(super) fn why(refusal: &Refusal) -> String {
    let cure = "send a random part of the prompts to other LLMs, note with which probability, and calibrate on that";
    match refusal {
        Refusal::Deterministic { decided_share } => format!(
            "in this log the prompt decided which LLM was asked ({} of the prompts have one LLM with a propensity above {}), so what the others would have \
             answered is nowhere in it; {cure}",
            percent(round(*decided_share)),
            1.0 - LOW_PROPENSITY
        ),
        Refusal::Unsupported { low_share } => format!(
            "for {} of the prompts or more it chooses an LLM that this log hardly ever asked for such prompts (a propensity below {LOW_PROPENSITY}), so what \
             that one would have answered is not in it; {cure}",
            percent(round(*low_share))
        ),
        Refusal::FewEffective { effective_prompts } => format!(
            "the known scores of its choices weigh as much as {effective_prompts:.0} prompts, fewer than the {FEWEST_EFFECTIVE} that it takes to trust an \
             interval; calibrate on more prompts, or on a log that asks its LLMs more evenly"
        ),
    }
}

#[cfg(test)]
mod tests {
    use evaluation::{PropensitySource, worth::Estimator};

    use super::*;

    fn support(effective_prompts: f64, low_share: f64) -> ChoiceSupport {
        ChoiceSupport {
            estimator: Estimator::SelfNormalized,
            source: PropensitySource::Estimated,
            n_prompts: 500,
            effective_prompts,
            low_share,
            decided_share: 0.0,
        }
    }

    #[test]
    fn what_is_known_of_the_choices_is_said() {
        let mut found = CalibrationSupport {
            chosen_on: support(212.4, 0.0),
            untouched: support(198.0, 0.0121),
            estimated_in: Some("data/my-log/propensities.parquet".into()),
            is_unweighed_log: false,
        };
        let lines = found.lines();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].contains("`data/my-log/propensities.parquet`"));
        assert_eq!(
            lines[1],
            "at this setting the known scores of its choices weigh as much as 212 of the 500 prompts that chose it, and as 198 of the 500 untouched ones; \
             1.2% of its choices are known to have a probability below 0.01"
        );
        found.untouched.low_share = 0.07;
        let last = found.lines().pop().expect("lines");
        assert!(
            last.starts_with("do not rely on it: for 7% of the prompts or more"),
            "{last}"
        );
        found.chosen_on.effective_prompts = 40.0;
        let last = found.lines().pop().expect("lines");
        assert!(last.contains("as 40 prompts, fewer than the 100"), "{last}");
        found.estimated_in = None;
        found.is_unweighed_log = true;
        assert!(found.lines()[0].contains("nothing says with which probability"));
    }
}
