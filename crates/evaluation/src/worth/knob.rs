/// The worth of a whole score, in dollars, at which a choice by [`dataset::worth::utility`] is the one of the routing rule at a weight of cost.
///
/// ```text
/// v = (1 - lambda) / (lambda * cost_multiplier)
/// ```
///
/// Infinite at lambda 0, where costs do not count, and 0 at lambda 1, where scores do not. Takes a lambda in [0, 1] and a finite multiplier
/// above 0, see [`crate::choice::choose`]. From the CARROT paper (arXiv 2502.03261), whose utility at lambda is `1 - lambda` times ours at `v`.
///
/// ```
/// use evaluation::worth::{lambda_of_worth, worth_of_lambda};
/// assert_eq!(worth_of_lambda(0.5, 100.0), 0.01);
/// assert_eq!(lambda_of_worth(0.01, 100.0), 0.5);
/// assert_eq!(worth_of_lambda(0.0, 100.0), f64::INFINITY);
/// ```
pub fn worth_of_lambda(lambda: f64, cost_multiplier: f64) -> f64 {
    (1.0 - lambda) / (lambda * cost_multiplier)
}

/// The weight of cost at which the routing rule makes the choices of a worth in dollars: the inverse of [`worth_of_lambda`].
///
/// ```text
/// lambda = 1 / (1 + v * cost_multiplier)
/// ```
pub fn lambda_of_worth(worth_usd: f64, cost_multiplier: f64) -> f64 {
    1.0 / (1.0 + worth_usd * cost_multiplier)
}

#[cfg(test)]
mod tests {
    use dataset::worth::utility;
    use proptest::prelude::*;

    use super::*;
    use crate::{choice::choose, rule::argmax};

    #[test]
    fn the_ends_are_the_ends() {
        assert_eq!(worth_of_lambda(1.0, 100.0), 0.0);
        assert_eq!(lambda_of_worth(f64::INFINITY, 100.0), 0.0);
        assert_eq!(lambda_of_worth(0.0, 100.0), 1.0);
    }

    proptest! {
        /// The knob in dollars and the paper's weight of cost are one rule.
        #[test]
        fn the_worth_reproduces_the_routing_rule(
            llms in prop::collection::vec((0.0_f32..1.0, 0.0_f64..0.05), 1..8),
            lambda in 0.0_f64..1.0,
            cost_multiplier in prop_oneof![Just(1.0), Just(100.0), Just(1000.0)],
        ) {
            let (scores, costs): (Vec<f32>, Vec<f64>) = llms.into_iter().unzip();
            let by_lambda = |lambda| choose(&scores, &costs, lambda, cost_multiplier);
            let by_worth = |worth_usd| {
                argmax(scores.iter().zip(&costs).map(|(&score, &cost)| utility(f64::from(score), cost, worth_usd)))
            };
            let worth_usd = worth_of_lambda(lambda, cost_multiplier);
            prop_assert_eq!(by_worth(worth_usd), by_lambda(lambda));
            prop_assert_eq!(by_worth(worth_usd), by_lambda(lambda_of_worth(worth_usd, cost_multiplier)));
        }
    }
}
