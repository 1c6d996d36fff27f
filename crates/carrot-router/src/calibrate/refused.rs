//! In words, why a goal cannot be promised, and what would help.

use evaluation::choice::Refusal;

use super::goal::{CalibrationGoal, percent};
use crate::CalibrationError;

pub(super) fn error(router: &str, goal: &CalibrationGoal, refusal: &Refusal) -> CalibrationError {
    CalibrationError::NotPromised {
        router: router.to_owned(),
        goal: goal.promised(),
        confidence: percent(refusal.confidence),
        n_new_prompts: refusal.n_new_prompts,
        n_testing: refusal.n_testing,
        nearest: goal.nearest_promised(refusal.nearest),
        enough: enough(refusal),
    }
}

/// The changes of which each alone would be enough.
fn enough(refusal: &Refusal) -> String {
    let prompts = refusal
        .enough_prompts
        .map(|n| format!("about {} calibration prompts", rounded_up(n)));
    let new_prompts = refusal
        .enough_new_prompts
        .map(|n| format!("{} new prompts", rounded_up(n)));
    let confidence = refusal
        .enough_confidence
        .map(|it| format!("a confidence of {}", percent(it)));
    let ways: Vec<String> = [prompts, new_prompts, confidence]
        .into_iter()
        .flatten()
        .collect();
    match &ways[..] {
        [] => "neither more prompts nor a lower confidence would help".to_owned(),
        [one] => format!("{one} would be enough"),
        [first @ .., last] => format!("{} or {last} would be enough", first.join(", ")),
    }
}

/// To two digits: the number is a guess from a variance that is one itself.
fn rounded_up(n: usize) -> usize {
    let unit = 10_usize.pow(n.max(1).ilog10().saturating_sub(1));
    n.div_ceil(unit) * unit
}

#[cfg(test)]
mod tests {
    use saved_routers::CalibrationTarget;

    use super::*;

    fn refusal() -> Refusal {
        Refusal {
            what: "mean cost",
            asked: 1e-4,
            confidence: 0.95,
            n_new_prompts: 100,
            n_testing: 450,
            nearest: 1.134_56e-4,
            enough_prompts: Some(1_234),
            enough_new_prompts: None,
            enough_confidence: Some(0.83),
        }
    }

    #[test]
    fn a_refusal_names_the_nearest_goal_and_what_would_help() {
        let goal = CalibrationGoal::new(CalibrationTarget::UsdPer1k { at_most: 0.1 });
        let goal = goal.expect("a good goal");
        let found = error("knn", &goal, &refusal()).to_string();
        assert_eq!(
            found,
            "`knn` cannot keep to at most $0.1 per 1,000 prompts with 95% confidence over 100 new prompts, by 450 calibration prompts; the              nearest that it can promise is at most $0.1135 per 1,000 prompts; about 1300 calibration prompts or a confidence of 83% would be enough"
        );
    }

    #[test]
    fn only_what_helps_is_named() {
        let none = Refusal {
            enough_prompts: None,
            enough_confidence: None,
            ..refusal()
        };
        assert_eq!(
            enough(&none),
            "neither more prompts nor a lower confidence would help"
        );
        let one = Refusal {
            enough_new_prompts: Some(101),
            ..none
        };
        assert_eq!(enough(&one), "110 new prompts would be enough");
    }
}
