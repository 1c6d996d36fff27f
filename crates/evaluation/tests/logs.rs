//! Gains from logs with one answer per prompt, against those of the complete tables that the logs were drawn from.

use evaluation::{
    Predicted, Propensities, PropensitySource, Truth,
    worth::{
        Baseline, CrossFit, Estimator, GainReport, GainSettings, Refusal, Verdict,
        doubly_robust_gains, prompt_gains,
    },
};
use ndarray::{Array2, array};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const N_PROMPTS: usize = 1_500;
const N_MODELS: usize = 3;
const WORTHS: [f64; 3] = [0.01, 0.1, 1.0];
const MEAN_COSTS: [f64; N_MODELS] = [1e-3, 2e-3, 4e-3];
const SETTINGS: GainSettings = GainSettings {
    level: 0.95,
    n_resamples: 100,
    seed: 42,
};

/// A complete table, what a router predicts of it, and with which probability a policy asks each LLM.
struct World {
    scores: Array2<f32>,
    costs: Array2<f64>,
    predicted: Array2<f32>,
    predicted_costs: Array2<f64>,
    policy: Array2<f64>,
}

/// How good an LLM is on a prompt: at its own third of the prompts better than at others, and better at easy prompts, every other three.
fn expected(i: usize, m: usize) -> f64 {
    0.4 + 0.02 * m as f64 + skill(i, m) + if is_easy(i) { 0.2 } else { 0.0 }
}

fn skill(i: usize, m: usize) -> f64 {
    if i % N_MODELS == m { 0.3 } else { 0.0 }
}

fn is_easy(i: usize) -> bool {
    (i / N_MODELS).is_multiple_of(2)
}

/// A policy of some skew asks an LLM more often where it is good, and asks the last LLM for easy prompts.
fn world(skew: f64, seed: u64) -> World {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let shape = (N_PROMPTS, N_MODELS);
    let scores = Array2::from_shape_fn(shape, |(i, m)| {
        f32::from(u8::from(rng.random_bool(expected(i, m))))
    });
    let costs = Array2::from_shape_fn(shape, |(_, m)| MEAN_COSTS[m] * rng.random_range(0.5..1.5));
    // It knows half of the skill, and errs.
    let predicted = Array2::from_shape_fn(shape, |(i, m)| {
        (0.5 + 0.02 * m as f64 + 0.5 * skill(i, m) + rng.random_range(-0.1..0.1)) as f32
    });
    let odds = |i: usize, m: usize| {
        let is_last = if m == N_MODELS - 1 { 1.0 } else { -1.0 };
        let easy = if is_easy(i) { is_last } else { -is_last };
        (skew * (skill(i, m) + 0.8 * easy)).exp()
    };
    let total = |i: usize| (0..N_MODELS).map(|m| odds(i, m)).sum::<f64>();
    World {
        scores,
        costs,
        predicted,
        predicted_costs: Array2::from_shape_fn(shape, |(_, m)| MEAN_COSTS[m]),
        policy: Array2::from_shape_fn(shape, |(i, m)| odds(i, m) / total(i)),
    }
}

impl World {
    /// What a log has: the answer of one LLM per prompt, drawn by the policy.
    fn log(&self, seed: u64) -> (Array2<f32>, Array2<f64>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut scores = Array2::from_elem(self.scores.dim(), f32::NAN);
        let mut costs = Array2::from_elem(self.scores.dim(), f64::NAN);
        for (i, policy) in self.policy.outer_iter().enumerate() {
            let mut left: f64 = rng.random();
            let drawn = policy.iter().position(|p| {
                left -= p;
                left < 0.0
            });
            let at = [i, drawn.unwrap_or(N_MODELS - 1)];
            (scores[at], costs[at]) = (self.scores[at], self.costs[at]);
        }
        (scores, costs)
    }

    fn fit<'a>(&'a self, predicted: &'a Array2<f32>) -> CrossFit<'a> {
        CrossFit {
            predicted: Predicted::new(predicted.view(), self.predicted_costs.view())
                .expect("of one shape"),
            baseline: Baseline::Means {
                scores: &[0.55, 0.57, 0.59],
                costs_usd: &MEAN_COSTS,
            },
        }
    }

    fn complete(&self) -> GainReport {
        let truth = Truth::new(self.scores.view(), self.costs.view()).expect("a truth");
        report(&truth, self.fit(&self.predicted))
    }
}

fn report(truth: &Truth<'_>, fit: CrossFit<'_>) -> GainReport {
    let gains = doubly_robust_gains(truth, &[fit], &WORTHS).expect("judged");
    GainReport::new(&gains, None, &SETTINGS).expect("summed up")
}

#[test]
fn a_log_by_a_known_policy_gives_the_gain_of_the_complete_table() {
    const N_LOGS: u64 = 100;
    for skew in [0.0, 1.5] {
        let world = world(skew, 1);
        let complete = world.complete().mean.value;
        assert!(complete > 0.05, "there is something to gain: {complete}");
        let (mut n_near, mut sum, mut squares) = (0, 0.0, 0.0);
        let mut plain = 0.0;
        for seed in 0..N_LOGS {
            let (scores, costs) = world.log(seed);
            let recorded = Propensities::recorded(world.policy.clone()).expect("in (0, 1]");
            let truth = Truth::with_propensities(scores.view(), costs.view(), recorded);
            let found = report(&truth.expect("a truth"), world.fit(&world.predicted));
            assert_eq!(found.support.estimator, Estimator::DoublyRobust);
            assert_eq!(found.support.refusal(), None);
            let off = found.mean.value - complete;
            n_near += u32::from(off.abs() <= 2.0 * found.mean.standard_error);
            sum += off;
            squares += off * off;
            let at_random = Truth::new(scores.view(), costs.view()).expect("a truth");
            let known_alone = prompt_gains(&at_random, &[world.fit(&world.predicted)], &WORTHS);
            plain += known_alone.expect("judged").mean() - complete;
        }
        let n = N_LOGS as f64;
        let error = (squares / n).sqrt() / n.sqrt();
        assert!(n_near >= 90, "{skew}: near in {n_near} of {N_LOGS}");
        assert!(
            (sum / n).abs() < 3.0 * error,
            "{skew}: off by {} ({error})",
            sum / n
        );
        // What a skewed policy does to those who take scores for missing at random.
        if skew > 0.0 {
            assert!((plain / n).abs() > 4.0 * error, "{} ({error})", plain / n);
        }
    }
}

#[test]
fn either_predictions_or_propensities_may_be_wrong() {
    let world = world(1.5, 2);
    let complete = world.complete().mean.value;
    let expected = Array2::from_shape_fn(world.scores.dim(), |(i, m)| expected(i, m) as f32);
    let uniform = Array2::from_elem(world.scores.dim(), 1.0 / N_MODELS as f64);
    // Choices are the same in all cases, or gains could not be compared: predictions differ from the router's by what does not change its choices.
    let mean_error = |policy: &Array2<f64>, predicted: &Array2<f32>, complete: f64| {
        let mut sum = 0.0;
        for seed in 0..60 {
            let (scores, costs) = world.log(seed);
            let recorded = Propensities::recorded(policy.clone()).expect("in (0, 1]");
            let truth = Truth::with_propensities(scores.view(), costs.view(), recorded);
            let found = report(&truth.expect("a truth"), world.fit(predicted));
            sum += found.mean.value - complete;
        }
        sum / 60.0
    };
    // Right propensities: predictions that take hard prompts for easier than easy ones do no harm.
    let mut wrong = world.predicted.clone();
    for (i, mut scores) in wrong.outer_iter_mut().enumerate() {
        scores += if is_easy(i) { 0.0 } else { 0.4 };
    }
    assert!(mean_error(&world.policy, &wrong, complete).abs() < 0.006);
    // Right predictions: wrong propensities do no harm.
    let truth = Truth::new(world.scores.view(), world.costs.view()).expect("a truth");
    let of_expected = report(&truth, world.fit(&expected)).mean.value;
    assert!(mean_error(&uniform, &expected, of_expected).abs() < 0.006);
    // Both wrong do.
    assert!(mean_error(&uniform, &wrong, complete).abs() > 0.007);
}

/// A router may hold an LLM back, in all folds or in some, that is the best constant nevertheless.
#[test]
fn a_constant_that_the_router_predicts_nothing_of_is_judged_by_what_is_known() {
    let world = world(0.0, 5);
    let everywhere: fn(usize) -> bool = |_| true;
    for is_held_back in [everywhere, |i| i.is_multiple_of(2)] {
        let mut predicted = world.predicted.clone();
        for (i, mut scores) in predicted.outer_iter_mut().enumerate() {
            if is_held_back(i) {
                scores[N_MODELS - 1] = f32::NAN;
            }
        }
        let truth = Truth::new(world.scores.view(), world.costs.view()).expect("a truth");
        let complete = report(&truth, world.fit(&predicted));
        let at_most = complete.curve.last().expect("worths");
        assert_eq!(at_most.best_constant, Some(N_MODELS - 1));
        let mut sum = 0.0;
        for seed in 0..60 {
            let (scores, costs) = world.log(seed);
            let recorded = Propensities::recorded(world.policy.clone()).expect("in (0, 1]");
            let truth = Truth::with_propensities(scores.view(), costs.view(), recorded);
            let found = report(&truth.expect("a truth"), world.fit(&predicted));
            sum += found.mean.value - complete.mean.value;
        }
        assert!((sum / 60.0).abs() < 0.006, "off by {}", sum / 60.0);
    }
}

#[test]
fn with_nothing_missing_nothing_changes() {
    let world = world(0.0, 3);
    let truth = Truth::new(world.scores.view(), world.costs.view()).expect("a truth");
    let fit = world.fit(&world.predicted);
    let plain = prompt_gains(&truth, &[fit], &WORTHS).expect("judged");
    let found = doubly_robust_gains(&truth, &[fit], &WORTHS).expect("judged");
    assert_eq!(found, plain);
    let support = found.support();
    assert_eq!(support.estimator, Estimator::Mean);
    assert_eq!(support.effective_prompts, N_PROMPTS as f64);
    assert_eq!((support.low_share, support.refusal()), (0.0, None));
}

#[test]
fn effective_prompts_and_low_shares_by_hand() {
    // The router sends all prompts to LLM 0, which was asked for rows 0 (p .5), 1 (p .25) and 2 (p .005).
    let unknown = f32::NAN;
    let scores = array![
        [1.0, unknown],
        [0.0, unknown],
        [1.0, unknown],
        [unknown, 1.0]
    ];
    let costs = Array2::ones((4, 2));
    let policy = array![[0.5, 0.5], [0.25, 0.75], [0.005, 0.995], [0.002, 0.998]];
    let predicted = array![[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]];
    let fit = CrossFit {
        predicted: Predicted::new(predicted.view(), costs.view()).expect("of one shape"),
        baseline: Baseline::Means {
            scores: &[0.1, 0.9],
            costs_usd: &[1.0, 1.0],
        },
    };
    let recorded = Propensities::recorded(policy).expect("in (0, 1]");
    let truth = Truth::with_propensities(scores.view(), costs.view(), recorded).expect("a truth");
    let gains = doubly_robust_gains(&truth, &[fit, fit], &[1.0, 2.0, 3.0]).expect("judged");
    let support = gains.support();
    assert_eq!(support.source, PropensitySource::Recorded);
    assert_eq!(support.n_prompts, 4);
    let effective = (2.0_f64 + 4.0 + 200.0).powi(2) / (4.0 + 16.0 + 40_000.0);
    assert!((support.effective_prompts - effective).abs() < 1e-12);
    assert_eq!((support.low_share, support.constant_low_share), (0.5, 0.0));
    // One of four prompts has an LLM with more than .99 that is known; row 2's is not the one that was asked.
    assert_eq!(support.decided_share, 0.25);
    assert_eq!(
        support.refusal(),
        Some(Refusal::Unsupported { low_share: 0.5 })
    );
}

#[test]
fn a_log_in_which_the_prompt_decides_is_refused() {
    let world = world(0.0, 4);
    let (mut scores, mut costs) = (world.scores.clone(), world.costs.clone());
    for ((i, m), score) in scores.indexed_iter_mut() {
        if i % N_MODELS != m {
            (*score, costs[[i, m]]) = (f32::NAN, f64::NAN);
        }
    }
    // Recorded for the LLM that was asked, as logs do.
    let certain = scores.mapv(|score| if score.is_nan() { f64::NAN } else { 1.0 });
    let recorded = Propensities::recorded(certain).expect("in (0, 1]");
    let truth = Truth::with_propensities(scores.view(), costs.view(), recorded);
    let found = report(&truth.expect("a truth"), world.fit(&world.predicted));
    let decided = Refusal::Deterministic { decided_share: 1.0 };
    assert_eq!(found.support.refusal(), Some(decided));
    assert_eq!(found.verdict(None), Verdict::CannotTell);
    // Two thirds of the best constant's choices, LLM 2 everywhere where quality counts, were never made.
    assert!(
        found.support.constant_low_share > 0.5,
        "{:?}",
        found.support
    );
}

#[test]
fn choices_that_a_log_never_made_are_missed_by_their_weight() {
    // The policy never asks LLM 2 for a third of the prompts, where the router wants it; only the propensity of who was asked is recorded.
    let mut world = world(0.0, 5);
    for (i, mut policy) in world.policy.outer_iter_mut().enumerate() {
        if i % N_MODELS == 2 {
            policy.assign(&array![0.5, 0.5, 0.0]);
            world.predicted[[i, 2]] = 1.0;
        }
    }
    let (scores, costs) = world.log(6);
    let asked = Array2::from_shape_fn(scores.dim(), |at| match scores[at].is_nan() {
        true => f64::NAN,
        false => world.policy[at],
    });
    let recorded = Propensities::recorded(asked).expect("in (0, 1]");
    let truth = Truth::with_propensities(scores.view(), costs.view(), recorded);
    let found = report(&truth.expect("a truth"), world.fit(&world.predicted));
    assert!(
        matches!(found.support.refusal(), Some(Refusal::Unsupported { low_share }) if low_share > 0.2),
        "{:?}",
        found.support
    );
}

#[test]
fn a_few_prompts_that_stand_for_many_are_refused() {
    let world = world(0.0, 7);
    let rows = ndarray::s![..200, ..];
    let (scores, costs) = world.log(8);
    let truth = Truth::new(scores.slice(rows), costs.slice(rows)).expect("a truth");
    let (predicted, predicted_costs) = (
        world.predicted.slice(rows),
        world.predicted_costs.slice(rows),
    );
    let fit = CrossFit {
        predicted: Predicted::new(predicted, predicted_costs).expect("of one shape"),
        ..world.fit(&world.predicted)
    };
    let found = report(&truth, fit);
    // 200 prompts of which a third is known.
    assert!(
        (found.support.effective_prompts - 67.0).abs() < 15.0,
        "{:?}",
        found.support
    );
    assert!(matches!(
        found.support.refusal(),
        Some(Refusal::FewEffective { .. })
    ));
    assert_eq!(found.verdict(None), Verdict::CannotTell);
}
