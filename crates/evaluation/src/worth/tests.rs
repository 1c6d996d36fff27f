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
