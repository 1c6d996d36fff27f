use std::path::Path;

use evaluation::choice::Setting;
use saved_routers::{
    CALIBRATION_FORMAT_VERSION, CalibratedSetting, Calibration, Drawn, Expected, InTheMean,
    ModelShare, Promised, Range, Realized,
};
use serde::Serialize;

use super::{
    calibrator::{Calibrated, CalibratedChoice, Calibrator},
    goal::{CalibrationGoal, percent},
};
use crate::{COST_MULTIPLIER, CalibrationError};

const MADE_BY: &str = concat!("carrot-router ", env!("CARGO_PKG_VERSION"));

/// A calibration of a router of all LLMs that is up to date.
#[derive(Debug, Clone, PartialEq)]
pub struct UsableCalibration {
    /// The weight of cost, mu.
    pub mu: f64,
    /// All of it.
    pub calibration: Calibration,
}

/// What a calibration leads one to expect, as each line of `carrot-router route --json` repeats it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub struct CalibrationPromise {
    /// The calibration's name.
    pub calibration: String,
    /// In words, what new prompts may be expected to keep to, and how surely.
    pub keeps: String,
    /// The probability with which they keep to it; `None` where they do in the mean only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// Over how many new prompts, or more.
    pub n_new_prompts: usize,
}

/// The weight of cost, mu, that a calibration stored with the router in `folder`.
///
/// # Errors
/// As for [`UsableCalibration::open`].
pub fn mu_of_calibration(folder: &Path, name: &str) -> Result<f64, CalibrationError> {
    Ok(UsableCalibration::open(folder, name)?.mu)
}

impl UsableCalibration {
    /// Opens what was stored with the router in `folder`.
    ///
    /// # Errors
    /// [`CalibrationError::IsThreshold`] or [`CalibrationError::OtherMultiplier`] for a calibration of another rule;
    /// [`CalibrationError::SavedRouter`] for one that is missing, or stale because the router, the test part or the predictions have changed.
    pub fn open(folder: &Path, name: &str) -> Result<Self, CalibrationError> {
        let calibration = Calibration::open(folder, name)?;
        let mu = mu_of(&calibration)?;
        Ok(Self { mu, calibration })
    }

    /// What it leads one to expect.
    ///
    /// # Errors
    /// As for [`UsableCalibration::describe`].
    pub fn promise(&self) -> Result<CalibrationPromise, CalibrationError> {
        let promise = self.calibration.promise.as_ref();
        Ok(CalibrationPromise {
            calibration: self.calibration.name.clone(),
            keeps: self.describe()?,
            confidence: promise.map(|promise| promise.confidence),
            n_new_prompts: self.calibration.expected.n_new_prompts,
        })
    }

    /// In words, what new prompts may be expected to keep to, and how surely.
    ///
    /// # Errors
    /// [`CalibrationError::BadGoal`] for a target whose number is out of range.
    pub fn describe(&self) -> Result<String, CalibrationError> {
        let goal = CalibrationGoal::new(self.calibration.target.clone())?;
        Ok(match &self.calibration.promise {
            Some(promise) => format!(
                "{} with {} confidence, over {} new prompts or more; the limit is {}",
                goal.promised(),
                percent(promise.confidence),
                self.calibration.expected.n_new_prompts,
                goal.limit(promise.limit)
            ),
            None => format!("{goal} in the mean; new prompts miss that about as often as not"),
        })
    }
}

fn mu_of(calibration: &Calibration) -> Result<f64, CalibrationError> {
    let name = calibration.name.clone();
    match calibration.setting {
        CalibratedSetting::Weight {
            mu,
            cost_multiplier,
            ..
        } if cost_multiplier == COST_MULTIPLIER => Ok(mu),
        CalibratedSetting::Weight {
            cost_multiplier, ..
        } => Err(CalibrationError::OtherMultiplier {
            name,
            found: cost_multiplier,
            expected: COST_MULTIPLIER,
        }),
        CalibratedSetting::Threshold { threshold, .. } => Err(CalibrationError::IsThreshold {
            name,
            router: calibration.router.clone(),
            threshold,
        }),
    }
}

impl Calibrator {
    /// What to write into the router's folder under a name, see [`Calibration::write`].
    ///
    /// # Errors
    /// [`CalibrationError::SavedRouter`] when the folder cannot be read; [`CalibrationError::NoPair`].
    pub fn record(
        &self,
        name: &str,
        calibrated: &Calibrated,
    ) -> Result<Calibration, CalibrationError> {
        let Calibrator {
            held_out,
            goal,
            settings,
            ..
        } = self;
        let Calibrated {
            choice,
            n_new_prompts,
            in_the_mean,
        } = calibrated;
        let CalibratedChoice {
            found, realized, ..
        } = choice;
        let models = held_out.models();
        let setting = setting(self, choice)?;
        let promise = match (found.promise, in_the_mean) {
            (Some(promise), Some(in_the_mean)) => Some(Promised {
                confidence: promise.confidence,
                limit: goal.in_target_unit(promise.limit),
                n_testing: promise.n_testing,
                in_the_mean: self.in_the_mean(in_the_mean)?,
            }),
            _ => None,
        };
        let rule = match &setting {
            CalibratedSetting::Weight { .. } => {
                "argmax (1 - mu) * score - mu * cost-multiplier * cost-usd"
            }
            CalibratedSetting::Threshold { .. } => {
                "small if its probability is at least threshold, else large"
            }
        };
        let shares = found.shares.iter().map(|it| range(it, 1.0)).collect();
        Ok(Calibration {
            format_version: CALIBRATION_FORMAT_VERSION,
            name: name.to_owned(),
            dataset: held_out.dataset().to_owned(),
            router: held_out.router().to_owned(),
            target: goal.target().clone(),
            rule: rule.to_owned(),
            setting,
            drawn: Drawn {
                seed: settings.seed,
                holdout_share: settings.holdout_share,
                n_chosen_on: found.in_sample.n_prompts,
                n_resamples: settings.n_resamples,
                out_of_reach: found.out_of_reach,
            },
            expected: Expected {
                n_new_prompts: *n_new_prompts,
                level: settings.level,
                usd_per_1k: range(&found.cost_usd, 1e3),
                accuracy: range(&found.accuracy, 1.0),
                shares: with_names(models, shares),
                missed: Some(found.missed),
            },
            realized: Realized {
                n_prompts: realized.n_prompts,
                usd_per_1k: 1e3 * realized.point.cost_usd,
                accuracy: realized.point.accuracy,
                shares: with_names(models, realized.shares.clone()),
            },
            promise,
            input_tokens: held_out.input_tokens(),
            model_sha256: Calibration::model_sha256_of(held_out.folder())?,
            inputs: held_out.inputs().to_vec(),
            made_by: MADE_BY.to_owned(),
        })
    }

    fn in_the_mean(&self, choice: &CalibratedChoice) -> Result<InTheMean, CalibrationError> {
        Ok(InTheMean {
            setting: setting(self, choice)?,
            usd_per_1k: range(&choice.found.cost_usd, 1e3),
            accuracy: range(&choice.found.accuracy, 1.0),
            missed: choice.found.missed,
        })
    }
}

fn setting(
    calibrator: &Calibrator,
    choice: &CalibratedChoice,
) -> Result<CalibratedSetting, CalibrationError> {
    let held_out = &calibrator.held_out;
    match (choice.setting, choice.found.setting, held_out.pair()) {
        (
            Setting::Weight {
                lambda: mu,
                cost_multiplier,
            },
            Setting::Weight { lambda, .. },
            _,
        ) => Ok(CalibratedSetting::Weight {
            mu,
            cost_multiplier,
            lambda,
        }),
        (Setting::Threshold(threshold), _, Some(pair)) => Ok(CalibratedSetting::Threshold {
            threshold,
            small: pair.small.clone(),
            large: pair.large.clone(),
        }),
        _ => Err(CalibrationError::NoPair {
            router: held_out.router().to_owned(),
        }),
    }
}

/// One value per LLM, under the LLMs' names.
pub(super) fn with_names<T>(models: &[String], values: Vec<T>) -> Vec<ModelShare<T>> {
    let named = models.iter().zip(values);
    named
        .map(|(model, share)| ModelShare {
            model: model.clone(),
            share,
        })
        .collect()
}

fn range(interval: &evaluation::Interval, factor: f64) -> Range {
    Range {
        estimate: factor * interval.estimate,
        low: factor * interval.low,
        high: factor * interval.high,
    }
}
