//! Whether to route, and how much of the predicted differences to believe.

use ndarray::Array2;

use super::report::ScaleGain;
use crate::routing_gain::Judge;

/// What the rule decided of one candidate.
#[derive(Debug)]
pub(super) struct Decision {
    /// The factor in force; 0 for not routing.
    pub(super) scale: f64,
    /// The gain at each factor, from 0 on.
    pub(super) gains: Vec<ScaleGain>,
    /// The factor above 0 with the highest gain less its standard error; `None` where no gain is known.
    pub(super) best: Option<ScaleGain>,
    /// That gain less its standard error; below all others where none is known.
    pub(super) bound: f64,
}

impl Decision {
    /// Of nothing: there was nothing to judge.
    pub(super) fn nothing() -> Self {
        Self {
            scale: 0.0,
            gains: Vec::new(),
            best: None,
            bound: f64::NEG_INFINITY,
        }
    }
}

/// The first factor with the highest out-of-fold gain over not routing less its standard error, where that is above 0; otherwise 0.
///
/// The one-standard-error rule of Breiman, Friedman, Olshen and Stone (1984, section 3.4.3), the simpler model being not to route; for not routing
/// both are 0, so that one comparison decides whether to route and by which factor.
///
/// # Deviations
/// The rule as published would take the factor with the highest gain and hold that gain against its own error. A gain at a smaller factor is known
/// better, because fewer prompts change their LLM: on zeroeval, over four draws of five outer folds, the mean gain is .0023 by this rule and .0017
/// by the published one, and in none of the four less.
///
/// `cost_usd` has the dollars as they are predicted at each of `scales`, and `scores` predicts at one, both in the order of the rows.
pub(super) fn decide(
    judge: &Judge<'_>,
    scales: &[f64],
    cost_usd: &[Array2<f64>],
    scores: impl Fn(f64) -> Array2<f64>,
) -> Decision {
    // Not routing gains nothing over itself.
    let unrouted = ScaleGain {
        scale: 0.0,
        gain: Some(0.0),
        standard_error: Some(0.0),
    };
    let mut decision = Decision {
        gains: vec![unrouted],
        ..Decision::nothing()
    };
    for (&scale, cost_usd) in scales.iter().zip(cost_usd) {
        let gain = judge.gain(scores(scale).view(), cost_usd.view());
        let known = |value: f64| value.is_finite().then_some(value);
        let found = ScaleGain {
            scale,
            gain: known(gain.mean),
            standard_error: known(gain.standard_error),
        };
        // Never above where one of the two is not a number.
        let bound = gain.mean - gain.standard_error;
        if bound > decision.bound {
            (decision.best, decision.bound) = (Some(found), bound);
        }
        decision.gains.push(found);
    }
    if let Some(best) = decision.best.filter(|_| decision.bound > 0.0) {
        decision.scale = best.scale;
    }
    decision
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::RoutingCosts;

    /// For who predicts no dollars.
    fn routing_costs(cost_usd: &Array2<f64>) -> RoutingCosts<'_> {
        RoutingCosts {
            cost_usd: cost_usd.view(),
            predicted_usd: &|_| unreachable!("nothing is predicted"),
            inverse_propensities: None,
        }
    }

    /// Two LLMs at equal costs; the second is better on average, the first on the first rows, and on the last ones it only seems so.
    fn decide_for(firsts: usize, seconds: usize, n_wrong: usize) -> Decision {
        let n = firsts + seconds;
        let scores = Array2::from_shape_fn((n, 2), |(row, m)| {
            f32::from(u8::from((row < firsts) == (m == 0)))
        });
        let costs = Array2::ones((n, 2));
        let folds: Vec<usize> = (0..n).map(|row| row % 2).collect();
        let routing_costs = routing_costs(&costs);
        let judge = Judge::new(scores.view(), &routing_costs, &folds);
        // At .5 the first LLM's advantage is not yet seen.
        let cost_usd = [costs.clone(), costs.clone(), costs.clone()];
        decide(&judge, &[0.5, 1.0, 2.0], &cost_usd, |scale| {
            let seems = |row: usize| row < firsts || row >= n - n_wrong;
            let seen = |row| if seems(row) { scale } else { 0.0 };
            Array2::from_shape_fn((n, 2), |(row, m)| [seen(row), 0.75][m])
        })
    }

    #[test]
    fn the_first_of_the_best_less_its_error_routes() {
        // Gain .2 with a standard error of sqrt(.16 / 99).
        let decision = decide_for(20, 80, 0);
        assert_eq!(decision.scale, 1.0);
        assert_eq!(decision.best, Some(decision.gains[2]));
        let gains: Vec<f64> = decision.gains.iter().filter_map(|it| it.gain).collect();
        for (gain, expected) in gains.iter().zip([0.0, 0.0, 0.2, 0.2]) {
            assert!((gain - expected).abs() < 1e-12, "{gains:?}");
        }
        let error = decision.gains[2].standard_error.expect("known");
        assert!((error - (0.16_f64 / 99.0).sqrt()).abs() < 1e-12);
        // 3 rows gain 1 and 2 lose 1: gain .01, standard error sqrt((.05 - .0001) / 99) = .022.
        let decision = decide_for(3, 97, 2);
        assert_eq!(decision.scale, 0.0);
        // It is told what came nearest: at .5 nothing changes hands, which gains and risks nothing.
        assert_eq!(decision.bound, 0.0);
        assert_eq!(decision.best, Some(decision.gains[1]));
        assert!((decision.gains[2].gain.expect("known") - 0.01).abs() < 1e-12);
    }

    #[test]
    fn what_is_not_known_does_not_route() {
        let scores = array![[0.0_f32, 1.0]];
        let costs = Array2::ones((1, 2));
        let routing_costs = routing_costs(&costs);
        let judge = Judge::new(scores.view(), &routing_costs, &[0]);
        let cost_usd = [costs.clone()];
        let decision = decide(&judge, &[1.0], &cost_usd, |_| array![[f64::NAN, f64::NAN]]);
        assert_eq!((decision.scale, decision.gains[1].gain), (0.0, None));
        assert!(decision.best.is_none() && decision.bound == f64::NEG_INFINITY);
    }
}
