//! `carrot-router calibrate`: a router's setting for a target, chosen on held-out prompts, checked on others, and stored with the model.

mod args;
mod check;
mod held_out;
mod report;
mod target;

use anyhow::{Context as _, bail};
use carrot_router::COST_MULTIPLIER;
use cli_support::{read_toml, usage_error};
use evaluation::choice::{CalibrationParams, Setting, Standing, calibrate, standing_at};
use saved_routers::{
    CALIBRATION_FORMAT_VERSION, CalibratedSetting, Calibration, Drawn, Expected, ModelShare, Range,
    Realized,
};
use serde::Deserialize;
use tracing::info;

pub(crate) use self::args::CalibrateArgs;
use self::{
    held_out::{Half, HeldOut},
    report::Report,
    target::Target,
};

const MADE_BY: &str = concat!("carrot-router ", env!("CARGO_PKG_VERSION"));

/// The settings that the program was built with.
const BUILT_IN: &str = include_str!("../../../configs/calibration.toml");

/// configs/calibration.toml.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Config {
    holdout_share: f64,
    seed: u32,
    n_resamples: usize,
    level: f64,
}

/// A command line that was understood.
struct Job {
    target: Target,
    config: Config,
    held_out: HeldOut,
    n_new_prompts: Option<usize>,
}

/// What a calibration found, before it has a name.
struct Outcome {
    found: evaluation::choice::Calibration,
    /// The setting with the multiplier of `route`.
    setting: Setting,
    n_new_prompts: usize,
    realized: Standing,
}

pub(crate) fn run(args: CalibrateArgs) -> anyhow::Result<()> {
    let output = args.output;
    let n_repetitions = args.check;
    let (name, force) = (args.name.clone(), args.force);
    let job = Job::check(args)?;
    if let Some(n_repetitions) = n_repetitions {
        let checked = check::run(&job, n_repetitions, output.quiet)?;
        return output.print(&checked, &checked.table());
    }
    let name = name.unwrap_or_else(|| job.target.default_name());
    let path = Calibration::path(&job.held_out.folder, &name)
        .map_err(|error| usage_error(error.to_string()))?;
    if !force
        && path.is_file()
        && let Ok(older) = Calibration::read(&job.held_out.folder, &name)
        && older.target != job.target.recorded()
    {
        bail!(
            "`{}` is there, and for another target; name this one with --name, or replace that one with --force",
            path.display()
        );
    }
    let outcome = job.calibrate(job.config.seed)?;
    let calibration = job.record(&name, &outcome)?;
    let path = calibration.write(&job.held_out.folder)?;
    let report = Report {
        calibration: &calibration,
        path: &path,
        folder: &job.held_out.folder,
    };
    output.print(&report, &report.table())
}

impl Job {
    fn check(args: CalibrateArgs) -> anyhow::Result<Self> {
        let mut config: Config = read_toml(args.config.config.as_deref(), BUILT_IN)?;
        if let Some(share) = args.holdout_share {
            config.holdout_share = share;
        }
        if let Some(seed) = args.seed {
            config.seed = seed;
        }
        if !(config.holdout_share > 0.0 && config.holdout_share < 1.0) {
            return Err(usage_error(format!(
                "the share of untouched prompts is {}, expected a number between 0 and 1",
                config.holdout_share
            )));
        }
        let target = Target::check(args.target)?;
        let held_out = HeldOut::open(
            &args.data_dir.data_dir,
            &args.models_dir.models_dir,
            &args.dataset,
            &args.router,
        )?;
        // Before anything is computed.
        target.goal(&held_out.models)?;
        Ok(Self {
            target,
            config,
            held_out,
            n_new_prompts: args.new_prompts,
        })
    }

    /// Chooses on one part of the held-out prompts, and looks at the other.
    fn calibrate(&self, seed: u32) -> anyhow::Result<Outcome> {
        let (chosen_on, untouched) = self.held_out.part(self.config.holdout_share, seed)?;
        let goal = self.target.goal(&self.held_out.models)?;
        let n_untouched = count_choices(&untouched)?;
        let n_new_prompts = self.n_new_prompts.unwrap_or(n_untouched);
        let params = CalibrationParams {
            goal,
            n_new_prompts,
            level: self.config.level,
            n_resamples: self.config.n_resamples,
            seed: seed.into(),
        };
        let found = match calibrate(&chosen_on.truth()?, chosen_on.router()?, &params) {
            Err(evaluation::Error::OutOfReach { least, most, .. }) => {
                bail!(self.target.out_of_reach(&self.held_out.router, least, most))
            }
            found => found?,
        };
        let setting = found.setting.with_multiplier(COST_MULTIPLIER)?;
        let realized = standing_at(&untouched.truth()?, untouched.router()?, setting)?;
        Ok(Outcome {
            found,
            setting,
            n_new_prompts,
            realized,
        })
    }

    fn record(&self, name: &str, outcome: &Outcome) -> anyhow::Result<Calibration> {
        let Outcome {
            found,
            setting,
            n_new_prompts,
            realized,
        } = outcome;
        let models = &self.held_out.models;
        let setting = match (*setting, found.setting, &self.held_out.pair) {
            (
                Setting::Weight {
                    lambda: mu,
                    cost_multiplier,
                },
                Setting::Weight { lambda, .. },
                _,
            ) => CalibratedSetting::Weight {
                mu,
                cost_multiplier,
                lambda,
            },
            (Setting::Threshold(threshold), _, Some(pair)) => CalibratedSetting::Threshold {
                threshold,
                small: pair.small.clone(),
                large: pair.large.clone(),
            },
            _ => bail!("`{}` names no pair of LLMs", self.held_out.router),
        };
        let rule = match &setting {
            CalibratedSetting::Weight { .. } => {
                "argmax (1 - mu) * score - mu * cost-multiplier * cost-usd"
            }
            CalibratedSetting::Threshold { .. } => {
                "small if its probability is at least threshold, else large"
            }
        };
        let shares = |values: Vec<Range>| with_names(models, values);
        Ok(Calibration {
            format_version: CALIBRATION_FORMAT_VERSION,
            name: name.to_owned(),
            dataset: self.held_out.dataset.clone(),
            router: self.held_out.router.clone(),
            target: self.target.recorded(),
            rule: rule.to_owned(),
            setting,
            drawn: Drawn {
                seed: self.config.seed,
                holdout_share: self.config.holdout_share,
                n_chosen_on: found.in_sample.n_prompts,
                n_resamples: self.config.n_resamples,
                out_of_reach: found.out_of_reach,
            },
            expected: Expected {
                n_new_prompts: *n_new_prompts,
                level: self.config.level,
                usd_per_1k: range(&found.cost_usd, 1e3),
                accuracy: range(&found.accuracy, 1.0),
                shares: shares(found.shares.iter().map(|it| range(it, 1.0)).collect()),
            },
            realized: Realized {
                n_prompts: realized.n_prompts,
                usd_per_1k: 1e3 * realized.point.cost_usd,
                accuracy: realized.point.accuracy,
                shares: with_names(models, realized.shares.clone()),
            },
            model_sha256: Calibration::model_sha256_of(&self.held_out.folder)?,
            inputs: self.held_out.inputs.clone(),
            made_by: MADE_BY.to_owned(),
        })
    }
}

/// Number of prompts of a half that have an LLM to choose, whatever the setting.
fn count_choices(half: &Half) -> anyhow::Result<usize> {
    let any = match half.router()? {
        evaluation::Router::PerModel { .. } => Setting::Weight {
            lambda: 0.0,
            cost_multiplier: 1.0,
        },
        _ => Setting::Threshold(0.0),
    };
    let standing = standing_at(&half.truth()?, half.router()?, any);
    Ok(standing.context("the untouched prompts")?.n_prompts)
}

fn range(interval: &evaluation::Interval, factor: f64) -> Range {
    Range {
        estimate: factor * interval.estimate,
        low: factor * interval.low,
        high: factor * interval.high,
    }
}

fn with_names<T>(models: &[String], values: Vec<T>) -> Vec<ModelShare<T>> {
    let named = models.iter().zip(values);
    named
        .map(|(model, share)| ModelShare {
            model: model.clone(),
            share,
        })
        .collect()
}

/// The weight of cost of a calibration that `route` is to use.
pub(crate) fn mu_of(folder: &std::path::Path, name: &str) -> anyhow::Result<f64> {
    let calibration = Calibration::open(folder, name)?;
    match calibration.setting {
        CalibratedSetting::Weight {
            mu,
            cost_multiplier,
            ..
        } if cost_multiplier == COST_MULTIPLIER => {
            info!("calibration `{name}`: mu {mu}");
            Ok(mu)
        }
        CalibratedSetting::Weight {
            cost_multiplier, ..
        } => bail!(
            "calibration `{name}` is for a cost multiplier of {cost_multiplier}, not {COST_MULTIPLIER}; calibrate anew"
        ),
        CalibratedSetting::Threshold { threshold, .. } => bail!(
            "calibration `{name}` is a threshold of {threshold} for `{}`, which chooses between two LLMs; `route` routes with routers of all \
             LLMs only",
            calibration.router
        ),
    }
}
