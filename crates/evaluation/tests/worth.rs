//! The gain of routing against NumPy (`golden/worth/make.py`), and what holds of any table.

mod any_table;
mod tables;

use dataset::worth::best_constant;
use evaluation::{
    Error, Predicted, Truth,
    worth::{Baseline, CrossFit, GainReport, GainSettings, gains_by_task, prompt_gains, trade},
};
use ndarray::Array2;
use proptest::prelude::*;
use serde_json::Value;

use crate::{any_table::any_table, tables::Table};

/// Sums of 48 numbers in another order.
const ROUNDING: f64 = 1e-12;
const SETTINGS: GainSettings = GainSettings {
    level: 0.95,
    n_resamples: 500,
    seed: 42,
};

/// Predicted scores, predicted costs, and each prompt's fold.
type Repeat = (Array2<f32>, Array2<f64>, Vec<Option<u32>>);

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn matrix(value: &Value) -> Array2<f64> {
    let rows = list(value);
    let numbers = rows
        .iter()
        .flat_map(list)
        .map(|x| x.as_f64().unwrap_or(f64::NAN));
    let numbers: Vec<f64> = numbers.collect();
    Array2::from_shape_vec((rows.len(), numbers.len() / rows.len()), numbers).expect("a matrix")
}

#[test]
fn matches_numpy_with_and_without_unknown_scores() {
    let golden: Value =
        serde_json::from_str(include_str!("golden/worth/table.json")).expect("JSON");
    let cost_usd = matrix(&golden["cost_usd"]);
    let worths: Vec<f64> = list(&golden["worths"])
        .iter()
        .map(|v| v.as_f64().unwrap_or(f64::INFINITY))
        .collect();
    let predictions: Vec<Repeat> = (0..2)
        .map(|repeat| {
            let folds = list(&golden["folds"][repeat])
                .iter()
                .map(|fold| fold.as_u64().map(|fold| fold as u32));
            (
                matrix(&golden["predicted_scores"][repeat]).mapv(|score| score as f32),
                matrix(&golden["predicted_cost_usd"][repeat]),
                folds.collect(),
            )
        })
        .collect();
    let cross_fits: Vec<CrossFit<'_>> = predictions
        .iter()
        .map(|(scores, costs, folds)| CrossFit {
            predicted: Predicted::new(scores.view(), costs.view()).expect("predictions"),
            baseline: Baseline::Folds(folds),
        })
        .collect();
    for (scores, gains) in [("scores", "gains"), ("holes", "gains_holes")] {
        let scores = matrix(&golden[scores]).mapv(|score| score as f32);
        let truth = Truth::new(scores.view(), cost_usd.view()).expect("a truth");
        let found = prompt_gains(&truth, &cross_fits, &worths)
            .expect("judged")
            .to_matrix();
        let expected = matrix(&golden[gains]);
        for (cell, &expected) in expected.indexed_iter() {
            assert!(
                (found[cell] - expected).abs() < ROUNDING,
                "{gains} {cell:?}: {}, not {expected}",
                found[cell]
            );
        }
    }
}

fn judged(
    table: &Table,
    folds: &[Option<u32>],
    worths: &[f64],
) -> Result<evaluation::worth::PromptGains, Error> {
    let cross_fit = CrossFit {
        predicted: table.predicted(),
        baseline: Baseline::Folds(folds),
    };
    prompt_gains(&table.truth(), &[cross_fit], worths)
}

/// Folds of all prompts but every seventh.
fn folds(n_prompts: usize) -> Vec<Option<u32>> {
    (0..n_prompts)
        .map(|i| (i % 7 != 3).then_some((i % 3) as u32))
        .collect()
}

const WORTHS: [f64; 4] = [0.004, 0.02, 0.3, 4.0];

proptest! {
    #[test]
    fn the_order_of_the_prompts_does_not_matter(table in any_table(8..40, 1..5)) {
        let n_prompts = table.scores.nrows();
        let folds = folds(n_prompts);
        let order: Vec<usize> = (0..n_prompts).map(|i| (i * 5 + 2) % n_prompts).collect();
        // A step that shares a factor with the number of prompts would visit some twice.
        prop_assume!(n_prompts % 5 != 0);
        let reordered: Vec<Option<u32>> = order.iter().map(|&i| folds[i]).collect();
        let (a, b) = (judged(&table, &folds, &WORTHS), judged(&table.only(&order), &reordered, &WORTHS));
        prop_assert_eq!(a.is_ok(), b.is_ok());
        if let (Ok(a), Ok(b)) = (a, b) {
            prop_assert!((a.mean() - b.mean()).abs() < ROUNDING);
            let (a, b) = (a.over_worths(), b.over_worths());
            for (place, &i) in order.iter().enumerate() {
                prop_assert!((a[i].is_nan() && b[place].is_nan()) || (a[i] - b[place]).abs() < 1e-9);
            }
        }
    }

    /// Scores lie in [0, 1] and costs in [0, .02], so no utility differs by more than 1 + .02 / v.
    #[test]
    fn gains_are_bounded_and_their_report_is_their_mean(table in any_table(8..40, 1..5)) {
        let Ok(gains) = judged(&table, &folds(table.scores.nrows()), &WORTHS) else { return Ok(()) };
        let report = GainReport::new(&gains, None, &SETTINGS).expect("a report");
        for at in report.curve.iter().filter(|at| !at.gain.value.is_nan()) {
            prop_assert!(at.gain.value.abs() <= 1.0 + 0.02 / at.worth_usd + ROUNDING);
            prop_assert!(at.gain.standard_error.is_nan() || (at.band_low <= at.gain.low + ROUNDING && at.band_high >= at.gain.high - ROUNDING));
            prop_assert!((0.0..=1.0).contains(&at.differing_share));
        }
        prop_assert!((report.mean.value - gains.mean()).abs() < 1e-9);
        // Of all prompts together there is one task.
        let one_task = vec![0; gains.n_prompts()];
        let by_task = gains_by_task(&gains, &one_task, 1, None, &SETTINGS).expect("one task");
        prop_assert_eq!(by_task[0].n_prompts, report.n_prompts);
        prop_assert!((by_task[0].gain.value - report.mean.value).abs() < ROUNDING);
        // A group each is no group.
        let each: Vec<usize> = (0..gains.n_prompts()).map(|i| 3 * i + 1).collect();
        let grouped = GainReport::new(&gains, Some(&each), &SETTINGS).expect("a report");
        prop_assert_eq!(format!("{:?}", grouped), format!("{:?}", report));
        prop_assert!(trade(&gains, Some(&each), &SETTINGS).is_ok());
    }

    /// A router that predicts each LLM's means chooses the best constant: nothing is gained, exactly.
    #[test]
    fn the_best_constant_gains_nothing(table in any_table(2..30, 1..5), means in prop::collection::vec((0.0_f32..1.0, 0.0_f64..0.02), 5)) {
        let n_models = table.scores.ncols();
        let (scores, costs): (Vec<f32>, Vec<f64>) = means[..n_models].iter().copied().unzip();
        let predicted_scores = Array2::from_shape_fn(table.scores.dim(), |(_, m)| scores[m]);
        let predicted_costs = Array2::from_shape_fn(table.scores.dim(), |(_, m)| costs[m]);
        let mean_scores: Vec<f64> = scores.iter().map(|&score| f64::from(score)).collect();
        let cross_fit = CrossFit {
            predicted: Predicted::new(predicted_scores.view(), predicted_costs.view()).expect("predictions"),
            baseline: Baseline::Means { scores: &mean_scores, costs_usd: &costs },
        };
        let gains = prompt_gains(&table.truth(), &[cross_fit], &WORTHS).expect("judged");
        let report = GainReport::new(&gains, None, &SETTINGS).expect("a report");
        prop_assert_eq!((report.mean.value, report.routes), (0.0, false));
        for (at, v) in report.curve.iter().zip(WORTHS) {
            prop_assert_eq!(at.gain.value, 0.0);
            prop_assert_eq!(at.best_constant, best_constant(&mean_scores, &costs, v));
        }
    }
}

#[test]
fn scores_missing_at_random_leave_the_gain_where_it_is() {
    // 4,000 prompts of two kinds, of which each of two LLMs answers one; a router that knows the kind gains .4 over either.
    let n_prompts = 4_000;
    let kind = |i: usize| i % 2;
    let scores = Array2::from_shape_fn((n_prompts, 2), |(i, m)| {
        let right = if kind(i) == m { 9 } else { 1 };
        f32::from(u8::from((i / 2 * 7 + m * 3) % 10 < right))
    });
    let costs = Array2::from_elem((n_prompts, 2), 0.001);
    let predicted = Array2::from_shape_fn(
        (n_prompts, 2),
        |(i, m)| if kind(i) == m { 0.9 } else { 0.1 },
    );
    let judge = |scores: &Array2<f32>| {
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let cross_fit = CrossFit {
            predicted: Predicted::new(predicted.view(), costs.view()).expect("predictions"),
            baseline: Baseline::Means {
                scores: &[0.5, 0.49],
                costs_usd: &[0.001; 2],
            },
        };
        let gains = prompt_gains(&truth, &[cross_fit], &[f64::INFINITY]).expect("judged");
        GainReport::new(&gains, None, &SETTINGS)
            .expect("a report")
            .mean
    };
    let complete = judge(&scores);
    assert!((complete.value - 0.4).abs() < 1e-12, "{complete:?}");
    // One LLM per prompt, as production logs are: 32 bits of a hash decide which.
    let logged = Array2::from_shape_fn((n_prompts, 2), |(i, m)| {
        let hash = (i as u32).wrapping_mul(2_654_435_761) >> 16;
        if hash as usize % 2 == m {
            scores[[i, m]]
        } else {
            f32::NAN
        }
    });
    let of_log = judge(&logged);
    assert!(
        (of_log.value - 0.4).abs() < 4.0 * of_log.standard_error,
        "{of_log:?}"
    );
    assert!(of_log.standard_error > 1.1 * complete.standard_error && of_log.low > 0.3);
}
