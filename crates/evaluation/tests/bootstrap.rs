//! The bootstrap against the metrics of resampled tables, and what must hold of any bootstrap.

use dataset::PairIdx;
use evaluation::{
    Error, Interval, Propensities, Router, Truth,
    baseline::{best_single, single_models, zero_router},
    curve::{call_curve, exact_curve, small_preference},
    metric::{Baselines, CostRange, Metric, MetricValues, apgr, cpt},
    study::{Bootstrap, Resamples, bootstrap},
};
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use self::tables::{Kind, Table, random_table};

mod any_table;
mod tables;

/// Sums over the same terms, weighted here and repeated there, and a few divisions by differences of them.
const ROUNDING: f64 = 1e-9;
const PAIR: PairIdx = PairIdx { small: 0, large: 1 };

fn any_table() -> impl Strategy<Value = Table> {
    any_table::any_table(1..14, 2..6)
}

fn per_model(table: &Table) -> Router<'_> {
    Router::PerModel {
        predicted: table.predicted(),
        pair: Some(PAIR),
    }
}

fn drawn(n_resamples: usize) -> Resamples {
    Resamples::drawn(n_resamples, 42).expect("resamples")
}

fn run(table: &Table, routers: &[Router<'_>], resamples: &Resamples) -> Bootstrap {
    bootstrap(&table.truth(), routers, resamples).expect("a choice")
}

fn same(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || a == b || (a - b).abs() <= ROUNDING * a.abs().max(1.0)
}

/// The metrics of a table's only router, by the functions for a single curve.
fn measured(table: &Table, truth: &Truth<'_>) -> Option<MetricValues> {
    let predicted = table.predicted();
    let points = exact_curve(truth, predicted).ok()?.to_points();
    let preference = small_preference(&predicted, PAIR).expect("two LLMs");
    let calls = call_curve(truth, PAIR, &preference.to_vec()).ok();
    let zero_router = zero_router(truth);
    let all = points
        .iter()
        .copied()
        .chain(single_models(truth).into_iter().flatten());
    let against = Baselines {
        range: CostRange::over(all)?,
        best_single: best_single(truth).map(|(_, point)| point),
        zero_router,
    };
    Some(MetricValues::new(&points, calls.as_deref(), &against))
}

fn counts_of(rows: &[usize], n_prompts: usize) -> Array2<u32> {
    let mut counts = Array2::zeros((1, n_prompts));
    rows.iter().for_each(|&row| counts[[0, row]] += 1);
    counts
}

proptest! {
    #[test]
    fn weights_of_one_are_the_plain_curve(table in any_table()) {
        let resamples = Resamples::given(Array2::ones((1, table.scores.nrows()))).expect("one");
        let found = run(&table, &[per_model(&table)], &resamples);
        let expected = measured(&table, &table.truth()).expect("a choice");
        for metric in Metric::ALL {
            let once = found.resampled(0, metric).next().expect("one resample");
            let estimate = found.estimates(0)[metric];
            prop_assert!(once == estimate || once.is_nan() && estimate.is_nan(), "{metric:?}");
            prop_assert!(
                estimate == expected[metric] || estimate.is_nan() && expected[metric].is_nan(),
                "{metric:?}: {estimate}, expected {}", expected[metric]
            );
        }
    }

    #[test]
    fn a_resample_is_the_table_with_its_rows_repeated(
        table in any_table(),
        draws in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
    ) {
        let n_prompts = table.scores.nrows();
        let rows: Vec<usize> = draws.iter().map(|draw| draw.index(n_prompts)).collect();
        // A score stands for as many prompts as in the whole table.
        let of_all = table.truth();
        let repeated = table.only(&rows);
        let propensities = Array2::from_shape_fn(repeated.scores.dim(), |(i, m)| {
            let share = of_all.propensities().probability(rows[i], m);
            if share > 0.0 { share } else { f64::NAN }
        });
        let propensities = Propensities::recorded(propensities).expect("probabilities");
        let truth = Truth::with_propensities(repeated.scores.view(), repeated.cost_usd.view(), propensities);
        let Some(expected) = measured(&repeated, &truth.expect("a truth")) else {
            return Ok(());
        };
        let resamples = Resamples::given(counts_of(&rows, n_prompts)).expect("one");
        let found = run(&table, &[per_model(&table)], &resamples);
        for metric in Metric::ALL {
            let found = found.resampled(0, metric).next().expect("one resample");
            prop_assert!(same(found, expected[metric]), "{metric:?}: {found}, expected {}", expected[metric]);
        }
    }

    #[test]
    fn identical_routers_do_not_differ(table in any_table()) {
        let copy = table.clone();
        let found = run(&table, &[per_model(&table), Router::Zero, per_model(&copy)], &drawn(20));
        for metric in Metric::ALL {
            let difference = found.difference(2, 0, metric, 0.9).expect("a level");
            let all = found.interval(0, metric, 0.9).expect("a level").n_defined;
            prop_assert_eq!(difference.n_defined, all);
            for value in [difference.estimate, difference.low, difference.high] {
                prop_assert!(value == 0.0 || value.is_nan(), "{metric:?}: {difference:?}");
            }
            prop_assert!(all == 0 || difference.low == 0.0);
        }
    }

    #[test]
    fn intervals_are_in_order_and_wider_at_a_higher_level(table in any_table()) {
        let found = run(&table, &[per_model(&table), Router::Zero], &drawn(25));
        for metric in Metric::ALL {
            let at = |level| found.interval(0, metric, level).expect("a level");
            let (narrow, wide) = (at(0.5), at(0.95));
            prop_assert_eq!(narrow.n_defined, wide.n_defined);
            if wide.n_defined > 0 {
                prop_assert!(wide.low <= narrow.low && narrow.low <= narrow.high && narrow.high <= wide.high);
            }
        }
        // The zero router is measured against itself.
        let gain = found.interval(1, Metric::GainOverZeroRouter, 0.95).expect("a level");
        prop_assert_eq!((gain.estimate, gain.low, gain.high), (0.0, 0.0, 0.0));
    }

    #[test]
    fn more_of_the_gap_never_takes_fewer_calls(table in any_table(), parts in prop::collection::vec(0.0..=1.0_f64, 2..8)) {
        let preference = small_preference(&table.predicted(), PAIR).expect("two LLMs").to_vec();
        let Ok(calls) = call_curve(&table.truth(), PAIR, &preference) else {
            return Ok(());
        };
        let mut parts = parts;
        parts.sort_by(f64::total_cmp);
        let shares: Vec<Option<f64>> = parts.iter().map(|&part| cpt(&calls, part)).collect();
        if apgr(&calls).is_some() {
            prop_assert!(shares.iter().all(|share| share.is_some_and(|share| (0.0..=1.0).contains(&share))));
        }
        prop_assert!(shares.is_sorted());
    }
}

/// Prompts of which hard ones need a good LLM, and LLMs that get better and dearer; predictions are right up to some noise.
fn realistic(n_prompts: usize, n_models: usize, noise: f64, seed: u64) -> Table {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let rank = |m: usize| (m + 1) as f64 / n_models as f64;
    let shape = (n_prompts, n_models);
    let hardness: Vec<f64> = (0..n_prompts).map(|_| rng.random_range(0.0..0.9)).collect();
    let expected = Array2::from_shape_fn(shape, |(i, m)| 0.9 - hardness[i] * (1.0 - rank(m)));
    let price = Array2::from_shape_fn(shape, |(_, m)| 0.01 * rank(m).powi(3));
    Table {
        scores: expected.mapv(|p| f32::from(u8::from(rng.random_bool(p)))),
        cost_usd: price.mapv(|cost| cost * rng.random_range(0.5..1.5)),
        predicted_scores: expected.mapv(|p| (p + noise * rng.random_range(-1.0..1.0)) as f32),
        predicted_cost_usd: price,
    }
}

#[test]
fn the_interval_of_one_llm_is_that_of_a_share() {
    // One LLM's peak is its mean score: a share of n prompts with standard error sqrt(p (1 - p) / n), here about .0158.
    let table = realistic(1_000, 1, 0.1, 1);
    let router = Router::PerModel {
        predicted: table.predicted(),
        pair: None,
    };
    let found = run(&table, &[router], &drawn(1_000));
    let peak = found
        .interval(0, Metric::PeakAccuracy, 0.95)
        .expect("a level");
    let p = peak.estimate;
    assert_eq!(Some(p as f32), table.scores.mean());
    let half_width = 1.96 * (p * (1.0 - p) / 1_000.0).sqrt();
    // Percentiles of 1,000 resamples are themselves good to some 5%.
    for found in [p - peak.low, peak.high - p] {
        assert!(
            (found / half_width - 1.0).abs() < 0.15,
            "{peak:?}, expected {half_width}"
        );
    }
}

#[test]
fn intervals_hold_the_estimate_and_tell_a_better_router() {
    for seed in 1..=3 {
        let good = realistic(2_000, 5, 0.05, seed);
        let poor = Table {
            predicted_scores: realistic(2_000, 5, 1.0, seed).predicted_scores,
            ..good.clone()
        };
        let pair = PairIdx { small: 0, large: 4 };
        let router = |table| match per_model(table) {
            Router::PerModel { predicted, .. } => Router::PerModel {
                predicted,
                pair: Some(pair),
            },
            other => other,
        };
        let found = run(&good, &[router(&good), router(&poor)], &drawn(200));
        for metric in Metric::ALL {
            for router_idx in 0..2 {
                let Interval {
                    estimate,
                    low,
                    high,
                    ..
                } = found.interval(router_idx, metric, 0.95).expect("a level");
                assert!(
                    low <= estimate && estimate <= high,
                    "{metric:?}: {low} {estimate} {high}"
                );
            }
        }
        for metric in [
            Metric::Aiq,
            Metric::Audc,
            Metric::GainOverZeroRouter,
            Metric::Apgr,
        ] {
            let gain = found.difference(0, 1, metric, 0.95).expect("a level");
            assert!(gain.low > 0.0, "{metric:?}: {gain:?}");
        }
        for metric in [Metric::Aiq, Metric::Audc] {
            // Both routers answer the same prompts, so a part of the chance in them cancels out; over separate resamples it would add up.
            let width = |interval: Interval| interval.high - interval.low;
            let alone =
                |router_idx| width(found.interval(router_idx, metric, 0.95).expect("a level"));
            let paired = width(found.difference(0, 1, metric, 0.95).expect("a level"));
            let separate = alone(0).hypot(alone(1));
            assert!(paired < 0.8 * separate, "{metric:?}: {paired} {separate}");
        }
    }
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let table = random_table(Kind::Holes, 60, 5, 42);
    let routers = [per_model(&table), Router::Zero];
    let with_threads = |n_threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .expect("a pool")
            .install(|| run(&table, &routers, &drawn(40)))
    };
    let bits = |found: &Bootstrap| -> Vec<u64> {
        (0..2)
            .flat_map(|r| Metric::ALL.map(|metric| (r, metric)))
            .flat_map(|(r, metric)| found.resampled(r, metric).map(f64::to_bits))
            .collect()
    };
    let one = bits(&with_threads(1));
    assert_eq!(one.len(), 2 * 40 * Metric::ALL.len());
    for n_threads in [2, 5] {
        assert_eq!(bits(&with_threads(n_threads)), one, "{n_threads} threads");
    }
}

#[test]
fn what_needs_no_common_range_does_not_depend_on_the_other_routers() {
    let table = realistic(200, 4, 0.1, 3);
    let tame = Table {
        predicted_scores: Array2::from_elem((200, 4), 0.5),
        ..table.clone()
    };
    let alone = run(&table, &[per_model(&table)], &drawn(30));
    let both = run(&table, &[per_model(&table), per_model(&tame)], &drawn(30));
    for metric in [
        Metric::PeakAccuracy,
        Metric::Qnc,
        Metric::Apgr,
        Metric::Cpt50,
    ] {
        let bits = |found: &Bootstrap| -> Vec<u64> {
            found.resampled(0, metric).map(f64::to_bits).collect()
        };
        assert_eq!(bits(&alone), bits(&both), "{metric:?}");
    }
}

#[test]
fn a_router_that_tosses_a_coin_recovers_half_of_the_gap() {
    let table = realistic(4_000, 2, 0.1, 5);
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let coin: Vec<f32> = (0..4_000).map(|_| rng.random()).collect();
    let router = Router::Pair {
        pair: PAIR,
        small_win_probability: &coin,
    };
    let found = run(&table, &[router], &drawn(200));
    let half = found.interval(0, Metric::Apgr, 0.99).expect("a level");
    assert!(half.low < 0.5 && 0.5 < half.high, "{half:?}");
    assert!((half.estimate - 0.5).abs() < 0.05, "{half:?}");
    // All tied: the two ends and a straight line, whatever the prompts.
    let tied = vec![0.5; 4_000];
    let router = Router::Pair {
        pair: PAIR,
        small_win_probability: &tied,
    };
    let found = run(&table, &[router], &drawn(20));
    for (metric, expected) in [
        (Metric::Apgr, 0.5),
        (Metric::Cpt20, 0.2),
        (Metric::Cpt80, 0.8),
    ] {
        let tied = found.interval(0, metric, 0.95).expect("a level");
        for value in [tied.estimate, tied.low, tied.high] {
            assert!((value - expected).abs() < ROUNDING, "{metric:?}: {tied:?}");
        }
    }
}

#[test]
fn degenerate_tables_have_sane_intervals() {
    let check = |name: &str, table: &Table| {
        let routers = [per_model(table), Router::Zero];
        let found = run(table, &routers, &drawn(20));
        for metric in [Metric::Aiq, Metric::Audc, Metric::PeakAccuracy] {
            let Interval {
                low,
                high,
                n_defined,
                ..
            } = found.interval(0, metric, 0.95).expect("a level");
            assert!(
                n_defined > 0 && 0.0 <= low && high <= 1.0,
                "{name} {metric:?}: {low} {high}"
            );
        }
        found
    };
    let table = realistic(30, 3, 0.1, 9);
    let free = Table {
        cost_usd: Array2::zeros((30, 3)),
        predicted_cost_usd: Array2::zeros((30, 3)),
        ..table.clone()
    };
    let found = check("free LLMs", &free);
    let cost = found
        .interval(0, Metric::CostAtBestSingleUsd, 0.95)
        .expect("a level");
    assert!(cost.estimate == 0.0 || cost.estimate.is_infinite());

    let equal = Table {
        scores: Array2::from_elem((30, 3), 0.5),
        predicted_scores: Array2::from_elem((30, 3), 0.5),
        ..table.clone()
    };
    let found = check("equal scores", &equal);
    let peak = found
        .interval(0, Metric::PeakAccuracy, 0.95)
        .expect("a level");
    assert_eq!((peak.low, peak.estimate, peak.high), (0.5, 0.5, 0.5));
    let gap = found.interval(0, Metric::Apgr, 0.95).expect("a level");
    assert!(
        gap.estimate.is_nan() && gap.n_defined == 0,
        "no gap to recover"
    );

    check("a hundred LLMs", &realistic(40, 100, 0.1, 9));
    check("one prompt", &table.only(&[4]));
    check("the same prompt throughout", &table.only(&[4; 12]));

    let mut blind = table.clone();
    blind.predicted_scores.column_mut(0).fill(f32::NAN);
    let found = check("an LLM that is never predicted", &blind);
    let calls = found.interval(0, Metric::Apgr, 0.95).expect("a level");
    assert_eq!(calls.n_defined, 0, "the pair has no preference anywhere");

    // A prompt in ten has no prediction at all: resamples without the others exist, but not here.
    let mut gaps = table.clone();
    for row in [3, 13, 23] {
        gaps.predicted_scores
            .index_axis_mut(Axis(0), row)
            .fill(f32::NAN);
    }
    check("prompts without predictions", &gaps);
}

#[test]
fn a_resample_without_any_prompt_of_a_router_is_not_counted() {
    // Only prompt 0 has predictions; it is missing from a resample of 2 in one case of four.
    let mut table = realistic(2, 2, 0.1, 9);
    table
        .predicted_scores
        .index_axis_mut(Axis(0), 1)
        .fill(f32::NAN);
    let resamples =
        Resamples::given(ndarray::array![[1, 1], [0, 2], [2, 0], [0, 0]]).expect("four");
    let found = run(&table, &[per_model(&table)], &resamples);
    let peak = found
        .interval(0, Metric::PeakAccuracy, 0.95)
        .expect("a level");
    assert_eq!(peak.n_defined, 2);
    assert_eq!(peak.low, peak.estimate);
}

#[test]
fn what_is_wrong_is_said() {
    let table = realistic(5, 2, 0.1, 9);
    let of = |router: Router<'_>, resamples: &Resamples| {
        bootstrap(&table.truth(), &[router], resamples).expect_err("wrong")
    };
    let no_such = PairIdx { small: 0, large: 2 };
    let router = Router::PerModel {
        predicted: table.predicted(),
        pair: Some(no_such),
    };
    assert_eq!(
        of(router, &drawn(3)),
        Error::NoSuchModel {
            model_idx: 2,
            n_models: 2
        }
    );
    let router = Router::Pair {
        pair: PAIR,
        small_win_probability: &[0.5; 4],
    };
    assert!(matches!(of(router, &drawn(3)), Error::Shape { .. }));
    let short = Resamples::given(Array2::ones((3, 4))).expect("three");
    assert!(matches!(of(Router::Zero, &short), Error::Shape { .. }));

    let unknown = Table {
        scores: Array2::from_elem((5, 2), f32::NAN),
        ..table.clone()
    };
    assert_eq!(
        bootstrap(&unknown.truth(), &[Router::Zero], &drawn(3)),
        Err(Error::NothingToChoose { n_prompts: 5 })
    );
    let found = run(&table, &[], &drawn(3));
    assert_eq!(found.n_routers(), 0);
    let found = run(&table, &[Router::Zero], &drawn(3));
    assert_eq!(
        found.interval(0, Metric::Aiq, 95.0),
        Err(Error::BadLevel { level: 95.0 })
    );
}
