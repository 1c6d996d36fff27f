//! What intervals and verdicts of the gain promise, on made-up worlds whose truth is known.
//!
//! A world has bins of prompts and LLMs close to each other; a router is a smoother of each LLM's scores over bins, fitted in 5 folds, so that
//! the argmax is over noisy values (winner's curse) and the best constant differs between folds. The truth of a table is the mean gain of the
//! routers that were fitted on it, from the known probabilities of right answers.

use dataset::worth::{best_constant, grid, utility};
use evaluation::{
    Predicted, Truth,
    worth::{
        Baseline, CrossFit, Estimate, GainReport, GainSettings, Trade, TradeReport, Verdict,
        prompt_gains, trade,
    },
};
use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::Normal;

const N_BINS: usize = 32;
const N_FOLDS: usize = 5;
const SETTINGS: GainSettings = GainSettings {
    level: 0.95,
    n_resamples: 200,
    seed: 42,
};

/// What the LLMs are like.
#[derive(Debug, Clone, Copy)]
struct World {
    n_prompts: usize,
    n_models: usize,
    /// Half of the range that the LLMs' mean scores are drawn from.
    spread: f64,
    /// By how much the first LLM is better than the others.
    lead: f64,
    /// Standard deviation over bins of an LLM's own strength: what a router could know.
    signal: f64,
}

/// How a router smooths.
#[derive(Debug, Clone, Copy)]
enum Smoother {
    /// Each bin's mean, drawn to the LLM's mean with the strength of five prompts.
    Drawn,
    /// The mean of four bins together.
    Pooled,
    /// The LLM's mean and a random number: it knows nothing.
    Random,
}

struct Judged {
    report: GainReport,
    /// The true mean gain.
    truth: f64,
    trade: TradeReport,
    /// At each worth true score and cost of the router, then of the best constant.
    expected: Vec<[f64; 4]>,
}

impl World {
    /// Draws a table, fits and judges; `repeats` passes of cross-fitting.
    fn judge(&self, smoother: Smoother, repeats: usize, seed: u64) -> Judged {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let Self {
            n_prompts,
            n_models,
            ..
        } = *self;
        let normal = |sd: f64, rng: &mut ChaCha8Rng| -> f64 {
            rng.sample(Normal::new(0.0, sd).expect("a standard deviation"))
        };
        let mut cost: Vec<f64> = (0..n_models)
            .map(|m| 0.001 * 10_f64.powf(m as f64 / (n_models - 1) as f64))
            .collect();
        cost.shuffle(&mut rng);
        let ability: Vec<f64> = (0..n_models)
            .map(|m| {
                0.6 + self.spread * rng.random_range(-1.0..=1.0)
                    + if m == 0 { self.lead } else { 0.0 }
            })
            .collect();
        let difficulty: Vec<f64> = (0..N_BINS).map(|_| normal(0.15, &mut rng)).collect();
        let probability = Array2::from_shape_fn((N_BINS, n_models), |(bin, m)| {
            (ability[m] + difficulty[bin] + normal(self.signal, &mut rng)).clamp(0.02, 0.98)
        });
        let bins: Vec<usize> = (0..n_prompts)
            .map(|_| rng.random_range(0..N_BINS))
            .collect();
        let scores = Array2::from_shape_fn((n_prompts, n_models), |(i, m)| {
            f32::from(u8::from(rng.random_bool(probability[[bins[i], m]])))
        });
        let cost_usd = Array2::from_shape_fn((n_prompts, n_models), |(_, m)| cost[m]);
        let worths = grid(&cost);

        let (mut predictions, mut expected) = (Vec::new(), vec![[0.0; 4]; worths.len()]);
        for _ in 0..repeats {
            let mut order: Vec<usize> = (0..n_prompts).collect();
            order.shuffle(&mut rng);
            let mut folds = vec![None; n_prompts];
            for (place, &i) in order.iter().enumerate() {
                folds[i] = Some((place % N_FOLDS) as u32);
            }
            let mut predicted = Array2::<f32>::zeros((n_prompts, n_models));
            for fold in 0..N_FOLDS as u32 {
                let rows: Vec<usize> = (0..n_prompts).filter(|&i| folds[i] != Some(fold)).collect();
                let means: Vec<f64> = (0..n_models)
                    .map(|m| {
                        rows.iter().map(|&i| f64::from(scores[[i, m]])).sum::<f64>()
                            / rows.len() as f64
                    })
                    .collect();
                let fitted = Array2::from_shape_fn((N_BINS, n_models), |(bin, m)| {
                    let mean_of = |in_it: &dyn Fn(usize) -> bool, strength: f64| {
                        let values = rows
                            .iter()
                            .filter(|&&i| in_it(bins[i]))
                            .map(|&i| f64::from(scores[[i, m]]));
                        let (n, sum) = values.fold((0.0, 0.0), |(n, sum), x| (n + 1.0, sum + x));
                        (sum + strength * means[m]) / (n + strength)
                    };
                    match smoother {
                        Smoother::Drawn => mean_of(&|other| other == bin, 5.0),
                        Smoother::Pooled => mean_of(&|other| other / 4 == bin / 4, 0.01),
                        Smoother::Random => means[m] + 0.1 * rng.random_range(-1.0..1.0),
                    }
                });
                for i in (0..n_prompts).filter(|&i| folds[i] == Some(fold)) {
                    predicted
                        .row_mut(i)
                        .assign(&fitted.row(bins[i]).mapv(|score| score as f32));
                }
                for (&v, expected) in worths.iter().zip(&mut expected) {
                    let constant = best_constant(&means, &cost, v).expect("known means");
                    for bin in 0..N_BINS {
                        let worth = |m: usize, score: f64| utility(score, cost[m], v);
                        let chosen = (1..n_models).fold(0, |best, m| {
                            let better = worth(m, f64::from(fitted[[bin, m]] as f32))
                                > worth(best, f64::from(fitted[[bin, best]] as f32));
                            if better { m } else { best }
                        });
                        let outcomes = [chosen, constant].map(|m| [probability[[bin, m]], cost[m]]);
                        let parts = outcomes.concat();
                        let n = (repeats * N_FOLDS * N_BINS) as f64;
                        expected
                            .iter_mut()
                            .zip(parts)
                            .for_each(|(sum, x)| *sum += x / n);
                    }
                }
            }
            predictions.push((predicted, folds));
        }
        let gain =
            |(of, &v): (&[f64; 4], &f64)| utility(of[0], of[1], v) - utility(of[2], of[3], v);
        let truth = expected.iter().zip(&worths).map(gain).sum::<f64>() / worths.len() as f64;
        let cross_fits: Vec<CrossFit<'_>> = predictions
            .iter()
            .map(|(predicted, folds)| CrossFit {
                predicted: Predicted::new(predicted.view(), cost_usd.view()).expect("predictions"),
                baseline: Baseline::Folds(folds),
            })
            .collect();
        let table = Truth::new(scores.view(), cost_usd.view()).expect("a truth");
        let gains = prompt_gains(&table, &cross_fits, &worths).expect("judged");
        Judged {
            report: GainReport::new(&gains, None, &SETTINGS).expect("a report"),
            truth,
            trade: trade(&gains, None, &SETTINGS).expect("a trade"),
            expected,
        }
    }
}

const HARD: World = World {
    n_prompts: 300,
    n_models: 8,
    spread: 0.0,
    lead: 0.0,
    signal: 0.0,
};

fn holds(judged: &Judged) -> bool {
    is_in(judged.report.mean, judged.truth)
}

fn is_in(Estimate { low, high, .. }: Estimate, truth: f64) -> bool {
    // A sum of expectations rounds, and an interval may be a point.
    (low - 1e-12..=high + 1e-12).contains(&truth)
}

#[test]
fn savings_and_quality_are_in_their_intervals() {
    let world = World {
        signal: 0.1,
        spread: 0.05,
        ..HARD
    };
    let mut n_held = [0; 4];
    for seed in 0..100 {
        let judged = world.judge(Smoother::Drawn, 1, 4_000 + seed);
        let [.., reference_score, reference_cost] = *judged.expected.last().expect("a worth");
        let truth = |Trade { worths_usd, .. }: &Trade| {
            // Each half at the worth that the other chose, or by the reference.
            let of_half = worths_usd.map(|worth_usd| match worth_usd {
                None => [reference_score, reference_cost],
                Some(v) => {
                    let at = judged.report.curve.iter().position(|at| at.worth_usd == v);
                    let [score, cost, ..] = judged.expected[at.expect("a worth of the grid")];
                    [score, cost]
                }
            });
            let mean = |i: usize| f64::midpoint(of_half[0][i], of_half[1][i]);
            (1.0 - mean(1) / reference_cost, mean(0) - reference_score)
        };
        for (i, trade) in [&judged.trade.equal_quality, &judged.trade.equal_cost]
            .into_iter()
            .enumerate()
        {
            let (saving, score_gain) = truth(trade);
            n_held[2 * i] += usize::from(is_in(trade.saving, saving));
            n_held[2 * i + 1] += usize::from(is_in(trade.score_gain, score_gain));
        }
    }
    assert!(n_held.iter().all(|&n| n >= 90), "{n_held:?} of 100");
}

#[test]
fn of_a_hundred_tables_without_signal_few_are_called_worth_it() {
    for (smoother, spread) in [
        (Smoother::Drawn, 0.0),
        (Smoother::Pooled, 0.03),
        (Smoother::Random, 0.0),
    ] {
        let world = World { spread, ..HARD };
        let n_worth_it = (0..100)
            .filter(|&seed| world.judge(smoother, 1, seed).report.verdict(None) == Verdict::WorthIt)
            .count();
        assert!(n_worth_it <= 6, "{smoother:?}: {n_worth_it} of 100");
    }
}

#[test]
fn of_a_hundred_tables_the_interval_holds_the_truth_in_most() {
    for (smoother, signal, lead, spread) in [
        (Smoother::Drawn, 0.0, 0.0, 0.0),
        (Smoother::Drawn, 0.05, 0.0, 0.03),
        (Smoother::Pooled, 0.05, 0.0, 0.02),
        (Smoother::Drawn, 0.2, 0.0, 0.02),
        (Smoother::Pooled, 0.05, 0.15, 0.0),
    ] {
        let world = World {
            signal,
            lead,
            spread,
            ..HARD
        };
        let n = (0..100)
            .filter(|&seed| holds(&world.judge(smoother, 1, 1_000 + seed)))
            .count();
        assert!(n >= 90, "{smoother:?} {world:?}: {n} of 100");
    }
}

#[test]
fn repeats_keep_the_promise() {
    let world = World {
        signal: 0.05,
        spread: 0.02,
        ..HARD
    };
    let n = (0..100)
        .filter(|&seed| holds(&world.judge(Smoother::Drawn, 3, 2_000 + seed)))
        .count();
    assert!(n >= 90, "{n} of 100");
}

#[test]
fn of_twenty_tables_with_a_clear_gain_most_are_called_worth_it() {
    // A signal such that the true gain is at least 4 of the reported standard errors; tables where it is less are passed over.
    let world = World {
        signal: 0.13,
        n_prompts: 600,
        spread: 0.02,
        ..HARD
    };
    let clear: Vec<Judged> = (3_000..)
        .map(|seed| world.judge(Smoother::Drawn, 1, seed))
        .filter(|judged| judged.truth >= 4.0 * judged.report.mean.standard_error)
        .take(20)
        .collect();
    let n = clear
        .iter()
        .filter(|judged| judged.report.verdict(None) == Verdict::WorthIt)
        .count();
    assert!(n >= 18, "{n} of 20");
}
