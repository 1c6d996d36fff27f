use std::fmt;

use evaluation::choice::Goal;
use saved_routers::{Calibration, CalibrationTarget};

use crate::CalibrationError;

/// What a router is to be calibrated to, with numbers in their ranges. As text: `at most $2.5 per 1,000 prompts`.
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationGoal(CalibrationTarget);

impl CalibrationGoal {
    /// Checks a target's numbers: dollars and relative costs are at least 0, accuracies and shares from 0 to 1.
    ///
    /// # Errors
    /// [`CalibrationError::BadGoal`].
    pub fn new(target: CalibrationTarget) -> Result<Self, CalibrationError> {
        let (what, value, most) = match target {
            CalibrationTarget::UsdPer1k { at_most } => {
                ("the cost per 1,000 prompts", at_most, f64::MAX)
            }
            CalibrationTarget::RelativeCost { at_most, .. } => {
                ("the relative cost", at_most, f64::MAX)
            }
            CalibrationTarget::Accuracy { at_least } => ("the accuracy", at_least, 1.0),
            CalibrationTarget::Share { share, .. } => ("the share", share, 1.0),
        };
        match (0.0..=most).contains(&value) {
            true => Ok(Self(target)),
            false => Err(CalibrationError::BadGoal { what, value, most }),
        }
    }

    /// The target, as a calibration records it.
    pub fn target(&self) -> &CalibrationTarget {
        &self.0
    }

    /// What a calibration is called unless it is given a name: `usd-per-1k-2.5`, and `usd-per-1k-2.5-confidence-95%` with a confidence of .95.
    pub fn default_name(&self, confidence: Option<f64>) -> String {
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
        let confidence = confidence.map(|it| format!("-confidence-{}", percent(it)));
        Calibration::name_of(&(text + &confidence.unwrap_or_default()))
    }

    /// What is promised with a confidence, in words: a share is then a most.
    pub fn promised(&self) -> String {
        match &self.0 {
            CalibrationTarget::Share { .. } => format!("at most {self}"),
            _ => self.to_string(),
        }
    }

    /// The goal of a router of some LLMs.
    ///
    /// # Errors
    /// [`evaluation::Error::NoModelOfThatName`].
    pub(super) fn resolve(&self, models: &[String]) -> Result<Goal, evaluation::Error> {
        let position = |model: &String| {
            let position = models.iter().position(|name| name == model);
            position.ok_or_else(|| evaluation::Error::NoModelOfThatName {
                name: model.clone(),
                models: models.to_vec(),
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

    /// A limit in evaluation's unit, where costs are of one prompt, in the target's.
    pub(super) fn in_target_unit(&self, limit: f64) -> f64 {
        match &self.0 {
            CalibrationTarget::UsdPer1k { .. } => 1e3 * limit,
            _ => limit,
        }
    }

    /// In words, a limit in the target's unit.
    pub fn limit(&self, limit: f64) -> String {
        match &self.0 {
            CalibrationTarget::UsdPer1k { .. } => format!("${limit:.4} per 1,000 prompts"),
            CalibrationTarget::Accuracy { .. } => format!("{limit:.4}"),
            CalibrationTarget::RelativeCost { .. } | CalibrationTarget::Share { .. } => {
                percent(limit)
            }
        }
    }

    /// In words, the goal of the same kind whose value is a limit of new prompts in evaluation's unit, to four digits on the safe side.
    pub(super) fn nearest_promised(&self, limit: f64) -> String {
        let nearest = match self.0.clone() {
            CalibrationTarget::UsdPer1k { .. } => CalibrationTarget::UsdPer1k {
                at_most: round_up(self.in_target_unit(limit)),
            },
            CalibrationTarget::RelativeCost { model, .. } => CalibrationTarget::RelativeCost {
                model,
                at_most: round_up(limit),
            },
            CalibrationTarget::Accuracy { .. } => CalibrationTarget::Accuracy {
                at_least: ((1e4 * limit).floor() / 1e4).max(0.0),
            },
            CalibrationTarget::Share { model, .. } => CalibrationTarget::Share {
                model,
                share: round_up(limit),
            },
        };
        Self(nearest).promised()
    }

    /// In words, what a router reaches at best that has `least` to `most` of what the goal is about.
    pub(super) fn nearest(&self, least: f64, most: f64) -> String {
        match &self.0 {
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
        }
    }
}

impl fmt::Display for CalibrationGoal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            CalibrationTarget::UsdPer1k { at_most } => {
                write!(f, "at most ${at_most} per 1,000 prompts")
            }
            CalibrationTarget::Accuracy { at_least } => {
                write!(f, "an accuracy of at least {at_least}")
            }
            CalibrationTarget::RelativeCost { model, at_most } => {
                let part = percent(*at_most);
                write!(f, "at most {part} of what `{model}` costs alone")
            }
            CalibrationTarget::Share { model, share } => {
                write!(f, "{} of the prompts for `{model}`", percent(*share))
            }
        }
    }
}

/// `0.3` as `30%`, with up to four decimals.
pub(super) fn percent(part: f64) -> String {
    let text = format!("{:.4}", 100.0 * part);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}%")
}

/// The least number of four digits that is not below.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return value;
    }
    let unit = 10_f64.powf(value.log10().floor() - 3.0);
    // Dividing by a power of ten's reciprocal would leave digits of rounding behind.
    let digits = (value / unit - 1e-9).ceil();
    format!("{:.3e}", digits * unit).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(model: &str, share: f64) -> CalibrationTarget {
        CalibrationTarget::Share {
            model: model.to_owned(),
            share,
        }
    }

    fn relative(model: &str, at_most: f64) -> CalibrationTarget {
        CalibrationTarget::RelativeCost {
            model: model.to_owned(),
            at_most,
        }
    }

    #[test]
    fn goals_have_a_name_and_words() {
        for (target, name, words) in [
            (
                CalibrationTarget::UsdPer1k { at_most: 2.5 },
                "usd-per-1k-2.5",
                "at most $2.5 per 1,000 prompts",
            ),
            (
                CalibrationTarget::Accuracy { at_least: 0.8 },
                "accuracy-0.8",
                "an accuracy of at least 0.8",
            ),
            (
                share("a/b:c", 0.3),
                "share-a-b-c-30%",
                "30% of the prompts for `a/b:c`",
            ),
            (
                share("a", 0.005),
                "share-a-0.5%",
                "0.5% of the prompts for `a`",
            ),
            (
                relative("a:b", 1.2),
                "relative-cost-120%-a-b",
                "at most 120% of what `a:b` costs alone",
            ),
        ] {
            let goal = CalibrationGoal::new(target).expect("a good target");
            assert_eq!(goal.default_name(None), name);
            let confident = format!("{name}-confidence-97.5%");
            assert_eq!(goal.default_name(Some(0.975)), confident);
            assert_eq!(goal.to_string(), words);
        }
    }

    #[test]
    fn numbers_out_of_range_and_unknown_llms_are_refused() {
        for (target, part) in [
            (CalibrationTarget::UsdPer1k { at_most: -1.0 }, "at least 0"),
            (
                CalibrationTarget::UsdPer1k { at_most: f64::NAN },
                "at least 0",
            ),
            (
                CalibrationTarget::UsdPer1k {
                    at_most: f64::INFINITY,
                },
                "at least 0",
            ),
            (
                CalibrationTarget::Accuracy { at_least: 70.0 },
                "from 0 to 1",
            ),
            (share("a", 1.3), "from 0 to 1"),
            (share("a", -0.01), "from 0 to 1"),
            (relative("a", -0.03), "at least 0"),
        ] {
            let error = CalibrationGoal::new(target).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        }
        let goal = CalibrationGoal::new(share("a", 0.3)).expect("a good target");
        let error = goal.resolve(&["b".to_owned()]).expect_err("another LLM");
        assert_eq!(error.to_string(), "no LLM is named `a`, there are `b`");
    }
}
