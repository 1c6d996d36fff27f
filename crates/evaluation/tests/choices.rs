//! Lambdas chosen by budget, and the LLMs' shares along a curve, against the rule itself.

use dataset::PairIdx;
use evaluation::{
    choice::{Lambdas, choose_lambda, shares_at, threshold_within},
    curve::{exact_curve, pair_curve, share_curve},
};
use proptest::prelude::*;

use self::tables::Table;

mod any_table;
mod tables;

/// A sweep's mean against a fresh one.
const SAME_MEAN: f64 = 1e-12;
/// Two crossings nearer than this leave no lambda between them that rounding cannot move to a side.
const WIDE_ENOUGH: f64 = 1e-9;

fn any_table() -> impl Strategy<Value = Table> {
    any_table::any_table(1..12, 2..7)
}

proptest! {
    #[test]
    fn a_choice_is_the_best_within_the_budget_and_holds_where_it_was_made(
        table in any_table(),
        budget_usd in 0.0..0.025_f64,
    ) {
        let (truth, predicted) = (table.truth(), table.predicted());
        let curve = exact_curve(&truth, predicted).expect("a choice");
        let choice = choose_lambda(&truth, predicted, budget_usd, Lambdas::Exact).expect("a curve");
        let affordable = curve.points.iter().filter(|point| point.is_known() && point.cost_usd <= budget_usd);
        let best = affordable.map(|point| point.accuracy).reduce(f64::max);
        prop_assert_eq!(choice.map(|choice| choice.expected.accuracy), best);
        if let Some(choice) = choice.filter(|choice| choice.high - choice.low > WIDE_ENOUGH) {
            prop_assert!(choice.low <= choice.lambda && choice.lambda <= choice.high);
            let routed = choice.apply(&truth, predicted).expect("a choice");
            prop_assert!((routed.point.cost_usd - choice.expected.cost_usd).abs() < SAME_MEAN);
            prop_assert!((routed.point.accuracy - choice.expected.accuracy).abs() < SAME_MEAN);
        }
    }

    #[test]
    fn a_threshold_is_between_those_that_change_something(table in any_table(), budget_usd in 0.0..0.025_f64) {
        let probabilities: Vec<f32> = table.predicted_scores.column(0).to_vec();
        let Ok(curve) = pair_curve(&table.truth(), PairIdx { small: 0, large: 1 }, &probabilities) else {
            return Ok(());
        };
        let choice = threshold_within(&curve, budget_usd);
        prop_assert_eq!(choice.is_some(), curve.best_within(budget_usd).is_some());
        if let Some(choice) = choice {
            prop_assert!(choice.low < choice.high);
            prop_assert!(choice.low < choice.threshold && choice.threshold <= choice.high);
        }
    }

    #[test]
    fn the_order_of_prompts_does_not_change_the_shares(table in any_table()) {
        let backwards: Vec<usize> = (0..table.scores.nrows()).rev().collect();
        let turned = table.only(&backwards);
        let found = share_curve(&table.truth(), table.predicted()).expect("a choice");
        let of_turned = share_curve(&turned.truth(), turned.predicted()).expect("a choice");
        let points: Vec<usize> = (0..found.curve.points.len()).collect();
        prop_assert_eq!(found.shares_at_points(&points), of_turned.shares_at_points(&points));
    }

    #[test]
    fn shares_along_a_curve_are_those_of_the_rule(table in any_table()) {
        let (truth, predicted) = (table.truth(), table.predicted());
        let found = share_curve(&truth, predicted).expect("a choice");
        let curve = exact_curve(&truth, predicted).expect("a choice");
        // As text, in which NaN is equal to NaN.
        prop_assert_eq!(format!("{:?}", found.curve), format!("{curve:?}"));
        let points: Vec<usize> = (0..found.curve.points.len()).collect();
        let all = found.shares_at_points(&points).expect("points of the curve");
        for (point_idx, shares) in points.into_iter().zip(all.rows()) {
            prop_assert!((shares.sum() - 1.0).abs() < SAME_MEAN);
            let from = found.curve.points[point_idx].setting;
            let to = found.curve.points.get(point_idx + 1).map_or(1.0, |next| next.setting);
            if to - from > WIDE_ENOUGH {
                let lambda = f64::midpoint(from, to);
                let expected = shares_at(&truth, predicted, lambda, 1.0).expect("a choice");
                prop_assert_eq!(shares.to_vec(), expected, "lambda {}", lambda);
            }
        }
    }
}
