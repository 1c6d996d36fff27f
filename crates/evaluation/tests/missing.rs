//! What holes in a table do to what a router is said to earn: nothing, on average. Each test masks a made-up table whose complete numbers are known.

use dataset::PairIdx;
use evaluation::{
    Error, Predicted, Propensities, PropensitySource, Router, Truth,
    baseline::{best_single, oracle, random, single_models},
    choice::{
        CalibrationParams, Goal, Lambdas, calibrate, choose_lambda, point_at, shares_at,
        standing_at,
    },
    curve::{Grid, exact_curve, grid_curve, pair_curve, share_curve},
    metric::Metric,
    study::{Resamples, bootstrap},
    worth::{
        Baseline, CrossFit, GainReport, GainSettings, PairFit, pair_gains, prompt_gains, trade,
    },
};
use ndarray::{Array2, array};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const N_PROMPTS: usize = 3_000;
const PRICES_USD: [f64; 3] = [0.001, 0.002, 0.010];
/// How much of each LLM is known: the dear one hardly, and it is also the best.
const RATES: [f64; 3] = [0.9, 0.5, 0.15];
const N_SEEDS: u64 = 40;
const LAMBDA: f64 = 0.1;
const UNKNOWN: f32 = f32::NAN;

/// Prompts of a difficulty; a dearer LLM is right up to a higher one. The router knows the difficulty.
struct World {
    scores: Array2<f32>,
    costs: Array2<f64>,
    predicted: Array2<f32>,
    difficulty: Vec<f64>,
}

impl World {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let difficulty: Vec<f64> = (0..N_PROMPTS).map(|_| rng.random()).collect();
        let expected = |i: usize, m: usize| (1.3 + 0.25 * m as f64 - 1.3 * difficulty[i]).min(0.95);
        let predicted = Array2::from_shape_fn((N_PROMPTS, 3), |(i, m)| expected(i, m) as f32);
        let scores = predicted.mapv(|p| f32::from(u8::from(rng.random::<f32>() < p)));
        let costs = Array2::from_shape_fn((N_PROMPTS, 3), |(i, m)| {
            PRICES_USD[m] * (0.5 + difficulty[i])
        });
        Self {
            scores,
            costs,
            predicted,
            difficulty,
        }
    }

    fn predicted(&self) -> Predicted<'_> {
        Predicted::new(self.predicted.view(), self.costs.view()).expect("predictions")
    }

    fn complete(&self) -> Truth<'_> {
        Truth::new(self.scores.view(), self.costs.view()).expect("a truth")
    }

    /// The scores that are known where each is with this probability.
    fn masked(&self, seed: u64, rate: impl Fn(usize, usize) -> f64) -> Array2<f32> {
        // Not the seed of the world, whose difficulties would decide what is known.
        let mut rng = ChaCha8Rng::seed_from_u64(1_000 + seed);
        Array2::from_shape_fn(self.scores.dim(), |(i, m)| {
            match rng.random::<f64>() < rate(i, m) {
                true => self.scores[[i, m]],
                false => UNKNOWN,
            }
        })
    }
}

/// The mean over seeds of what was measured, less what it should be, is within four of its standard errors of 0.
fn check(what: &str, found: &[f64], expected: f64) {
    let n = found.len() as f64;
    let mean = found.iter().sum::<f64>() / n;
    let variance = found.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let error = (variance / n).sqrt();
    assert!(
        (mean - expected).abs() < 4.0 * error,
        "{what}: {mean} +- {error}, not {expected}"
    );
    assert!(
        error < 0.05 * expected.abs().max(0.1),
        "{what}: {error} tells nothing"
    );
}

fn gain(truth: &Truth<'_>, world: &World) -> f64 {
    let cross_fit = CrossFit {
        predicted: world.predicted(),
        baseline: Baseline::Means {
            scores: &[0.62, 0.79, 0.9],
            costs_usd: &PRICES_USD,
        },
    };
    let gains = prompt_gains(truth, &[cross_fit], &[0.02, 0.2, f64::INFINITY]);
    gains.expect("judged").mean()
}

/// Whatever a policy is measured by, from one truth.
fn measures(truth: &Truth<'_>, world: &World) -> Vec<(&'static str, f64)> {
    let predicted = world.predicted();
    let point = point_at(truth, predicted, LAMBDA, 100.0).expect("a point");
    let of_random = random(truth).expect("known");
    let dearest = single_models(truth)[2].expect("known");
    let probability: Vec<f32> = world.difficulty.iter().map(|&d| 1.0 - d as f32).collect();
    let pair = PairIdx { small: 0, large: 2 };
    let curve = pair_curve(truth, pair, &probability).expect("a curve");
    let middle = curve
        .points
        .iter()
        .find(|point| point.setting < 0.5)
        .expect("a point");
    let pair_fit = PairFit {
        pair,
        small_win_probability: &probability,
        baseline: Baseline::Means {
            scores: &[0.62, 0.79, 0.9],
            costs_usd: &PRICES_USD,
        },
    };
    let of_pair = pair_gains(truth, &[pair_fit], &[0.02], None, 3).expect("judged");
    vec![
        ("router's score", point.accuracy),
        ("router's cost", point.cost_usd),
        ("random's score", of_random.accuracy),
        ("random's cost", of_random.cost_usd),
        ("an LLM's score", dearest.accuracy),
        ("an LLM's cost", dearest.cost_usd),
        ("pair's score", middle.accuracy),
        ("pair's cost", middle.cost_usd),
        ("gain", gain(truth, world)),
        ("pair's gain", of_pair.mean()),
    ]
}

#[test]
fn holes_at_random_bias_nothing() {
    let world = World::new();
    let complete = world.complete();
    let mut found = vec![Vec::new(); 10];
    for seed in 0..N_SEEDS {
        let scores = world.masked(seed, |_, m| RATES[m]);
        let truth = Truth::new(scores.view(), world.costs.view()).expect("a truth");
        assert_eq!(truth.propensities().source(), PropensitySource::AtRandom);
        for (all, (_, value)) in found.iter_mut().zip(measures(&truth, &world)) {
            all.push(value);
        }
    }
    for (found, (what, expected)) in found.iter().zip(measures(&complete, &world)) {
        check(what, found, expected);
    }
}

#[test]
fn recorded_propensities_make_up_for_a_policy_that_looks_at_the_prompt() {
    // Hard prompts are sent to the dear LLM, easy ones to the cheap one; each row has one answer.
    let world = World::new();
    let policy = |i: usize| {
        let hard = world.difficulty[i];
        [0.75 - 0.6 * hard, 0.15, 0.1 + 0.6 * hard]
    };
    let complete = world.complete();
    let (mut found, mut blind) = (vec![Vec::new(); 10], Vec::new());
    for seed in 0..N_SEEDS {
        // Not the seed of the world, whose difficulties would decide what is known.
        let mut rng = ChaCha8Rng::seed_from_u64(1_000 + seed);
        let asked: Vec<usize> = (0..N_PROMPTS)
            .map(|i| {
                let u: f64 = rng.random();
                let [first, second, _] = policy(i);
                usize::from(u >= first) + usize::from(u >= first + second)
            })
            .collect();
        let scores = Array2::from_shape_fn(world.scores.dim(), |(i, m)| {
            if asked[i] == m {
                world.scores[[i, m]]
            } else {
                UNKNOWN
            }
        });
        let propensities = Array2::from_shape_fn(world.scores.dim(), |(i, m)| policy(i)[m]);
        let recorded = Propensities::recorded(propensities).expect("probabilities");
        let truth = Truth::with_propensities(scores.view(), world.costs.view(), recorded);
        for (all, (_, value)) in found
            .iter_mut()
            .zip(measures(&truth.expect("a truth"), &world))
        {
            all.push(value);
        }
        let at_random = Truth::new(scores.view(), world.costs.view()).expect("a truth");
        blind.push(single_models(&at_random)[2].expect("known").accuracy);
    }
    let expected = measures(&complete, &world);
    for (found, (what, expected)) in found.iter().zip(&expected) {
        check(what, found, *expected);
    }
    // Taken for random, the dear LLM looks worse than it is: it was asked what is hard.
    let mean = blind.iter().sum::<f64>() / blind.len() as f64;
    assert!(mean < expected[4].1 - 0.03, "{mean}");
}

#[test]
fn a_router_chooses_among_all_llms_that_it_predicts_for() {
    // Prompts 0 and 1 go to LLM 1, of which only prompt 0's score is known; prompt 2 to LLM 0. LLM 0 is known on 2 of 3 prompts, LLM 1 on 2.
    let scores = array![[0.0, 1.0], [0.0, UNKNOWN], [UNKNOWN, 1.0]];
    let costs = array![[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]];
    let predicted_scores = array![[0.25, 0.75], [0.25, 0.75], [0.75, 0.25]];
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let predicted = Predicted::new(predicted_scores.view(), costs.view()).expect("predictions");
    assert_eq!(truth.known_share(), 4.0 / 6.0);
    assert_eq!(
        shares_at(&truth, predicted, 0.0, 1.0),
        Ok(vec![1.0 / 3.0, 2.0 / 3.0])
    );
    let point = point_at(&truth, predicted, 0.0, 1.0).expect("a point");
    assert_eq!((point.accuracy, point.cost_usd), (1.0, 2.0));
    // The lines of prompts 0 and 1 cross at mu = .5: from there on LLM 0 answers all.
    let found = share_curve(&truth, predicted).expect("a curve");
    assert_eq!(
        found.curve,
        exact_curve(&truth, predicted).expect("a curve")
    );
    let points = &found.curve.points;
    assert_eq!((points.len(), found.curve.n_prompts), (2, 3));
    assert_eq!((points[1].accuracy, points[1].cost_usd), (0.0, 1.0));
    assert_eq!(found.shares_at(1), Ok(vec![1.0, 0.0]));
    // The oracle can only choose among what is known.
    assert_eq!(oracle(&truth).expect("known").accuracy, 2.0 / 3.0);
    assert_eq!(best_single(&truth).expect("known").0, 1);
}

#[test]
fn a_setting_of_which_nothing_is_known_says_so() {
    // At lambda 0 both prompts go to LLM 1, which was never asked.
    let scores = array![[1.0, UNKNOWN], [0.0, UNKNOWN]];
    let costs = array![[1.0, 2.0], [1.0, 2.0]];
    let predicted_scores = array![[0.25, 0.75], [0.25, 0.75]];
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let predicted = Predicted::new(predicted_scores.view(), costs.view()).expect("predictions");
    let nothing = Err(Error::NothingToChoose { n_prompts: 2 });
    assert_eq!(point_at(&truth, predicted, 0.0, 1.0).map(|_| ()), nothing);
    let curve = exact_curve(&truth, predicted).expect("a curve");
    assert_eq!(curve.points.len(), 2);
    assert!(!curve.points[0].is_known());
    assert_eq!(
        (curve.points[1].accuracy, curve.points[1].cost_usd),
        (0.5, 1.0)
    );
    assert_eq!(curve.to_points().len(), 1);
    let found = share_curve(&truth, predicted).expect("a curve");
    assert_eq!(found.shares_at(0), Ok(vec![0.0, 1.0]));
    let grid = Grid {
        n_steps: 4,
        cost_multiplier: 1.0,
    };
    let on_grid = grid_curve(&truth, predicted, grid).expect("a curve");
    let known: Vec<bool> = on_grid
        .points
        .iter()
        .map(|point| point.is_known())
        .collect();
    assert_eq!(known, [false, false, true, true, true]);
    let pair = PairIdx { small: 0, large: 1 };
    assert_eq!(pair_curve(&truth, pair, &[0.5, 0.5]).map(|_| ()), nothing);

    // A router that asks nobody else has no curve at all.
    let only = array![[f32::NAN, 0.75], [f32::NAN, 0.75]];
    let predicted = Predicted::new(only.view(), costs.view()).expect("predictions");
    assert_eq!(exact_curve(&truth, predicted).map(|_| ()), nothing);
    assert_eq!(share_curve(&truth, predicted).map(|_| ()), nothing);
    assert_eq!(grid_curve(&truth, predicted, grid).map(|_| ()), nothing);
    let router = Router::PerModel {
        predicted,
        pair: None,
    };
    let params = CalibrationParams {
        goal: Goal::Accuracy { at_least: 0.5 },
        n_new_prompts: 10,
        level: 0.95,
        n_resamples: 10,
        seed: 1,
    };
    assert_eq!(calibrate(&truth, router, &params).map(|_| ()), nothing);
    let measured = bootstrap(&truth, &[router], &Resamples::drawn(3, 1).expect("some"));
    let measured = measured.expect("a single LLM is known");
    assert!(measured.estimates(0)[Metric::Aiq].is_nan());
}

#[test]
fn budgets_and_calibrations_stand_where_the_complete_table_puts_them() {
    let world = World::new();
    let complete = world.complete();
    let scores = world.masked(5, |_, m| RATES[m]);
    let truth = Truth::new(scores.view(), world.costs.view()).expect("a truth");
    let budget = 0.003;
    let choice = choose_lambda(&truth, world.predicted(), budget, Lambdas::Exact)
        .expect("a curve")
        .expect("within the budget");
    let routed = choice.apply(&complete, world.predicted()).expect("routed");
    // 3,000 prompts of which a third or so are known: a cost is off by a few percent.
    assert!(
        (routed.point.cost_usd / budget - 1.0).abs() < 0.1,
        "{routed:?}"
    );
    let router = Router::PerModel {
        predicted: world.predicted(),
        pair: None,
    };
    let params = CalibrationParams {
        goal: Goal::RelativeCost {
            model_idx: 2,
            at_most: 0.3,
        },
        n_new_prompts: N_PROMPTS,
        level: 0.95,
        n_resamples: 60,
        seed: 1,
    };
    let found = calibrate(&truth, router, &params).expect("calibrated");
    let real = standing_at(&complete, router, found.setting).expect("a standing");
    let dearest = single_models(&complete)[2].expect("known");
    assert!(
        (real.point.cost_usd / dearest.cost_usd / 0.3 - 1.0).abs() < 0.1,
        "{real:?}"
    );
    assert!(
        found.accuracy.low <= real.point.accuracy && real.point.accuracy <= found.accuracy.high
    );
    assert_eq!(found.in_sample.n_prompts, truth.n_scored_prompts());
}

#[test]
fn intervals_are_as_wide_as_the_holes_make_them() {
    // The gain over 40 masks of one table spreads as its standard error says, which also holds what the prompts add; and a trade is judged too.
    let world = World::new();
    let settings = GainSettings {
        level: 0.95,
        n_resamples: 50,
        seed: 1,
    };
    let report = |truth: &Truth<'_>| {
        let cross_fit = CrossFit {
            predicted: world.predicted(),
            baseline: Baseline::Means {
                scores: &[0.62, 0.79, 0.9],
                costs_usd: &PRICES_USD,
            },
        };
        let gains = prompt_gains(truth, &[cross_fit], &[0.05, 0.5]).expect("judged");
        let trade = trade(&gains, None, &settings).expect("a trade");
        (
            GainReport::new(&gains, None, &settings)
                .expect("a report")
                .mean,
            trade,
        )
    };
    let (complete, in_money) = report(&world.complete());
    let (mut n_within, mut found, mut errors, mut savings) = (0, Vec::new(), 0.0, Vec::new());
    for seed in 0..N_SEEDS {
        let scores = world.masked(seed, |_, m| RATES[m]);
        let truth = Truth::new(scores.view(), world.costs.view()).expect("a truth");
        let (mean, trade) = report(&truth);
        let difference = mean.value - complete.value;
        n_within += usize::from(difference.abs() < 2.0 * mean.standard_error);
        errors += mean.standard_error.powi(2) / N_SEEDS as f64;
        found.push(mean.value);
        savings.push(trade.equal_quality.cost_usd / trade.equal_quality.reference_cost_usd);
    }
    assert!(n_within as f64 >= 0.9 * N_SEEDS as f64, "{n_within}");
    let n = found.len() as f64;
    let center = found.iter().sum::<f64>() / n;
    let spread = found.iter().map(|x| (x - center).powi(2)).sum::<f64>() / (n - 1.0);
    // What the error says of masks alone is what it has more than the complete table's.
    let of_masks = errors - complete.standard_error.powi(2);
    // A variance from 40 masks is known up to a quarter, one sigma.
    assert!((spread / of_masks).ln().abs() < 0.8, "{spread} {of_masks}");
    let equal = &in_money.equal_quality;
    let ratio = equal.cost_usd / equal.reference_cost_usd;
    let off = savings.iter().sum::<f64>() / n - ratio;
    assert!(off.abs() < 0.15, "{off}");
}
