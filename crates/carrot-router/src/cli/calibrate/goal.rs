use carrot_router::{CalibrationError, CalibrationGoal};
use cli_support::usage_error;
use saved_routers::CalibrationTarget;

use super::args::GoalArgs;

/// The goal that the command line asks for.
pub(super) fn of(args: GoalArgs) -> anyhow::Result<CalibrationGoal> {
    let target = match args {
        GoalArgs {
            usd_per_1k: Some(at_most),
            ..
        } => CalibrationTarget::UsdPer1k { at_most },
        GoalArgs {
            accuracy: Some(at_least),
            ..
        } => CalibrationTarget::Accuracy { at_least },
        GoalArgs {
            share: Some(text), ..
        } => {
            // An LLM's name may contain a colon, but a percentage cannot: split at the last one.
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
                share,
            }
        }
        GoalArgs {
            relative_cost: Some(text),
            ..
        } => {
            let parts = text
                .split_once(':')
                .and_then(|(part, model)| Some((percentage(part)?, model)));
            let (at_most, model) = parts.ok_or_else(|| {
                usage_error(format!(
                    "--relative-cost is `{text}`, expected a percentage and an LLM, such as 30%:gpt-4o"
                ))
            })?;
            CalibrationTarget::RelativeCost {
                model: model.to_owned(),
                at_most,
            }
        }
        _ => return Err(usage_error("no goal is given")),
    };
    CalibrationGoal::new(target).map_err(bad_usage)
}

/// An error about a number or a name on the command line, which ends the program as bad usage.
pub(super) fn bad_usage(error: CalibrationError) -> anyhow::Error {
    usage_error(error.to_string())
}

/// `30%` as 0.3.
fn percentage(text: &str) -> Option<f64> {
    let number: f64 = text.strip_suffix('%')?.trim().parse().ok()?;
    Some(number / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(flag: &str, value: &str) -> anyhow::Result<CalibrationGoal> {
        let mut args = GoalArgs {
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
        of(args)
    }

    #[test]
    fn goals_are_read() {
        for (flag, value, words) in [
            ("usd", "2.50", "at most $2.5 per 1,000 prompts"),
            ("accuracy", "0.8", "an accuracy of at least 0.8"),
            ("share", "a/b:c:30%", "30% of the prompts for `a/b:c`"),
            ("share", "a:0.5%", "0.5% of the prompts for `a`"),
            (
                "relative",
                "120%:a:b",
                "at most 120% of what `a:b` costs alone",
            ),
        ] {
            let goal = goal(flag, value).expect("a good goal");
            assert_eq!(goal.to_string(), words);
        }
    }

    #[test]
    fn malformed_goals_are_refused() {
        for (flag, value, part) in [
            ("usd", "-1", "at least 0"),
            ("accuracy", "70", "from 0 to 1"),
            ("share", "a", "such as gpt-4o:30%"),
            ("share", "a:30", "such as gpt-4o:30%"),
            ("share", "a:130%", "from 0 to 1"),
            ("relative", "a:30%", "such as 30%:gpt-4o"),
            ("relative", "-3%:a", "at least 0"),
        ] {
            let error = goal(flag, value).expect_err(value);
            assert!(error.to_string().contains(part), "{value}: {error}");
        }
    }
}
