use ndarray::array;

use super::*;

const NAN: f32 = f32::NAN;
/// Doubles with a few operations on numbers near 1.
const ROUNDING: f64 = 1e-12;

/// Two LLMs, of which the dear one is worth its cost up to lambda 1/3 on the first prompt, and never on the second.
///
/// ```text
/// prompt 1:  u = .5 (1 - l)   and   (1 - l) - l         cross at 1/3; the better has the integral 1/3, each alone .25 and 0
/// prompt 2:  u = .5 (1 - l)   and   .5 (1 - l) - l      the first is never worse; integrals .25 and -.25
/// ```
fn table() -> (Array2<f32>, Array2<f64>) {
    (
        array![[0.5, 1.0], [0.5, 0.5]],
        array![[0.0, 1.0], [0.0, 1.0]],
    )
}

fn weights(lambdas: &[f64]) -> Weights<'_> {
    Weights {
        lambdas,
        cost_multiplier: 1.0,
    }
}

/// The regret against the truth of [`table`], at lambdas 0 and .4 and integrated, prompt by prompt.
fn rows(router: impl Fn(Predicted<'_>) -> Result<Regret>) -> Vec<Vec<f64>> {
    let (scores, costs) = table();
    let bayes = Predicted::new(scores.view(), costs.view()).expect("predictions");
    let found = router(bayes).expect("a regret");
    found
        .values
        .rows()
        .into_iter()
        .map(|row| row.to_vec())
        .collect()
}

fn check(found: Vec<Vec<f64>>, expected: [[f64; 3]; 2]) {
    for (found, expected) in found.iter().zip(expected) {
        for (found, expected) in found.iter().zip(expected) {
            let is_same = (found - expected).abs() < ROUNDING;
            assert!(
                is_same || found.is_nan() && expected.is_nan(),
                "{found}, {expected}"
            );
        }
    }
}

#[test]
fn regrets_by_hand() {
    let (scores, costs) = table();
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let weights = weights(&[0.0, 0.4]);
    let of_scores = |predicted: Array2<f32>| {
        rows(|bayes| {
            let predicted = Predicted::new(predicted.view(), costs.view())?;
            regret(&truth, bayes, &per_model(predicted), weights)
        })
    };
    check(of_scores(scores.clone()), [[0.0; 3]; 2]);
    // Always the cheap one.
    check(
        of_scores(array![[1.0, 0.0], [1.0, 0.0]]),
        [[0.5, 0.0, 1.0 / 12.0], [0.0; 3]],
    );
    // The dear one up to lambda 1/2, its advantage being held to be 1. Prompt 1 loses .5 (1 - l) - (1 - 2 l) = 1.5 l - .5 from 1/3 on:
    // .75 (1/4 - 1/9) - .5 / 6 = 1/48. Prompt 2 loses l: 1/8.
    check(
        of_scores(array![[0.0, 1.0], [0.0, 1.0]]),
        [[0.0, 0.1, 1.0 / 48.0], [0.0, 0.4, 0.125]],
    );
    // A prompt without predictions is left out.
    check(
        of_scores(array![[NAN, NAN], [1.0, 0.0]]),
        [[f64::NAN; 3], [0.0; 3]],
    );
}

#[test]
fn those_without_a_lambda_get_the_best_in_hindsight() {
    let (scores, costs) = table();
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let of_router =
        |router: Router<'_>| rows(|bayes| regret(&truth, bayes, &router, weights(&[0.0, 0.4])));
    let pair = PairIdx { small: 0, large: 1 };
    let of_pair = |small_win_probability: &[f32]| {
        of_router(Router::Pair {
            pair,
            small_win_probability,
        })
    };
    // Knows which prompt is which: as good as the truth. At lambda 0 the second prompt may go to either.
    check(of_pair(&[0.0, 1.0]), [[0.0; 3]; 2]);
    // Holds both to be alike. The means are .75 (1 - l) - l against .5 (1 - l): the dear one up to lambda 1/5.
    // Prompt 1 loses (1 - 2 l) - .5 (1 - l) = .5 - 1.5 l from 1/5 to 1/3: .5 * 2/15 - .75 (1/9 - 1/25) = 1/75; prompt 2 l up to 1/5: 1/50.
    let alike = [[0.0, 0.0, 1.0 / 75.0], [0.0, 0.0, 0.02]];
    check(of_pair(&[0.5, 0.5]), alike);
    check(of_router(Router::Zero), alike);
    // Without a probability there is no choice.
    check(of_pair(&[NAN, 1.0])[1..].to_vec(), [[0.0; 3]; 2]);
    assert!(of_pair(&[NAN, 1.0])[0].iter().all(|value| value.is_nan()));
}

#[test]
fn the_multiplier_is_a_change_of_currency() {
    let (scores, costs) = table();
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let bayes = Predicted::new(scores.view(), costs.view()).expect("predictions");
    let cents = costs.mapv(|cost| cost / 100.0);
    let truth_in_cents = Truth::new(scores.view(), cents.view()).expect("a truth");
    let bayes_in_cents = Predicted::new(scores.view(), cents.view()).expect("predictions");
    let lambdas = [0.1, 0.4, 0.9];
    let dollars = regret(&truth, bayes, &Router::Zero, weights(&lambdas)).expect("a regret");
    let weights = Weights {
        lambdas: &lambdas,
        cost_multiplier: 100.0,
    };
    let cents = regret(&truth_in_cents, bayes_in_cents, &Router::Zero, weights).expect("a regret");
    assert!((0..3).all(|i| (dollars.mean_at(i) - cents.mean_at(i)).abs() < ROUNDING));
    assert!((dollars.mean() - cents.mean()).abs() < ROUNDING);
}

#[test]
fn intervals_hold_the_mean_and_differences_are_paired() {
    let (scores, costs) = table();
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let bayes = Predicted::new(scores.view(), costs.view()).expect("predictions");
    let zero = regret(&truth, bayes, &Router::Zero, weights(&[0.5])).expect("a regret");
    // The first prompt twice, then the second twice, then each once.
    let resamples = Resamples::given(array![[2, 0], [0, 2], [1, 1]]).expect("resamples");
    let found = zero.intervals(&truth, &resamples, 0.5).expect("intervals");
    // Of 1/75, 1/50 and their mean 1/60; quartiles are halfway between neighbors.
    let halfway = |a: f64, b: f64| (a + b) / 2.0;
    let Interval {
        estimate,
        low,
        high,
        n_defined,
    } = found.integrated;
    assert!((estimate - 1.0 / 60.0).abs() < ROUNDING);
    assert!((low - halfway(1.0 / 75.0, 1.0 / 60.0)).abs() < ROUNDING);
    assert!((high - halfway(1.0 / 60.0, 1.0 / 50.0)).abs() < ROUNDING);
    assert_eq!((n_defined, found.n_prompts, found.at.len()), (3, 2, 1));

    let nothing = zero.minus(&zero).expect("the same prompts");
    let nothing = nothing
        .intervals(&truth, &resamples, 0.5)
        .expect("intervals");
    assert_eq!(
        (nothing.integrated.low, nothing.integrated.high),
        (0.0, 0.0)
    );
    let other = regret(&truth, bayes, &Router::Zero, weights(&[])).expect("a regret");
    assert!(matches!(zero.minus(&other), Err(Error::Shape { .. })));
    assert_eq!(
        zero.intervals(&truth, &resamples, 95.0),
        Err(Error::BadLevel { level: 95.0 })
    );
}

#[test]
fn a_prompt_that_no_resample_draws_leaves_no_value() {
    let (scores, costs) = table();
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let bayes = Predicted::new(scores.view(), costs.view()).expect("predictions");
    let one_sided = Router::Pair {
        pair: PairIdx { small: 0, large: 1 },
        small_win_probability: &[0.5, NAN],
    };
    let found = regret(&truth, bayes, &one_sided, weights(&[])).expect("a regret");
    let resamples = Resamples::given(array![[0, 2], [2, 0]]).expect("resamples");
    let found = found
        .intervals(&truth, &resamples, 0.95)
        .expect("intervals");
    assert_eq!((found.n_prompts, found.integrated.n_defined), (1, 1));
}

#[test]
fn what_cannot_be_weighed_is_refused() {
    let (scores, costs) = table();
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let bayes = Predicted::new(scores.view(), costs.view()).expect("predictions");
    let error = |lambdas: &[f64], cost_multiplier| {
        let weights = Weights {
            lambdas,
            cost_multiplier,
        };
        regret(&truth, bayes, &Router::Zero, weights).expect_err("refused")
    };
    assert_eq!(error(&[1.5], 1.0), Error::BadLambda { lambda: 1.5 });
    assert_eq!(
        error(&[], 0.0),
        Error::BadCostMultiplier {
            cost_multiplier: 0.0
        }
    );
    let nothing = array![[NAN, NAN], [NAN, NAN]];
    let nothing = Predicted::new(nothing.view(), costs.view()).expect("predictions");
    let found = regret(&truth, bayes, &per_model(nothing), weights(&[]));
    assert_eq!(found, Err(Error::NothingToChoose { n_prompts: 2 }));
}
