//! Calibration to a goal: choices by hand, and the bar that its intervals have to meet.

mod tables;

use dataset::PairIdx;
use evaluation::{
    Error, Interval, Router,
    choice::{Calibration, CalibrationParams, Goal, Setting, Standing, calibrate, standing_at},
};
use ndarray::{Array2, Axis, array};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::tables::{Kind, Table, random_table};

fn params(goal: Goal) -> CalibrationParams {
    CalibrationParams {
        goal,
        confidence: None,
        n_new_prompts: 10,
        level: 0.95,
        n_resamples: 50,
        seed: 42,
    }
}

fn per_model(table: &Table) -> Router<'_> {
    Router::PerModel {
        predicted: table.predicted(),
        pair: None,
    }
}

/// The curve is (4, 1) from lambda 0, (2.5, 1) from 1/13, (.75, .5) from 1/8 and (.5, 0) from 1/3; the shares of the LLMs on it are
/// (1, 0, 0), (.5, .5, 0), (0, .5, .5), (0, 0, 1).
fn by_hand() -> Table {
    let cost_usd = array![[4.0, 1.0, 0.5], [4.0, 1.0, 0.5]];
    Table {
        scores: array![[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]],
        predicted_scores: array![[0.75, 0.5, 0.25], [0.75, 0.25, 0.25]],
        predicted_cost_usd: cost_usd.clone(),
        cost_usd,
    }
}

fn share(model_idx: usize, share: f64) -> Goal {
    Goal::Share { model_idx, share }
}

#[test]
fn choices_by_hand() {
    let table = by_hand();
    let check = |goal, expected: (f64, f64)| {
        let found = calibrate(&table.truth(), per_model(&table), &params(goal));
        let found = found.unwrap_or_else(|error| panic!("{goal:?}: {error}"));
        let point = found.in_sample.point;
        assert_eq!((point.cost_usd, point.accuracy), expected, "{goal:?}");
        let again = standing_at(&table.truth(), per_model(&table), found.setting);
        assert_eq!(again.as_ref(), Ok(&found.in_sample), "{goal:?}");
        for multiplier in [1e-3, 100.0, 1e6] {
            let scaled = found.setting.with_multiplier(multiplier);
            let scaled = scaled.expect("a good multiplier");
            let again = standing_at(&table.truth(), per_model(&table), scaled);
            assert_eq!(again.as_ref(), Ok(&found.in_sample), "{goal:?} {scaled:?}");
        }
    };
    let cost = |at_most_usd| Goal::Cost { at_most_usd };
    check(cost(9.0), (2.5, 1.0));
    check(cost(2.5), (2.5, 1.0));
    check(cost(2.0), (0.75, 0.5));
    check(cost(0.5), (0.5, 0.0));
    // LLM 0 alone costs 4.
    let relative = |at_most| Goal::RelativeCost {
        model_idx: 0,
        at_most,
    };
    check(relative(1.0), (2.5, 1.0));
    check(relative(0.2), (0.75, 0.5));
    check(relative(0.125), (0.5, 0.0));
    let accuracy = |at_least| Goal::Accuracy { at_least };
    check(accuracy(1.0), (2.5, 1.0));
    check(accuracy(0.7), (2.5, 1.0));
    check(accuracy(0.5), (0.75, 0.5));
    check(accuracy(0.0), (0.5, 0.0));
    check(share(0, 1.0), (4.0, 1.0));
    check(share(0, 0.6), (2.5, 1.0));
    check(share(2, 0.5), (0.75, 0.5));
    check(share(2, 1.0), (0.5, 0.0));
    // Twice on the way from 0 over a half to 0: the more accurate.
    check(share(1, 0.5), (2.5, 1.0));
    check(share(1, 0.2), (4.0, 1.0));
}

#[test]
fn goals_out_of_reach_tell_the_nearest() {
    let table = by_hand();
    let check = |goal, what, least, most| {
        let found = calibrate(&table.truth(), per_model(&table), &params(goal));
        match found {
            Err(Error::OutOfReach {
                what: found_what,
                least: found_least,
                most: found_most,
                ..
            }) => assert_eq!(
                (found_what, found_least, found_most),
                (what, least, most),
                "{goal:?}"
            ),
            other => panic!("{goal:?}: {other:?}"),
        }
    };
    let cost = Goal::Cost { at_most_usd: 0.4 };
    check(cost, "mean cost", 0.5, 4.0);
    let relative = Goal::RelativeCost {
        model_idx: 0,
        at_most: 0.1,
    };
    check(relative, "relative cost", 0.125, 1.0);
    check(share(1, 0.75), "share", 0.0, 0.5);
    let worse = Table {
        scores: array![[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
        ..by_hand()
    };
    let accuracy = Goal::Accuracy { at_least: 0.75 };
    let found = calibrate(&worse.truth(), per_model(&worse), &params(accuracy));
    assert!(
        matches!(found, Err(Error::OutOfReach { most: 0.5, .. })),
        "{found:?}"
    );
}

#[test]
fn bad_parameters_are_refused() {
    let table = by_hand();
    let check = |params: CalibrationParams, is_expected: fn(&Error) -> bool| {
        let error = calibrate(&table.truth(), per_model(&table), &params);
        let error = error.expect_err("refused");
        assert!(is_expected(&error), "{error}");
    };
    let good = params(Goal::Accuracy { at_least: 0.5 });
    for at_least in [-0.1, 1.1, f64::NAN] {
        let goal = Goal::Accuracy { at_least };
        check(params(goal), |it| matches!(it, Error::BadGoal { .. }));
    }
    for at_most_usd in [-1.0, f64::NAN, f64::INFINITY] {
        let goal = Goal::Cost { at_most_usd };
        check(params(goal), |it| matches!(it, Error::BadGoal { .. }));
    }
    check(params(share(3, 0.5)), |it| {
        matches!(it, Error::NoSuchModel { .. })
    });
    let with = |change: fn(&mut CalibrationParams)| {
        let mut params = good;
        change(&mut params);
        params
    };
    check(with(|it| it.n_resamples = 0), |it| {
        matches!(it, Error::NoResamples)
    });
    check(with(|it| it.n_new_prompts = 0), |it| {
        matches!(it, Error::NoNewPrompts)
    });
    check(with(|it| it.level = 95.0), |it| {
        matches!(it, Error::BadLevel { .. })
    });
    let zero = calibrate(&table.truth(), Router::Zero, &good);
    assert_eq!(zero, Err(Error::NothingToSet));
    let threshold = standing_at(&table.truth(), per_model(&table), Setting::Threshold(0.5));
    assert_eq!(threshold, Err(Error::NothingToSet));
}

#[test]
fn the_ends_of_a_pair_are_one_llm_alone() {
    let table = Table {
        scores: array![[1.0, 1.0], [0.0, 1.0], [1.0, 0.0]],
        cost_usd: array![[1.0, 4.0], [1.0, 4.0], [1.0, 4.0]],
        predicted_scores: Array2::zeros((3, 2)),
        predicted_cost_usd: Array2::zeros((3, 2)),
    };
    let router = Router::Pair {
        pair: PairIdx { small: 0, large: 1 },
        small_win_probability: &[0.5, 0.25, 0.75],
    };
    let check = |goal, threshold, cost_usd| {
        let found = calibrate(&table.truth(), router, &params(goal)).expect("reached");
        assert_eq!(found.setting, Setting::Threshold(threshold), "{goal:?}");
        assert_eq!(found.in_sample.point.cost_usd, cost_usd, "{goal:?}");
        let again = standing_at(&table.truth(), router, found.setting);
        assert_eq!(again, Ok(found.in_sample), "{goal:?}");
    };
    check(share(1, 1.0), Setting::NEVER_SMALL, 4.0);
    check(share(1, 0.6), 0.625, 3.0);
    check(share(0, 1.0), Setting::ALWAYS_SMALL, 1.0);
    check(Goal::Accuracy { at_least: 1.0 }, 0.375, 2.0);
}

#[test]
fn choices_agree_with_the_rule_whatever_is_tied_or_unknown() {
    for (kind, seed) in [(Kind::Fine, 1), (Kind::Coarse, 2), (Kind::Holes, 3)] {
        for n_prompts in [1, 2, 40] {
            let table = random_table(kind, n_prompts, 4, seed);
            for goal in [
                Goal::Cost { at_most_usd: 0.01 },
                Goal::Accuracy { at_least: 0.6 },
                share(2, 0.3),
            ] {
                let found = calibrate(&table.truth(), per_model(&table), &params(goal));
                let found = match found {
                    Err(Error::OutOfReach { least, most, .. }) => {
                        assert!(least <= most, "{kind:?} {goal:?}");
                        continue;
                    }
                    found => found.expect("calibrated"),
                };
                let again = standing_at(&table.truth(), per_model(&table), found.setting);
                let again = again.expect("routed");
                let [a, b] = [&found.in_sample, &again].map(|it| it.point);
                assert!((a.cost_usd - b.cost_usd).abs() < 1e-15, "{kind:?} {goal:?}");
                assert!((a.accuracy - b.accuracy).abs() < 1e-12, "{kind:?} {goal:?}");
                assert_eq!(found.in_sample.shares, again.shares, "{kind:?} {goal:?}");
            }
        }
    }
}

/// Four LLMs, each twice as dear as the one before it, on prompts of any difficulty; costs vary by prompt as lengths of answers do, and the
/// router sees the difficulty through noise.
fn population(n_prompts: usize, seed: u64) -> Table {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let shape = (n_prompts, 4);
    let [mut scores, mut predicted_scores] = [Array2::<f32>::zeros(shape), Array2::zeros(shape)];
    let [mut cost_usd, mut predicted_cost_usd] =
        [Array2::<f64>::zeros(shape), Array2::zeros(shape)];
    for prompt in 0..n_prompts {
        let difficulty: f64 = rng.random_range(0.0..1.0);
        let seen = difficulty + rng.random_range(-0.25..0.25);
        // The sum of four uniform numbers is nearly normal: lengths are log-normal, of deviation .9.
        let normal = (0..4).map(|_| rng.random_range(-1.0..1.0)).sum::<f64>();
        let length = (0.8 * normal).exp();
        for model in 0..4 {
            let ability = 0.35 + 0.2 * model as f64;
            let chance = |difficulty: f64| (0.5 + 1.2 * (ability - difficulty)).clamp(0.02, 0.98);
            scores[[prompt, model]] = f32::from(u8::from(rng.random_bool(chance(difficulty))));
            predicted_scores[[prompt, model]] = chance(seen) as f32;
            let usd = 1e-4 * f64::from(1 << model) * length;
            cost_usd[[prompt, model]] = usd * rng.random_range(0.5..1.5);
            predicted_cost_usd[[prompt, model]] = usd;
        }
    }
    Table {
        scores,
        cost_usd,
        predicted_scores,
        predicted_cost_usd,
    }
}

/// How often what new prompts came to lay within the interval.
#[derive(Default)]
struct Coverage {
    cost: usize,
    accuracy: usize,
    shares: [usize; 4],
    /// Of costs: the sum of the intervals' lengths, and that of the squared distances of what came from the means that chose.
    length: f64,
    squares: f64,
    /// The sum of the distances of mean scores from what was expected.
    bias: f64,
}

impl Coverage {
    fn add(&mut self, found: &Calibration, new: &Standing) {
        let holds = |interval: &Interval, value: f64| {
            usize::from(interval.low <= value && value <= interval.high)
        };
        self.cost += holds(&found.cost_usd, new.point.cost_usd);
        self.accuracy += holds(&found.accuracy, new.point.accuracy);
        for (n, (interval, &share)) in self
            .shares
            .iter_mut()
            .zip(found.shares.iter().zip(&new.shares))
        {
            *n += holds(interval, share);
        }
        self.length += found.cost_usd.high - found.cost_usd.low;
        self.squares += (new.point.cost_usd - found.in_sample.point.cost_usd).powi(2);
        self.bias += new.point.accuracy - found.accuracy.estimate;
    }
}

const N_REPETITIONS: u64 = 100;

/// Calibrates on 250 prompts and looks at 250 new ones, 100 times.
fn coverage(goal: Goal, of_pair: bool) -> Coverage {
    let mut coverage = Coverage::default();
    for seed in 0..N_REPETITIONS {
        let all = population(500, 1_000 + seed);
        let rows: Vec<usize> = (0..500).collect();
        let (given, new) = (all.only(&rows[..250]), all.only(&rows[250..]));
        let probability = |table: &Table| -> Vec<f32> {
            let rows = table.predicted_scores.axis_iter(Axis(0));
            rows.map(|row| 0.5 + (row[1] - row[3]) / 2.0).collect()
        };
        let (of_given, of_new) = (probability(&given), probability(&new));
        let pair = PairIdx { small: 1, large: 3 };
        let router = |table| match of_pair {
            false => per_model(table),
            true => Router::Pair {
                pair,
                small_win_probability: match std::ptr::eq(table, &given) {
                    true => &of_given,
                    false => &of_new,
                },
            },
        };
        let params = CalibrationParams {
            goal,
            confidence: None,
            n_new_prompts: 250,
            level: 0.95,
            n_resamples: 200,
            seed,
        };
        let found = calibrate(&given.truth(), router(&given), &params).expect("within reach");
        let standing = standing_at(&new.truth(), router(&new), found.setting).expect("routed");
        coverage.add(&found, &standing);
    }
    coverage
}

/// The bar: at least 90 of 100 repetitions within the 95% interval, for the mean cost, the mean score, and every LLM's share.
fn check_coverage(goal: Goal, of_pair: bool) -> Coverage {
    let found = coverage(goal, of_pair);
    for (what, n) in [("cost", found.cost), ("accuracy", found.accuracy)] {
        assert!(n >= 90, "{goal:?}: {what} in {n} of 100");
    }
    for n in found.shares {
        assert!(n >= 90, "{goal:?}: share in {n} of 100");
    }
    // Over 100 repetitions of deviation .03 or so each, .01 is three standard errors.
    let bias = found.bias / N_REPETITIONS as f64;
    assert!(bias.abs() < 0.012, "{goal:?}: accuracy is {bias} off");
    found
}

#[test]
fn new_prompts_cost_what_was_predicted_for_a_budget() {
    let found = check_coverage(Goal::Cost { at_most_usd: 5e-4 }, false);
    // No longer than chance asks for: 1.96 deviations of what came to either side. Of 100 repetitions, a deviation is known to 7%.
    let length = found.length / N_REPETITIONS as f64;
    let asked = 2.0 * 1.96 * (found.squares / N_REPETITIONS as f64).sqrt();
    assert!(
        (0.8..1.25).contains(&(length / asked)),
        "{length} against {asked}"
    );
}

#[test]
fn new_prompts_cost_what_was_predicted_for_an_accuracy() {
    check_coverage(Goal::Accuracy { at_least: 0.65 }, false);
}

#[test]
fn new_prompts_cost_what_was_predicted_for_a_share() {
    check_coverage(share(3, 0.3), false);
}

#[test]
fn new_prompts_cost_what_was_predicted_for_a_part_of_an_llms_cost() {
    let goal = Goal::RelativeCost {
        model_idx: 3,
        at_most: 0.5,
    };
    check_coverage(goal, false);
}

#[test]
fn new_prompts_cost_what_was_predicted_for_a_pair() {
    check_coverage(share(3, 0.4), true);
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    let table = population(100, 7);
    let goal = Goal::Cost { at_most_usd: 5e-4 };
    let run = |seed| {
        let params = CalibrationParams {
            seed,
            ..params(goal)
        };
        calibrate(&table.truth(), per_model(&table), &params).expect("calibrated")
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).cost_usd, run(2).cost_usd);
    assert_eq!(run(1).setting, run(2).setting, "nothing random chooses");
}
