use std::path::Path;

use evaluation::{
    Gaps,
    choice::{
        CalibrationParams, Setting, Standing, check_confidence, decisions, standing_at, support_at,
    },
};
use saved_routers::CalibrationTarget;
use serde::Deserialize;

use super::{
    goal::CalibrationGoal,
    held_out::{Half, HeldOut},
    refused, support,
};
use crate::{COST_MULTIPLIER, CalibrationError};

/// How to calibrate; configs/calibration.toml has the program's values.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CalibrationSettings {
    /// The share of the test prompts that stays untouched by the choice and checks it, between 0 and 1.
    pub holdout_share: f64,
    /// Seed of the division of the prompts and of the resamples.
    pub seed: u32,
    /// Number of resamples behind the intervals.
    pub n_resamples: usize,
    /// The intervals' level of confidence.
    pub level: f64,
}

/// Calibrates one saved router to one goal.
///
/// ```no_run
/// use std::path::Path;
///
/// use carrot_router::{CalibrationGoal, CalibrationSettings, Calibrator, HeldOut};
/// use saved_routers::CalibrationTarget;
///
/// # fn main() -> Result<(), carrot_router::CalibrationError> {
/// let held_out = HeldOut::open(Path::new("data"), Path::new("models"), "sprout", "carrot-knn")?;
/// let goal = CalibrationGoal::new(CalibrationTarget::UsdPer1k { at_most: 2.5 })?;
/// let settings = CalibrationSettings { holdout_share: 0.5, seed: 42, n_resamples: 2000, level: 0.95 };
/// let calibrator = Calibrator::new(held_out, goal, settings)?;
/// let calibrated = calibrator.calibrate()?;
/// calibrator.record("cheap", &calibrated)?.write(calibrator.folder())?;
/// let mu = carrot_router::mu_of_calibration(calibrator.folder(), "cheap")?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Calibrator {
    pub(super) held_out: HeldOut,
    pub(super) goal: CalibrationGoal,
    pub(super) settings: CalibrationSettings,
    n_new_prompts: Option<usize>,
    pub(super) confidence: Option<f64>,
}

/// What a calibration found.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibrated {
    /// The setting to use.
    pub choice: CalibratedChoice,
    /// The number of new prompts that the expectations, and what is promised, are for.
    pub n_new_prompts: usize,
    /// Where a goal is promised: the setting that meets it in the mean only, which shows what the promise is paid for with.
    pub in_the_mean: Option<CalibratedChoice>,
}

/// A setting, what to expect of it, and what came.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibratedChoice {
    /// The setting with a cost multiplier of 1, and what to expect of it on new prompts.
    pub found: evaluation::choice::Calibration,
    /// The same setting with [`COST_MULTIPLIER`], as [`crate::CarrotRouter::route`] takes it.
    pub setting: Setting,
    /// Cost, accuracy and shares on the untouched prompts.
    pub realized: Standing,
}

impl Calibrator {
    /// Prepares a calibration; nothing is computed yet.
    ///
    /// # Errors
    /// [`CalibrationError::BadHoldoutShare`], or [`CalibrationError::Evaluation`] for a goal about an LLM that the router does not have.
    pub fn new(
        held_out: HeldOut,
        goal: CalibrationGoal,
        settings: CalibrationSettings,
    ) -> Result<Self, CalibrationError> {
        let share = settings.holdout_share;
        if !(share > 0.0 && share < 1.0) {
            return Err(CalibrationError::BadHoldoutShare { share });
        }
        goal.resolve(held_out.models())?;
        Ok(Self {
            held_out,
            goal,
            settings,
            n_new_prompts: None,
            confidence: None,
        })
    }

    /// The same with expectations for the means over this many new prompts, instead of as many as are left untouched.
    #[must_use]
    pub fn with_new_prompts(mut self, n_new_prompts: usize) -> Self {
        self.n_new_prompts = Some(n_new_prompts);
        self
    }

    /// The same with a setting by which new prompts keep the goal with this probability, and not in the mean only; an LLM's share is then a most.
    ///
    /// # Errors
    /// [`CalibrationError::Evaluation`] for a number outside .5 to 1.
    pub fn with_confidence(mut self, confidence: f64) -> Result<Self, CalibrationError> {
        check_confidence(confidence)?;
        self.confidence = Some(confidence);
        Ok(self)
    }

    /// With which probability new prompts keep the goal, if not in the mean only.
    pub fn confidence(&self) -> Option<f64> {
        self.confidence
    }

    /// The router's folder, which the calibration is to be written to.
    pub fn folder(&self) -> &Path {
        self.held_out.folder()
    }

    /// What is missing of the test part, if anything, and what averages then take for granted.
    ///
    /// # Errors
    /// As for [`HeldOut::gaps`].
    pub fn gaps(&self) -> Result<Option<Gaps>, CalibrationError> {
        self.held_out.gaps()
    }

    /// The smallest R2 of the router's lines from counted to billed tokens, where it has any.
    pub fn least_token_r2(&self) -> Option<f64> {
        self.held_out.least_token_r2()
    }

    /// The goal.
    pub fn goal(&self) -> &CalibrationGoal {
        &self.goal
    }

    /// Chooses a setting on one part of the held-out prompts, and checks it on the other.
    ///
    /// # Errors
    /// [`CalibrationError::OutOfReach`]; [`CalibrationError::NotPromised`] and [`CalibrationError::NotSupported`] with a confidence;
    /// [`CalibrationError::UnknownReference`]; [`CalibrationError::TooFewPrompts`]; others as for [`evaluation::choice::calibrate`].
    pub fn calibrate(&self) -> Result<Calibrated, CalibrationError> {
        self.calibrate_with(self.settings.seed)
    }

    /// The same with a seed of its own for the division of the prompts and the resamples.
    pub(super) fn calibrate_with(&self, seed: u32) -> Result<Calibrated, CalibrationError> {
        let (chosen_on, untouched) = self.held_out.part(self.settings.holdout_share, seed)?;
        let n_untouched = count_choices(&untouched)?;
        // By default as many as check the setting, so that their results are comparable with the intervals.
        let n_new_prompts = self.n_new_prompts.unwrap_or(n_untouched);
        let params = CalibrationParams {
            goal: self.goal.resolve(self.held_out.models())?,
            confidence: None,
            n_new_prompts,
            level: self.settings.level,
            n_resamples: self.settings.n_resamples,
            seed: seed.into(),
        };
        let in_the_mean = self.choose(&chosen_on, &untouched, &params)?;
        let Some(confidence) = self.confidence else {
            return Ok(Calibrated {
                choice: in_the_mean,
                n_new_prompts,
                in_the_mean: None,
            });
        };
        // Before anything is promised: which setting does not matter where the prompt decided which LLM was asked.
        self.check_support(&chosen_on, in_the_mean.setting)?;
        let params = CalibrationParams {
            confidence: Some(confidence),
            ..params
        };
        let choice = self.choose(&chosen_on, &untouched, &params)?;
        self.check_support(&chosen_on, choice.setting)?;
        Ok(Calibrated {
            choice,
            n_new_prompts,
            in_the_mean: Some(in_the_mean),
        })
    }

    /// Refuses a promise that rests on choices which the known scores say nothing of.
    fn check_support(&self, chosen_on: &Half, setting: Setting) -> Result<(), CalibrationError> {
        let supported = support_at(&chosen_on.truth()?, chosen_on.router()?, setting)?;
        match supported.refusal() {
            None => Ok(()),
            Some(refusal) => Err(CalibrationError::NotSupported {
                router: self.held_out.router().to_owned(),
                goal: self.goal.promised(),
                why: support::why(&refusal),
            }),
        }
    }

    /// That the costs of the LLM to compare with are not known as they have to be.
    fn unknown_reference(
        &self,
        model_idx: usize,
        params: &CalibrationParams,
    ) -> Result<CalibrationError, CalibrationError> {
        let (usd_per_1k, n_known) = self.held_out.cost_of(model_idx)?;
        let part = match self.goal.target() {
            CalibrationTarget::RelativeCost { at_most, .. } => *at_most,
            _ => f64::NAN,
        };
        Ok(CalibrationError::UnknownReference {
            router: self.held_out.router().to_owned(),
            goal: self.goal.to_string(),
            model: self.held_out.models()[model_idx].clone(),
            n_known,
            n_prompts: self.held_out.n_prompts(),
            is_promise: params.confidence.is_some(),
            budget_usd_per_1k: usd_per_1k.map(|usd| part * usd),
        })
    }

    fn choose(
        &self,
        chosen_on: &Half,
        untouched: &Half,
        params: &CalibrationParams,
    ) -> Result<CalibratedChoice, CalibrationError> {
        let found = evaluation::choice::calibrate(&chosen_on.truth()?, chosen_on.router()?, params);
        let found = found.map_err(|error| match error {
            evaluation::Error::OutOfReach { least, most, .. } => CalibrationError::OutOfReach {
                router: self.held_out.router().to_owned(),
                goal: self.goal.to_string(),
                nearest: self.goal.nearest(least, most),
            },
            evaluation::Error::NotPromised(refusal) => {
                refused::error(self.held_out.router(), &self.goal, &refusal)
            }
            evaluation::Error::PartlyUnknown { model_idx }
            | evaluation::Error::UnknownModel { model_idx } => {
                (self.unknown_reference(model_idx, params)).unwrap_or_else(|error| error)
            }
            error => error.into(),
        })?;
        // Found with costs in dollars, at a multiplier of 1. The rule in use has another one, where the same decisions need another weight.
        let setting = found.setting.with_multiplier(COST_MULTIPLIER)?;
        let realized = standing_at(&untouched.truth()?, untouched.router()?, setting)?;
        Ok(CalibratedChoice {
            found,
            setting,
            realized,
        })
    }
}

/// Number of prompts of a half for which an LLM can be chosen, whatever the setting.
fn count_choices(half: &Half) -> Result<usize, CalibrationError> {
    let truth = half.truth()?;
    // Which setting does not matter: a prompt of which nothing is known has no choice at any.
    let n_prompts = match half.router()? {
        evaluation::Router::PerModel { predicted, .. } => decisions(&truth, predicted, 0.0, 1.0)
            .map(|chosen| chosen.into_iter().flatten().count()),
        router => standing_at(&truth, router, Setting::Threshold(0.0)).map(|it| it.n_prompts),
    };
    n_prompts.map_err(CalibrationError::Untouched)
}
