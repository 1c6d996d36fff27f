use cli_support::usage_error;
use evaluation::choice::Goal;
use saved_routers::{Calibration, CalibrationTarget};

use super::args::TargetArgs;

/// What to calibrate to, as the command line says it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target(CalibrationTarget);

impl Target {
    /// Refuses numbers that mean nothing.
    pub(crate) fn check(args: TargetArgs) -> anyhow::Result<Self> {
        let number = |flag: &str, value: f64, most: f64| match (0.0..=most).contains(&value) {
            true => Ok(value),
            false if most == 1.0 => Err(usage_error(format!(
                "{flag} is {value}, expected a number from 0 to 1"
            ))),
            false => Err(usage_error(format!(
                "{flag} is {value}, expected a number of at least 0"
            ))),
        };
        let target = match args {
            TargetArgs {
                usd_per_1k: Some(usd),
                ..
            } => CalibrationTarget::UsdPer1k {
                at_most: number("--usd-per-1k", usd, f64::MAX)?,
            },
            TargetArgs {
                accuracy: Some(score),
                ..
            } => CalibrationTarget::Accuracy {
                at_least: number("--accuracy", score, 1.0)?,
            },
            TargetArgs {
                share: Some(text), ..
            } => {
                // A name may hold a colon, a percentage none.
                let parts = text
                    .rsplit_once(':')
                    .and_then(|(model, part)| Some((model, percentage(part)?)));
                let (model, share) = parts.ok_or_else(|| {
                    usage_error(format!(
                        "--share is `{text}`, expected an LLM and a percentage, such as gpt-4o:30%"
                    ))
                })?;
                CalibrationTarget::Share {
                    model: model.to_owned(),
                    share: number("--share", share, 1.0)?,
                }
            }
            TargetArgs {
                relative_cost: Some(text),
                ..
            } => {
                let parts = text
                    .split_once(':')
                    .and_then(|(part, model)| Some((percentage(part)?, model)));
                let (part, model) = parts.ok_or_else(|| {
                    usage_error(format!(
                        "--relative-cost is `{text}`, expected a percentage and an LLM, such as 30%:gpt-4o"
                    ))
                })?;
                CalibrationTarget::RelativeCost {
                    model: model.to_owned(),
                    at_most: number("--relative-cost", part, f64::MAX)?,
                }
            }
            _ => return Err(usage_error("no target is given")),
        };
        Ok(Self(target))
    }

    /// The same for a router of some LLMs.
    pub(crate) fn goal(&self, models: &[String]) -> anyhow::Result<Goal> {
        let position = |model: &String| {
            models.iter().position(|name| name == model).ok_or_else(|| {
                usage_error(format!(
                    "no LLM is named `{model}`, there are `{}`",
                    models.join("`, `")
                ))
            })
        };
        Ok(match &self.0 {
            CalibrationTarget::UsdPer1k { at_most } => Goal::Cost {
                at_most_usd: at_most / 1e3,
            },
            CalibrationTarget::Accuracy { at_least } => Goal::Accuracy {
                at_least: *at_least,
            },
            CalibrationTarget::RelativeCost { model, at_most } => Goal::RelativeCost {
                model_idx: position(model)?,
                at_most: *at_most,
            },
            CalibrationTarget::Share { model, share } => Goal::Share {
                model_idx: position(model)?,
                share: *share,
            },
        })
    }

    /// As a calibration records it.
    pub(crate) fn recorded(&self) -> CalibrationTarget {
        self.0.clone()
    }

    /// What a calibration is called if nothing else is said.
    pub(crate) fn default_name(&self) -> String {
        let text = match &self.0 {
            CalibrationTarget::UsdPer1k { at_most } => format!("usd-per-1k-{at_most}"),
            CalibrationTarget::Accuracy { at_least } => format!("accuracy-{at_least}"),
            CalibrationTarget::RelativeCost { model, at_most } => {
                format!("relative-cost-{}-{model}", percent(*at_most))
            }
            CalibrationTarget::Share { model, share } => {
                format!("share-{model}-{}", percent(*share))
            }
        };
        Calibration::name_of(&text)
    }

    /// In words: `at most $2.5 per 1,000 prompts`.
    pub(crate) fn describe(target: &CalibrationTarget) -> String {
        match target {
            CalibrationTarget::UsdPer1k { at_most } => {
                format!("at most ${at_most} per 1,000 prompts")
            }
            CalibrationTarget::Accuracy { at_least } => {
                format!("an accuracy of at least {at_least}")
            }
            CalibrationTarget::RelativeCost { model, at_most } => {
                format!(
                    "at most {} of what `{model}` costs alone",
                    percent(*at_most)
                )
            }
            CalibrationTarget::Share { model, share } => {
                format!("{} of the prompts for `{model}`", percent(*share))
            }
        }
    }

    /// What to say where the target is not to be had, and what is nearest to it.
    pub(crate) fn out_of_reach(&self, router: &str, least: f64, most: f64) -> String {
        let asked = Self::describe(&self.0);
        let nearest = match &self.0 {
            CalibrationTarget::UsdPer1k { .. } => {
                format!(
                    "its cheapest setting costs ${:.6} per 1,000 prompts",
                    1e3 * least
                )
            }
            CalibrationTarget::RelativeCost { .. } => {
                format!("its cheapest setting costs {}", percent(least))
            }
            CalibrationTarget::Accuracy { .. } => {
                format!("its most accurate setting has {most:.6}")
            }
            CalibrationTarget::Share { share, .. } => {
                let nearest = if *share > most { most } else { least };
                format!("the nearest share at any setting is {}", percent(nearest))
            }
        };
        format!("`{router}` cannot do with {asked} on the prompts that choose: {nearest}")
    }
}

/// A part written as `30%`.
fn percentage(text: &str) -> Option<f64> {
    let number: f64 = text.strip_suffix('%')?.trim().parse().ok()?;
    Some(number / 100.0)
}

/// The other way round, with as many digits as are needed, four behind the point at most.
fn percent(part: f64) -> String {
    let text = format!("{:.4}", 100.0 * part);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(flag: &str, value: &str) -> TargetArgs {
        let mut args = TargetArgs {
            usd_per_1k: None,
            share: None,
            accuracy: None,
            relative_cost: None,
        };
        let number = || Some(value.parse().expect("a number"));
        match flag {
            "usd" => args.usd_per_1k = number(),
            "accuracy" => args.accuracy = number(),
            "share" => args.share = Some(value.to_owned()),
            _ => args.relative_cost = Some(value.to_owned()),
        }
        args
    }

    #[test]
    fn targets_are_read_and_named() {
        for (flag, value, name, words) in [
            (
                "usd",
                "2.50",
                "usd-per-1k-2.5",
                "at most $2.5 per 1,000 prompts",
            ),
            (
                "accuracy",
                "0.8",
                "accuracy-0.8",
                "an accuracy of at least 0.8",
            ),
            (
                "share",
                "a/b:c:30%",
                "share-a-b-c-30%",
                "30% of the prompts for `a/b:c`",
            ),
            (
                "share",
                "a:0.5%",
                "share-a-0.5%",
                "0.5% of the prompts for `a`",
            ),
            (
                "relative",
                "120%:a:b",
                "relative-cost-120%-a-b",
                "at most 120% of what `a:b` costs alone",
            ),
        ] {
            let target = Target::check(args(flag, value)).expect("a good target");
            assert_eq!(target.default_name(), name);
            assert_eq!(Target::describe(&target.recorded()), words);
        }
    }

    #[test]
    fn targets_that_mean_nothing_are_refused() {
        for (flag, value, part) in [
            ("usd", "-1", "at least 0"),
            ("usd", "NaN", "at least 0"),
            ("usd", "inf", "at least 0"),
            ("accuracy", "70", "from 0 to 1"),
            ("share", "a", "such as gpt-4o:30%"),
            ("share", "a:30", "such as gpt-4o:30%"),
            ("share", "a:130%", "from 0 to 1"),
            ("share", "a:-1%", "from 0 to 1"),
            ("relative", "a:30%", "such as 30%:gpt-4o"),
            ("relative", "-3%:a", "at least 0"),
        ] {
            let error = Target::check(args(flag, value)).expect_err(value);
            assert!(error.to_string().contains(part), "{value}: {error}");
        }
        let share = Target::check(args("share", "a:30%")).expect("a good target");
        let error = share.goal(&["b".to_owned()]).expect_err("another LLM");
        assert_eq!(error.to_string(), "no LLM is named `a`, there are `b`");
    }
}
