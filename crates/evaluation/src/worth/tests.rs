//! Gains by hand, and what must hold of any table.

use ndarray::{Array2, array};

use super::*;
use crate::{Error, Predicted, Truth};

const SETTINGS: GainSettings = GainSettings {
    level: 0.95,
    n_resamples: 2_000,
    seed: 42,
};
const UNKNOWN: f32 = f32::NAN;

/// LLM 1 costs $2 more than LLM 0, and is the better one; the router sends prompts 0 and 1 to LLM 0.
fn routed(scores: &Array2<f32>, worths: &[f64]) -> crate::Result<PromptGains> {
    let costs = Array2::from_shape_fn(scores.dim(), |(_, m)| 1.0 + 2.0 * m as f64);
    let predicted = array![[0.5, 0.5], [0.5, 0.5], [0.0, 1.0], [0.0, 1.0]];
    let truth = Truth::new(scores.view(), costs.view())?;
    let cross_fit = CrossFit {
        predicted: Predicted::new(predicted.view(), costs.view())?,
        baseline: Baseline::Means {
            scores: &[0.25, 0.75],
            costs_usd: &[1.0, 3.0],
        },
    };
    prompt_gains(&truth, &[cross_fit], worths)
}

#[test]
fn gains_by_hand() {
    // At $8 per score LLM 1 is the best constant: .75 - 3/8 = .375 against .25 - 1/8 = .125. Leaving it saves 2/8 of a score; prompt 0 loses
    // nothing by it, prompt 1 half a score.
    let scores = array![[1.0, 1.0], [0.5, 1.0], [0.0, 1.0], [1.0, 0.0]];
    let gains = routed(&scores, &[8.0]).expect("judged");
    assert_eq!(gains.at(0), [0.25, -0.25, 0.0, 0.0]);
    // At $2 LLM 0 is: .25 - .5 against .75 - 1.5. The router's choices are the same.
    let gains = routed(&scores, &[2.0, 8.0]).expect("judged");
    assert_eq!(
        gains.at(0),
        [0.0, 0.0, 0.0, 0.0],
        "predicted 1 - 3/2 < 0 - 1/2 is a tie, which the first gets"
    );
    assert_eq!(gains.over_worths(), [0.125, -0.125, 0.0, 0.0]);
    let report = GainReport::new(&gains, None, &SETTINGS).expect("a report");
    assert_eq!((report.mean.value, report.n_prompts), (0.0, 4));
    assert_eq!(report.curve[1].best_constant, Some(1));
    assert_eq!(report.curve[1].differing_share, 0.5);
    assert_eq!(report.curve[1].routed_shares, [0.5, 0.5]);
    // Deviations .25, -.25, 0, 0: squares sum to .125; 4/3 of it over 16 is .0104. Not cross-fitted, so not inflated.
    let error = (0.125_f64 / 12.0).sqrt();
    assert!((report.curve[1].gain.standard_error - error).abs() < 1e-15);
    assert_eq!(report.verdict(None), Verdict::CannotTell);
}

#[test]
fn a_choice_of_unknown_truth_is_left_to_the_others() {
    // Where the choices differ, the router's mean is over prompt 1 alone: .5 - 1/8. The constant's: 1 - 3/8 over both. Half of the prompts differ.
    let scores = array![[UNKNOWN, 1.0], [0.5, 1.0], [0.0, UNKNOWN], [1.0, 0.0]];
    let gains = routed(&scores, &[8.0]).expect("judged");
    let mean = gains.at(0).iter().sum::<f64>() / 4.0;
    assert!((mean - 0.5 * (0.375 - 0.625)).abs() < 1e-15, "{mean}");
    assert_eq!(
        gains.at(0)[2..],
        [0.0, 0.0],
        "the same LLM gains nothing, known or not"
    );
    // Nothing known of any LLM: left out. Nothing known of the router's choices: unknown.
    let scores = array![[1.0, 1.0], [0.5, 1.0], [UNKNOWN, UNKNOWN], [1.0, 0.0]];
    assert!(routed(&scores, &[8.0]).expect("judged").at(0)[2].is_nan());
    let scores = array![[UNKNOWN, 1.0], [UNKNOWN, 1.0], [0.0, 1.0], [1.0, 0.0]];
    assert_eq!(
        routed(&scores, &[8.0]),
        Err(Error::NothingToJudge { n_prompts: 4 })
    );
    let gains = routed(&scores, &[2.0, 8.0]).expect("judged at one worth");
    assert_eq!(gains.over_worths(), [0.0; 4]);
}

#[test]
fn savings_and_quality_by_hand() {
    // Eight equal prompts: LLM 1 is always right and costs $3, LLM 0 is right on every second prompt and costs $1. The router knows which.
    let scores = Array2::from_shape_fn(
        (8, 2),
        |(i, m)| if m == 1 || i % 2 == 0 { 1.0_f32 } else { 0.0 },
    );
    let costs = Array2::from_shape_fn((8, 2), |(_, m)| 1.0 + 2.0 * m as f64);
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let cross_fit = CrossFit {
        predicted: Predicted::new(scores.view(), costs.view()).expect("predictions"),
        baseline: Baseline::Means {
            scores: &[0.5, 1.0],
            costs_usd: &[1.0, 3.0],
        },
    };
    let gains = prompt_gains(&truth, &[cross_fit], &[1.0, 8.0, 100.0]).expect("judged");
    let found = trade(&gains, None, &SETTINGS).expect("a trade");
    assert_eq!(found.reference, Some(1));
    let equal = &found.equal_quality;
    // At $1 all go to LLM 0, whose quality is too low on any half that has an odd prompt. At $8 every second one does: $2 in the mean.
    assert_eq!(equal.worths_usd, [Some(8.0); 2]);
    assert_eq!(
        (equal.cost_usd, equal.reference_cost_usd, equal.score),
        (2.0, 3.0, 1.0)
    );
    assert!((equal.saving.value - 1.0 / 3.0).abs() < 1e-15);
    assert_eq!(
        (equal.score_gain.value, equal.score_gain.standard_error),
        (0.0, 0.0)
    );
    // Costs are 1 or 3 with a mean of 2: deviations of 1/3 of the reference's cost; 8/7 of 8/9 over 64.
    let error = folds_inflation(2) * (8.0 / 7.0 / 9.0 / 8.0_f64).sqrt();
    assert!((equal.saving.standard_error - error).abs() < 1e-15);
    assert_eq!(
        found.equal_cost.score_gain.value, 0.0,
        "nothing is better than LLM 1"
    );

    // Folds whose rows have other constants: no LLM is named, and the numbers are of each fold's own.
    let folded_scores = array![[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0_f32]];
    let folded_costs = Array2::from_shape_fn((4, 2), |(_, m)| 1.0 + 2.0 * m as f64);
    let of_folds = prompt_gains(
        &Truth::new(folded_scores.view(), folded_costs.view()).expect("a truth"),
        &[CrossFit {
            predicted: Predicted::new(folded_scores.view(), folded_costs.view())
                .expect("predictions"),
            baseline: Baseline::Folds(&[Some(0), Some(0), Some(1), Some(1)]),
        }],
        &[100.0],
    );
    let found = trade(&of_folds.expect("judged"), None, &SETTINGS).expect("a trade");
    // Of fold 0 LLM 1 at $3, of fold 1 LLM 0 at $1.
    assert_eq!(found.reference, None);
    assert_eq!(found.equal_quality.reference_cost_usd, 2.0);

    // A router that never keeps the quality: the reference answers, and nothing is saved.
    let flat = Array2::<f32>::zeros((8, 2));
    let cross_fit = CrossFit {
        predicted: Predicted::new(flat.view(), costs.view()).expect("predictions"),
        ..cross_fit
    };
    let gains = prompt_gains(&truth, &[cross_fit], &[8.0]).expect("judged");
    let equal = trade(&gains, None, &SETTINGS)
        .expect("a trade")
        .equal_quality;
    assert_eq!(equal.worths_usd, [None; 2]);
    assert_eq!(
        (
            equal.saving.value,
            equal.saving.standard_error,
            equal.score_gain.value
        ),
        (0.0, 0.0, 0.0)
    );
}

#[test]
fn degenerate_tables_have_a_defined_answer() {
    // One LLM; LLMs of one cost; one prompt; a router that agrees with the constant: exactly nothing is gained, and that is the answer.
    let constant = |n_prompts: usize, costs: &[f64], worths: &[f64]| {
        let scores = Array2::from_shape_fn((n_prompts, costs.len()), |(i, m)| ((i + m) % 2) as f32);
        let cost_usd = Array2::from_shape_fn(scores.dim(), |(_, m)| costs[m]);
        let predicted = Array2::from_shape_fn(scores.dim(), |(_, m)| 1.0 - 0.25 * m as f32);
        let truth = Truth::new(scores.view(), cost_usd.view()).expect("a truth");
        let means: Vec<f64> = (0..costs.len()).map(|m| 1.0 - 0.25 * m as f64).collect();
        let cross_fit = CrossFit {
            predicted: Predicted::new(predicted.view(), cost_usd.view()).expect("predictions"),
            baseline: Baseline::Means {
                scores: &means,
                costs_usd: costs,
            },
        };
        let gains = prompt_gains(&truth, &[cross_fit], worths).expect("judged");
        let report = GainReport::new(&gains, None, &SETTINGS).expect("a report");
        assert_eq!(
            (gains.mean(), report.mean.value, report.routes),
            (0.0, 0.0, false),
            "{costs:?}"
        );
        assert_eq!(report.verdict(None), Verdict::NotWorthIt);
        assert_eq!(report.curve[0].best_constant, Some(0));
        assert_eq!(report.prompts_needed(0.01, 0.8), None);
        report
    };
    let report = constant(6, &[2.0], &[f64::INFINITY]);
    assert_eq!(
        (
            report.mean.standard_error,
            report.mean.low,
            report.mean.high
        ),
        (0.0, 0.0, 0.0)
    );
    assert_eq!((report.mean.p_above, report.mean.p_below), (1.0, 1.0));
    assert_eq!(
        (report.curve[0].band_low, report.curve[0].band_high),
        (0.0, 0.0)
    );
    constant(6, &[2.0, 2.0, 2.0], &[f64::INFINITY]);
    constant(6, &[1.0, 2.0], &[1.0, 2.0, 300.0]);
    let report = constant(1, &[1.0, 2.0], &[1.0]);
    assert!(
        report.mean.standard_error.is_nan(),
        "one prompt has no spread"
    );

    // An LLM without a cost is unknown, also where costs do not count.
    let (scores, unknown) = (
        array![[1.0, 0.0], [0.0, 1.0]],
        Array2::from_elem((2, 2), f64::NAN),
    );
    let truth = Truth::new(scores.view(), unknown.view()).expect("a truth");
    let cross_fit = CrossFit {
        predicted: Predicted::new(scores.view(), unknown.view()).expect("predictions"),
        baseline: Baseline::Means {
            scores: &[0.5, 0.5],
            costs_usd: &[f64::NAN; 2],
        },
    };
    assert!(matches!(
        prompt_gains(&truth, &[cross_fit], &[f64::INFINITY]),
        Err(Error::NothingToJudge { n_prompts: 2 })
    ));
    assert!(matches!(
        prompt_gains(&truth, &[cross_fit], &[0.0]),
        Err(Error::BadWorth { .. })
    ));
    assert!(matches!(
        prompt_gains(&truth, &[cross_fit], &[1.0]),
        Err(Error::NothingToJudge { n_prompts: 2 })
    ));
    assert!(matches!(
        prompt_gains(&truth, &[cross_fit], &[]),
        Err(Error::NothingToJudge { .. })
    ));
    assert!(matches!(
        prompt_gains(&truth, &[], &[1.0]),
        Err(Error::NothingToJudge { .. })
    ));
}

#[test]
fn what_the_router_costs_is_taken_from_routing_alone() {
    let scores = array![[1.0, 1.0], [0.5, 1.0], [0.0, 1.0], [1.0, 0.0]];
    let gains = routed(&scores, &[8.0])
        .expect("judged")
        .less_router_cost(0.8);
    let expected = [0.15, -0.35, -0.1, -0.1];
    assert!(
        gains
            .at(0)
            .iter()
            .zip(expected)
            .all(|(found, expected)| (found - expected).abs() < 1e-15)
    );
    // Where costs do not count, neither does this one.
    assert_eq!(
        routed(&scores, &[f64::INFINITY])
            .expect("judged")
            .less_router_cost(0.8)
            .at(0),
        [0.0, -0.5, 0.0, 0.0]
    );
}

#[test]
fn prompts_needed_is_for_a_gain_that_is_named() {
    let scores = Array2::from_shape_fn((400, 2), |(i, m)| {
        f32::from(u8::from((i * (m + 3)) % 7 < 4))
    });
    let costs = Array2::ones((400, 2));
    let predicted = Array2::from_shape_fn((400, 2), |(i, m)| ((i + m) % 2) as f32);
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let cross_fit = CrossFit {
        predicted: Predicted::new(predicted.view(), costs.view()).expect("predictions"),
        baseline: Baseline::Means {
            scores: &[0.6, 0.5],
            costs_usd: &[1.0, 1.0],
        },
    };
    let gains = prompt_gains(&truth, &[cross_fit], &[f64::INFINITY]).expect("judged");
    let report = GainReport::new(&gains, None, &SETTINGS).expect("a report");
    assert_eq!(report.verdict(None), Verdict::CannotTell);
    // Large samples: (1.96 + .8416)^2 times the variance of one prompt, over the square of the gain.
    let variance = 400.0 * report.mean.standard_error.powi(2);
    let expected = (1.96_f64 + 0.8416).powi(2) * variance / 0.02_f64.powi(2);
    let found = report.prompts_needed(0.02, 0.8).expect("a number") as f64;
    assert!((found / expected - 1.0).abs() < 0.02, "{found} {expected}");
    for (gain, power) in [
        (0.0, 0.8),
        (-1.0, 0.8),
        (f64::NAN, 0.8),
        (0.1, 1.0),
        (0.1, 0.2),
    ] {
        assert_eq!(report.prompts_needed(gain, power), None);
    }
    // A gain that would be worth the effort is ruled out.
    assert_eq!(
        report.verdict(Some(report.mean.high + 0.01)),
        Verdict::NotWorthIt
    );
    assert_eq!(
        report.verdict(Some(report.mean.high - 0.01)),
        Verdict::CannotTell
    );
}

#[test]
fn prompts_that_stand_twice_count_once_in_their_group() {
    let table = |times: usize| {
        let row = |i: usize| i % 30;
        let n = 30 * times;
        let scores = Array2::from_shape_fn((n, 2), |(i, m)| {
            f32::from(u8::from((row(i) * (m + 3)) % 7 < 4))
        });
        let predicted = Array2::from_shape_fn((n, 2), |(i, m)| ((row(i) / 2 + m) % 2) as f32);
        let costs = Array2::ones((n, 2));
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let cross_fit = CrossFit {
            predicted: Predicted::new(predicted.view(), costs.view()).expect("predictions"),
            baseline: Baseline::Means {
                scores: &[0.6, 0.5],
                costs_usd: &[1.0, 1.0],
            },
        };
        prompt_gains(&truth, &[cross_fit], &[f64::INFINITY]).expect("judged")
    };
    let once = GainReport::new(&table(1), None, &SETTINGS)
        .expect("a report")
        .mean;
    // Any numbers will do for groups.
    let groups: Vec<usize> = (0..90).map(|i| 1_000 * (i % 30) + 5).collect();
    let thrice = GainReport::new(&table(3), Some(&groups), &SETTINGS).expect("a report");
    assert_eq!((thrice.n_prompts, thrice.n_groups), (90, 30));
    assert!((thrice.mean.value - once.value).abs() < 1e-15);
    assert!((thrice.mean.standard_error - once.standard_error).abs() < 1e-15);
    assert!((thrice.mean.p_above - once.p_above).abs() < 1e-12);
    let alone = GainReport::new(&table(3), None, &SETTINGS)
        .expect("a report")
        .mean;
    assert!(
        alone.standard_error < 0.6 * once.standard_error,
        "which is what groups are for"
    );
    assert!(matches!(
        GainReport::new(&table(3), Some(&groups[1..]), &SETTINGS),
        Err(Error::Shape { .. })
    ));
    for level in [0.0, 95.0] {
        let settings = GainSettings { level, ..SETTINGS };
        assert_eq!(
            GainReport::new(&table(1), None, &settings),
            Err(Error::BadLevel { level })
        );
    }
}

#[test]
fn what_all_prompts_say_alike_is_as_sure_as_its_signs() {
    let report = |n_prompts: usize| {
        let scores = Array2::from_shape_fn((n_prompts, 2), |(_, m)| m as f32);
        let costs = Array2::ones((n_prompts, 2));
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let cross_fit = CrossFit {
            predicted: Predicted::new(scores.view(), costs.view()).expect("predictions"),
            baseline: Baseline::Means {
                scores: &[0.6, 0.5],
                costs_usd: &[1.0, 1.0],
            },
        };
        let gains = prompt_gains(&truth, &[cross_fit], &[1.0, 2.0]).expect("judged");
        GainReport::new(&gains, None, &SETTINGS).expect("a report")
    };
    // Five heads in a row have a probability of 1/32, six of 1/64.
    assert_eq!(
        (report(5).mean.p_above, report(5).verdict(None)),
        (1.0 / 32.0, Verdict::CannotTell)
    );
    assert!(report(5).mean.low.is_nan());
    assert_eq!(
        (report(6).mean.p_above, report(6).verdict(None)),
        (1.0 / 64.0, Verdict::WorthIt)
    );
    assert_eq!(
        (report(6).mean.low, report(6).curve[0].band_low),
        (1.0, 1.0)
    );
    assert_eq!(report(1).verdict(None), Verdict::CannotTell);
}

#[test]
fn holm_by_hand() {
    // .01 * 4, then max(.04, .013 * 3), then .03 * 2, then .5.
    let adjusted = holm(&[0.03, 0.01, 0.5, 0.013]);
    let expected = [0.06, 0.04, 0.5, 0.04];
    assert!(
        adjusted
            .iter()
            .zip(expected)
            .all(|(found, expected)| (found - expected).abs() < 1e-15),
        "{adjusted:?}"
    );
    assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
    let with_unknown = holm(&[f64::NAN, 0.02]);
    assert!(with_unknown[0].is_nan() && with_unknown[1] == 0.02);
    assert!(holm(&[]).is_empty());
}
