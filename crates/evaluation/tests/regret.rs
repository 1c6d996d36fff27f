//! What holds for the regret of any router.

use dataset::PairIdx;
use evaluation::{
    Predicted, Router, Truth,
    choice::choose,
    study::{Weights, regret},
};
use ndarray::Array2;
use proptest::prelude::*;

/// Sums of up to a hundred numbers near 1.
const ROUNDING: f64 = 1e-9;
/// Lambdas of the grid that the exact integral is compared with.
const N_STEPS: usize = 500;

#[derive(Debug, Clone)]
struct Table {
    scores: Array2<f32>,
    costs: Array2<f64>,
    guessed_scores: Array2<f32>,
    guessed_costs: Array2<f64>,
}

fn tables() -> impl Strategy<Value = Table> {
    (1_usize..12, 1_usize..5).prop_flat_map(|shape| {
        let n = shape.0 * shape.1;
        // In steps, so that ties are common.
        let scores =
            || proptest::collection::vec((0_u8..9).prop_map(|step| f32::from(step) / 8.0), n);
        let costs =
            || proptest::collection::vec((0_u8..9).prop_map(|step| f64::from(step) / 800.0), n);
        (scores(), costs(), scores(), costs()).prop_map(move |(a, b, c, d)| {
            let of = |values| Array2::from_shape_vec(shape, values).expect("as many");
            Table {
                scores: of(a),
                costs: Array2::from_shape_vec(shape, b).expect("as many"),
                guessed_scores: of(c),
                guessed_costs: Array2::from_shape_vec(shape, d).expect("as many"),
            }
        })
    })
}

proptest! {
    #[test]
    fn nobody_does_better_than_who_knows_the_truth(table in tables()) {
        let truth = Truth::new(table.scores.view(), table.costs.view()).expect("a truth");
        let bayes = Predicted::new(table.scores.view(), table.costs.view()).expect("predictions");
        let predicted = Predicted::new(table.guessed_scores.view(), table.guessed_costs.view()).expect("predictions");
        let probability: Vec<f32> = table.guessed_scores.column(0).to_vec();
        let lambdas = [0.0, 0.25, 0.5, 1.0];
        let weights = Weights { lambdas: &lambdas, cost_multiplier: 100.0 };
        let pair = PairIdx { small: 0, large: table.scores.ncols() - 1 };
        for router in [
            Router::PerModel { predicted, pair: None },
            Router::Pair { pair, small_win_probability: &probability },
            Router::Zero,
        ] {
            let found = regret(&truth, bayes, &router, weights).expect("a regret");
            prop_assert_eq!(found.n_prompts(), table.scores.nrows());
            prop_assert!(found.mean() > -ROUNDING);
            for i in 0..lambdas.len() {
                prop_assert!(found.mean_at(i) > -ROUNDING);
            }
        }
        let own = Router::PerModel { predicted: bayes, pair: None };
        let own = regret(&truth, bayes, &own, weights).expect("a regret");
        prop_assert!(own.mean().abs() < ROUNDING);
    }

    #[test]
    fn the_integral_is_that_of_the_rule_on_a_fine_grid(table in tables()) {
        let truth = Truth::new(table.scores.view(), table.costs.view()).expect("a truth");
        let bayes = Predicted::new(table.scores.view(), table.costs.view()).expect("predictions");
        let predicted = Predicted::new(table.guessed_scores.view(), table.guessed_costs.view()).expect("predictions");
        let weights = Weights { lambdas: &[], cost_multiplier: 100.0 };
        let router = Router::PerModel { predicted, pair: None };
        let exact = regret(&truth, bayes, &router, weights).expect("a regret").mean();

        let utility = |scores: &Array2<f32>, costs: &Array2<f64>, i: usize, lambda: f64| {
            let (scores, costs) = (scores.row(i), costs.row(i));
            let (scores, costs) = (scores.to_slice().expect("a row"), costs.to_slice().expect("a row"));
            let m = choose(scores, costs, lambda, 100.0).expect("an LLM");
            (1.0 - lambda) * f64::from(table.scores[[i, m]]) - lambda * 100.0 * table.costs[[i, m]]
        };
        let mut sum = 0.0;
        for step in 0..N_STEPS {
            let lambda = (step as f64 + 0.5) / N_STEPS as f64;
            for i in 0..table.scores.nrows() {
                sum += utility(&table.scores, &table.costs, i, lambda)
                    - utility(&table.guessed_scores, &table.guessed_costs, i, lambda);
            }
        }
        let on_grid = sum / (N_STEPS * table.scores.nrows()) as f64;
        // Each of a prompt's at most 6 changes lies somewhere within a step, and moves a utility by at most 1.
        let bound = 6.0 / N_STEPS as f64;
        prop_assert!((exact - on_grid).abs() < bound, "{exact} and {on_grid}");
    }
}
