use dataset::PairIdx;
use ndarray::Array2;
use rand_distr::StandardUniform;
use serde_json::Value;

use super::*;
use crate::{Predicted, curve::hull::hull};

/// Areas are sums of a hundred trapezoids here and there.
const ROUNDING: f64 = 1e-12;

fn matrix(value: &Value) -> Array2<f64> {
    let rows = value.as_array().expect("rows");
    let numbers = rows.iter().flat_map(|row| row.as_array().expect("a row"));
    let numbers: Vec<f64> = numbers.map(|x| x.as_f64().unwrap_or(f64::NAN)).collect();
    Array2::from_shape_vec((rows.len(), numbers.len() / rows.len()), numbers).expect("a matrix")
}

/// `tests/golden/worth/make.py` made the table and what must be found.
#[test]
fn matches_numpy_on_given_halves() {
    let golden: Value =
        serde_json::from_str(include_str!("../../../tests/golden/worth/table.json")).expect("JSON");
    let scores = matrix(&golden["scores"]).mapv(|score| score as f32);
    let cost_usd = matrix(&golden["cost_usd"]);
    let predicted = matrix(&golden["predicted_scores"][0]).mapv(|score| score as f32);
    let predicted_cost = matrix(&golden["predicted_cost_usd"][0]);
    let numbers = |value: &Value| -> Vec<f64> {
        let numbers = value.as_array().expect("numbers").iter();
        numbers.map(|x| x.as_f64().expect("a number")).collect()
    };
    let probability: Vec<f32> = numbers(&golden["small_win_probability"])
        .iter()
        .map(|&p| p as f32)
        .collect();
    let halves: Vec<usize> = numbers(&golden["halves"])
        .iter()
        .map(|&half| half as usize)
        .collect();
    let truth = Truth::new(scores.view(), cost_usd.view()).expect("a truth");
    let position = |key: &str| golden[key].as_u64().expect("a position") as usize;
    let routers = [
        Router::PerModel {
            predicted: Predicted::new(predicted.view(), predicted_cost.view())
                .expect("predictions"),
            pair: None,
        },
        Router::Pair {
            pair: PairIdx {
                small: position("small"),
                large: position("large"),
            },
            small_win_probability: &probability,
        },
        Router::Zero,
    ];
    let judge = Judge::new(&truth, &routers, None, vec![halves]).expect("routers that fit");
    let found = judge.estimate();
    for (name, found) in ["per_model", "pair", "zero"].into_iter().zip(found) {
        let expected = numbers(&golden["areas"][name]);
        for (found, expected) in found.into_iter().zip(expected) {
            assert!(
                (found - expected).abs() < ROUNDING,
                "{name}: {found}, not {expected}"
            );
        }
    }
}

/// A table of prompts that are right at random, and probabilities that know nothing of them.
fn coin(seed: u64) -> (Array2<f32>, Array2<f64>, Vec<f32>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let n_prompts = 200;
    let scores = Array2::from_shape_fn((n_prompts, 2), |(_, m)| {
        f32::from(u8::from(rng.random_bool([0.5, 0.7][m])))
    });
    let costs = Array2::from_shape_fn((n_prompts, 2), |(_, m)| if m == 0 { 0.001 } else { 0.01 });
    let probability = (0..n_prompts)
        .map(|_| rng.sample(StandardUniform))
        .collect();
    (scores, costs, probability)
}

#[test]
fn random_probabilities_are_not_called_better_than_the_zero_router() {
    let (mut n_above, mut n_hull_above) = (0, 0);
    for seed in 0..40 {
        let (scores, costs, probability) = coin(seed);
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let router = Router::Pair {
            pair: PairIdx { small: 0, large: 1 },
            small_win_probability: &probability,
        };
        let areas = cross_fitted_areas(&truth, &[router], None, 200, seed).expect("judged");
        let gain = areas
            .interval(0, Area::GainOverZeroRouter, 0.95)
            .expect("a level");
        n_above += usize::from(gain.low > 0.0);
        let points = router.curve(&truth).expect("a curve").to_points();
        let zero = Router::Zero.curve(&truth).expect("a curve").to_points();
        let range = CostRange::over(points.iter().chain(&zero).copied()).expect("points");
        let in_sample = gain_of_hulls(&hull(&points), &hull(&zero), range).expect("a gain");
        n_hull_above += usize::from(in_sample > 0.0);
    }
    assert!(n_above <= 3, "{n_above} of 40");
    assert_eq!(n_hull_above, 40, "what the cross-fitted gain is for");
}

#[test]
fn a_router_that_knows_is_above_and_no_thread_or_place_matters() {
    let (scores, costs, probability) = coin(7);
    // Small where the small LLM is right: nothing can do better.
    let knows: Vec<f32> = scores
        .column(0)
        .iter()
        .zip(&probability)
        .map(|(score, p)| score + 0.1 * p)
        .collect();
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let pair = PairIdx { small: 0, large: 1 };
    let routers = [&knows, &probability].map(|small_win_probability| Router::Pair {
        pair,
        small_win_probability,
    });
    let groups: Vec<usize> = (0..200).map(|i| i / 4 * 10).collect();
    let measure = || cross_fitted_areas(&truth, &routers, Some(&groups), 300, 42).expect("judged");
    let areas = measure();
    let gain = areas
        .interval(0, Area::GainOverZeroRouter, 0.95)
        .expect("a level");
    assert!(gain.low > 0.1, "{gain:?}");
    let difference = areas.difference(0, 1, Area::Aiq, 0.95).expect("a level");
    assert!(difference.low > 0.1, "{difference:?}");
    let (p_above, p_below) = one_sided_p(areas.differences(0, 1, Area::Aiq));
    assert_eq!((p_above, p_below), (1.0 / 301.0, 1.0));
    let one_thread = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a pool");
    assert_eq!(one_thread.install(measure), areas);
    assert!(one_sided_p([f64::NAN]).0.is_nan());
    assert!(matches!(
        areas.interval(0, Area::Aiq, 95.0),
        Err(Error::BadLevel { .. })
    ));
    assert!(matches!(
        cross_fitted_areas(&truth, &routers, Some(&[0]), 300, 42),
        Err(Error::Shape { .. })
    ));
    assert_eq!(
        cross_fitted_areas(&truth, &routers, None, 0, 42),
        Err(Error::NoResamples)
    );
}

/// On 40 prompts one division into halves says this, another that.
#[test]
fn an_estimate_is_the_mean_over_divisions_into_halves() {
    let (scores, costs, probability) = coin(3);
    let part = ndarray::s![..40, ..];
    let (scores, costs) = (scores.slice(part), costs.slice(part));
    let truth = Truth::new(scores, costs).expect("a truth");
    let routers = [Router::Pair {
        pair: PairIdx { small: 0, large: 1 },
        small_win_probability: &probability[..40],
    }];
    let halvings: Vec<Vec<usize>> = (0..10).map(|nth| nth_halves(40, None, 42, nth)).collect();
    let single = |halves: &Vec<usize>| {
        let judge = Judge::new(&truth, &routers, None, vec![halves.clone()]);
        judge.expect("routers that fit").estimate()[0][0]
    };
    let singles: Vec<f64> = halvings.iter().map(single).collect();
    let spread = singles
        .iter()
        .fold(0.0_f64, |most, it| most.max((it - singles[0]).abs()));
    assert!(spread > 0.02, "{singles:?}");
    let areas = cross_fitted_areas(&truth, &routers, None, 10, 42).expect("judged");
    let found = areas
        .interval(0, Area::Aiq, 0.95)
        .expect("a level")
        .estimate;
    let expected = singles.iter().sum::<f64>() / 10.0;
    assert!(
        (found - expected).abs() < ROUNDING,
        "{found}, not {expected}"
    );
}

#[test]
fn a_table_too_small_for_halves_has_no_area() {
    let (scores, costs) = (ndarray::array![[1.0, 0.0]], ndarray::array![[1.0, 2.0]]);
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let areas = cross_fitted_areas(&truth, &[Router::Zero], None, 10, 42).expect("judged");
    assert!(
        areas
            .interval(0, Area::Aiq, 0.95)
            .expect("a level")
            .estimate
            .is_nan()
    );
}
