use dataset::{PairIdx, worth::utility};
use rayon::prelude::*;

use crate::{
    Error, Result, Truth,
    sum::Sum,
    worth::{
        baseline::{Baseline, Constants},
        estimate::dense,
        halves::halves,
        judged::Judged,
        prompt_gains::{Column, PromptGains, check_worths},
        support::Estimator,
    },
};

/// What a router of two LLMs says of each prompt, and whom the prompt would go to without it.
#[derive(Debug, Clone, Copy)]
pub struct PairFit<'a> {
    /// The two LLMs.
    pub pair: PairIdx,
    /// One probability per prompt that the small LLM does as well, by a router that was not fitted on the prompt; a prompt whose probability is
    /// not finite is left out.
    pub small_win_probability: &'a [f32],
    /// What the best constant, among all LLMs, is chosen by.
    pub baseline: Baseline<'a>,
}

/// Judges a router of two LLMs by every prompt, at every worth, as [`crate::worth::prompt_gains`] judges one that predicts scores.
///
/// Such a router does not say which threshold goes with which worth. So the threshold is chosen on one half of the prompts, as that of the
/// largest mean utility at the worth (the highest of several), and judged on the other half, both ways: chosen and judged on the same prompts, a
/// router at random would gain. `groups`, one number per prompt, are not divided; `seed` is that of the halves. Standard errors are those of two
/// folds at least, see [`crate::worth::folds_inflation`].
///
/// A half chooses by its prompts where one of the two LLMs is known, weighted as [`crate::Propensities`] say, and as differences from their common
/// mean where any is missing: more known prompts of one LLM are no advantage. Without any the large LLM answers everything on the other half.
///
/// # Errors
/// [`Error::NoSuchModel`]; otherwise as for [`crate::worth::prompt_gains`], and [`Error::Shape`] for probabilities or groups of another number.
pub fn pair_gains(
    truth: &Truth<'_>,
    fits: &[PairFit<'_>],
    worths: &[f64],
    groups: Option<&[usize]>,
    seed: u64,
) -> Result<PromptGains> {
    check_worths(worths)?;
    let n_prompts = truth.n_prompts();
    let check_length = |what, n: usize| match n == n_prompts {
        true => Ok(()),
        false => Err(Error::Shape {
            what,
            expected: (n_prompts, 1),
            found: (n, 1),
        }),
    };
    let constants = fits
        .iter()
        .map(|fit| {
            truth.check_model(fit.pair.small)?;
            truth.check_model(fit.pair.large)?;
            check_length("small win probabilities", fit.small_win_probability.len())?;
            Constants::new(truth, fit.baseline)
        })
        .collect::<Result<Vec<_>>>()?;
    if let Some(groups) = groups {
        check_length("groups", groups.len())?;
    }
    let halves = halves(n_prompts, groups.map(dense).as_deref(), seed);
    let columns: Vec<Column> = worths
        .par_iter()
        .map(|&worth_usd| {
            let repeats = fits.iter().zip(&constants).map(|(fit, constants)| {
                let constants = constants.at(worth_usd);
                let thresholds = [0, 1].map(|half| {
                    let chooses = |i: usize| halves[i] == half && constants[i].is_some();
                    best_threshold(truth, fit, worth_usd, chooses)
                });
                Judged::new(truth, &constants, worth_usd, |i| {
                    let probability = fit.small_win_probability[i];
                    let is_small = probability >= thresholds[1 - halves[i]];
                    let chosen = if is_small {
                        fit.pair.small
                    } else {
                        fit.pair.large
                    };
                    probability.is_finite().then_some(chosen)
                })
            });
            Column::mean_of(repeats.collect(), truth)
        })
        .collect();
    let n_mutual_folds = fits.iter().map(|fit| fit.baseline.n_mutual_folds());
    // Halves choose for each other.
    let n_mutual_folds = n_mutual_folds.max().unwrap_or(1).max(2);
    let columns = (columns, Estimator::of_known(truth));
    PromptGains::new(truth, worths, fits.len(), n_mutual_folds, columns)
}

/// The threshold of the largest sum of utilities over some prompts, the highest of several; infinite where the large LLM should answer all.
fn best_threshold(
    truth: &Truth<'_>,
    fit: &PairFit<'_>,
    worth_usd: f64,
    chooses: impl Fn(usize) -> bool,
) -> f32 {
    let choosing: Vec<usize> = (0..truth.n_prompts())
        .filter(|&i| chooses(i) && truth.is_scored(i))
        .filter(|&i| fit.small_win_probability[i].is_finite())
        .collect();
    let weighted = |i: usize, model_idx: usize| {
        let answer = truth.answer(i, model_idx);
        (answer.weight, utility(answer.score, answer.cost, worth_usd))
    };
    let both = |i: usize| [fit.pair.small, fit.pair.large].map(|model_idx| weighted(i, model_idx));
    let all = || choosing.iter().flat_map(|&i| both(i));
    let center = match all().all(|(weight, _)| weight == 1.0) {
        // It cancels, but for rounding.
        true => 0.0,
        false => {
            let weights: Sum = all().map(|(weight, _)| weight).collect();
            let sum: Sum = all().map(|(weight, utility)| weight * utility).collect();
            if weights.value() == 0.0 {
                return f32::INFINITY;
            }
            sum.value() / weights.value()
        }
    };
    // By how much the small LLM is better, with the probability.
    let mut advantages: Vec<(f32, f64)> = choosing
        .iter()
        .map(|&i| {
            let [small, large] = both(i).map(|(weight, utility)| weight * (utility - center));
            (fit.small_win_probability[i], small - large)
        })
        .collect();
    advantages.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut sum, mut best) = (0.0, (0.0, f32::INFINITY));
    // Prompts of one probability change together.
    for tied in advantages.chunk_by(|a, b| a.0 == b.0) {
        sum += tied.iter().map(|(_, advantage)| advantage).sum::<f64>();
        if sum > best.0 {
            best = (sum, tied[0].0);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::worth::{GainReport, GainSettings, Verdict};

    const PAIR: PairIdx = PairIdx { small: 0, large: 1 };
    const SETTINGS: GainSettings = GainSettings {
        level: 0.95,
        n_resamples: 100,
        seed: 42,
    };

    /// 300 prompts: the small LLM is right in half of them, the large one in seven tenths.
    fn table(seed: u64) -> (Array2<f32>, Array2<f64>, Vec<f32>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let scores = Array2::from_shape_fn((300, 2), |(_, m)| {
            f32::from(u8::from(rng.random_bool([0.5, 0.7][m])))
        });
        let costs = Array2::from_shape_fn((300, 2), |(_, m)| [0.001, 0.01][m]);
        let random = (0..300).map(|_| rng.random_range(0.0..1.0)).collect();
        (scores, costs, random)
    }

    fn report(scores: &Array2<f32>, costs: &Array2<f64>, probability: &[f32]) -> GainReport {
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let fit = PairFit {
            pair: PAIR,
            small_win_probability: probability,
            baseline: Baseline::Means {
                scores: &[0.5, 0.7],
                costs_usd: &[0.001, 0.01],
            },
        };
        let gains = pair_gains(&truth, &[fit], &[0.009, 0.045, 0.3], None, 42).expect("judged");
        GainReport::new(&gains, None, &SETTINGS).expect("a report")
    }

    #[test]
    fn a_coin_gains_nothing_and_one_that_knows_does() {
        let mut n_worth_it = 0;
        for seed in 0..60 {
            let (scores, costs, random) = table(seed);
            n_worth_it +=
                usize::from(report(&scores, &costs, &random).verdict(None) == Verdict::WorthIt);
        }
        assert!(n_worth_it <= 4, "{n_worth_it} of 60");
        let (scores, costs, random) = table(7);
        let knows: Vec<f32> = scores
            .column(0)
            .iter()
            .zip(&random)
            .map(|(score, p)| score + 0.5 * p)
            .collect();
        let found = report(&scores, &costs, &knows);
        assert_eq!(found.verdict(None), Verdict::WorthIt);
        // Where only quality counts the small LLM is taken where it is right, and that is as good as can be: .5 + .5 * .7 against .7.
        assert!(
            (found.curve[2].gain.value - 0.15).abs() < 0.06,
            "{:?}",
            found.curve[2]
        );
    }

    #[test]
    fn thresholds_by_hand() {
        // Advantages of the small LLM at an infinite worth by probability: .9: 0, .8: +1 and -1 together, .5: +1, .2: -1.
        let scores = ndarray::array![[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]];
        let costs = Array2::ones((5, 2));
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let threshold = |probability: [f32; 5], chooses: &dyn Fn(usize) -> bool| {
            let fit = PairFit {
                pair: PAIR,
                small_win_probability: &probability,
                baseline: Baseline::Means {
                    scores: &[0.5, 0.5],
                    costs_usd: &[1.0, 1.0],
                },
            };
            best_threshold(&truth, &fit, f64::INFINITY, chooses)
        };
        let probability = [0.9, 0.8, 0.8, 0.5, 0.2];
        assert_eq!(threshold(probability, &|_| true), 0.5);
        assert_eq!(threshold(probability, &|i| i != 3), f32::INFINITY);
        assert_eq!(threshold(probability, &|i| i != 2), 0.5);
        assert_eq!(threshold([0.9, 0.8, 0.1, f32::NAN, 0.2], &|_| true), 0.8);
        assert_eq!(threshold(probability, &|_| false), f32::INFINITY);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (scores, costs, random) = table(1);
        let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
        let fit = PairFit {
            pair: PAIR,
            small_win_probability: &random,
            baseline: Baseline::Means {
                scores: &[0.5, 0.5],
                costs_usd: &[1.0, 1.0],
            },
        };
        let judge = |fit, worths: &[f64], groups| pair_gains(&truth, &[fit], worths, groups, 1);
        assert!(judge(fit, &[1.0], None).is_ok());
        assert_eq!(
            judge(fit, &[-1.0], None),
            Err(Error::BadWorth { worth_usd: -1.0 })
        );
        assert!(matches!(
            judge(fit, &[1.0], Some(&[0])),
            Err(Error::Shape { .. })
        ));
        let short = PairFit {
            small_win_probability: &random[1..],
            ..fit
        };
        assert!(matches!(
            judge(short, &[1.0], None),
            Err(Error::Shape { .. })
        ));
        let beyond = PairFit {
            pair: PairIdx { small: 0, large: 2 },
            ..fit
        };
        assert!(matches!(
            judge(beyond, &[1.0], None),
            Err(Error::NoSuchModel { .. })
        ));
        let unknown = vec![f32::NAN; 300];
        let unknown = PairFit {
            small_win_probability: &unknown,
            ..fit
        };
        assert!(matches!(
            judge(unknown, &[1.0], None),
            Err(Error::NothingToJudge { .. })
        ));
    }
}
