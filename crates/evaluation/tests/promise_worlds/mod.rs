//! Worlds with a known distribution, and how often what was promised on some of their prompts is missed on others.
#![expect(unreachable_pub, reason = "each crate has this module to itself")]

use dataset::TablePropensities;
use evaluation::{
    Error, Predicted, Router, Truth,
    choice::{Calibration, CalibrationParams, Goal, Standing, calibrate, standing_at},
};
use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, Exp1, StandardNormal};
use rayon::prelude::*;

/// How the costs of an LLM's answers vary from prompt to prompt; each has mean 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Costs {
    /// Normal, with a deviation of .25.
    Normal,
    /// Log-normal, with this deviation of the logarithm: lengths of answers are about that, from .6 to 1.2.
    LogNormal(f64),
    /// With a tail of this exponent: below 2 there is no variance.
    Pareto(f64),
    /// One prompt in twenty costs twenty times as much as the others.
    Rare,
}

/// Which scores and costs of the given prompts are known; of new ones all count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Known {
    All,
    /// Each with this probability.
    AtRandom(f64),
    /// Of one LLM per prompt, by a known policy that asks the dear LLMs seldom and for hard prompts more often.
    OnePerPrompt,
}

/// What is promised, and from how many prompts to how many.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    pub costs: Costs,
    pub known: Known,
    pub goal: Goal,
    pub n_given: usize,
    pub n_new: usize,
    pub confidence: f64,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    pub n_draws: usize,
    /// Draws in which nothing was promised: there new prompts miss nothing.
    pub refused: usize,
    pub missed: usize,
    pub missed_without: usize,
    /// Over the draws that were promised: mean score and cost of the new prompts, and without a confidence.
    pub accuracy: [f64; 2],
    pub cost_usd: [f64; 2],
}

const N_MODELS: usize = 4;

struct World {
    scores: Array2<f32>,
    cost_usd: Array2<f64>,
    predicted_scores: Array2<f32>,
    predicted_cost_usd: Array2<f64>,
    propensities: Option<Array2<f64>>,
}

impl Costs {
    fn draw(self, rng: &mut ChaCha8Rng) -> f64 {
        let mut normal = || -> f64 { StandardNormal.sample(rng) };
        match self {
            Self::Normal => (1.0 + 0.25 * normal()).max(0.0),
            Self::LogNormal(deviation) => {
                (deviation * normal() - deviation * deviation / 2.0).exp()
            }
            Self::Pareto(tail) => {
                let exponential: f64 = Exp1.sample(rng);
                (exponential / tail).exp() * (tail - 1.0) / tail
            }
            Self::Rare => match rng.random_bool(0.05) {
                true => 20.0 / 1.95,
                false => 1.0 / 1.95,
            },
        }
    }
}

/// LLMs each twice as dear as the one before it, from $.10 per 1,000 prompts on, and better; the router sees a prompt's difficulty through noise, and of its
/// length nothing.
fn world(costs: Costs, n_prompts: usize, rng: &mut ChaCha8Rng) -> World {
    let shape = (n_prompts, N_MODELS);
    let mut world = World {
        scores: Array2::zeros(shape),
        cost_usd: Array2::zeros(shape),
        predicted_scores: Array2::zeros(shape),
        predicted_cost_usd: Array2::zeros(shape),
        propensities: None,
    };
    for prompt in 0..n_prompts {
        let difficulty: f64 = rng.random_range(0.0..1.0);
        let seen = difficulty + rng.random_range(-0.25..0.25);
        let length = costs.draw(rng);
        for model in 0..N_MODELS {
            let ability = 0.35 + 0.2 * model as f64;
            // Strictly monotone, so that prompts change one after the other and not many at once.
            let chance = |difficulty: f64| 1.0 / (1.0 + (5.0 * (difficulty - ability)).exp());
            let usd = 1e-4 * f64::from(1 << model);
            world.scores[[prompt, model]] =
                f32::from(u8::from(rng.random_bool(chance(difficulty))));
            world.predicted_scores[[prompt, model]] = chance(seen) as f32;
            world.cost_usd[[prompt, model]] = usd * length * rng.random_range(0.8..1.2);
            world.predicted_cost_usd[[prompt, model]] = usd;
        }
    }
    world
}

impl World {
    fn truth(&self) -> Truth<'_> {
        let recorded = self.propensities.clone().map(TablePropensities::recorded);
        Truth::with_table(self.scores.view(), self.cost_usd.view(), recorded.as_ref())
            .expect("a good table")
    }

    /// Forgets what is not known.
    fn only_known(mut self, known: Known, rng: &mut ChaCha8Rng) -> Self {
        let (n_prompts, n_models) = self.scores.dim();
        let mut propensities = Array2::from_elem((n_prompts, n_models), 1.0);
        for prompt in 0..n_prompts {
            // The better the cheapest LLM is thought to be, the surer it is asked.
            let ease = f64::from(self.predicted_scores[[prompt, 0]]);
            let of_models = [
                0.2 + 0.4 * ease,
                0.4 - 0.2 * ease,
                0.25 - 0.1 * ease,
                0.15 - 0.1 * ease,
            ];
            let drawn: f64 = rng.random_range(0.0..1.0);
            let mut sum = 0.0;
            for model in 0..n_models {
                let is_known = match known {
                    Known::All => true,
                    Known::AtRandom(share) => rng.random_bool(share),
                    Known::OnePerPrompt => {
                        propensities[[prompt, model]] = of_models[model];
                        sum += of_models[model];
                        (sum - of_models[model]..sum).contains(&drawn)
                    }
                };
                if !is_known {
                    self.scores[[prompt, model]] = f32::NAN;
                    self.cost_usd[[prompt, model]] = f64::NAN;
                }
            }
        }
        self.propensities = (known == Known::OnePerPrompt).then_some(propensities);
        self
    }

    fn router(&self) -> Router<'_> {
        let predicted =
            Predicted::new(self.predicted_scores.view(), self.predicted_cost_usd.view());
        Router::PerModel {
            predicted: predicted.expect("a good table"),
            pair: None,
        }
    }

    fn at(&self, calibration: &Calibration) -> Standing {
        standing_at(&self.truth(), self.router(), calibration.setting).expect("routed")
    }

    fn is_missed(&self, goal: Goal, standing: &Standing) -> bool {
        match goal {
            Goal::Cost { at_most_usd } => standing.point.cost_usd > at_most_usd,
            Goal::Accuracy { at_least } => standing.point.accuracy < at_least,
            Goal::Share { model_idx, share } => standing.shares[model_idx] > share,
            Goal::RelativeCost { model_idx, at_most } => {
                let alone = self
                    .cost_usd
                    .column(model_idx)
                    .mean()
                    .expect("there are prompts");
                standing.point.cost_usd > at_most * alone
            }
        }
    }
}

/// Promises on fresh prompts and looks at as many others, again and again.
pub fn rates(setup: Setup, n_draws: usize) -> Rates {
    let draws = (0..n_draws as u64)
        .into_par_iter()
        .map(|seed| draw(setup, seed));
    draws.reduce(Rates::default, |a, b| Rates {
        n_draws: a.n_draws + b.n_draws,
        refused: a.refused + b.refused,
        missed: a.missed + b.missed,
        missed_without: a.missed_without + b.missed_without,
        accuracy: [0, 1].map(|i| a.accuracy[i] + b.accuracy[i]),
        cost_usd: [0, 1].map(|i| a.cost_usd[i] + b.cost_usd[i]),
    })
}

fn draw(setup: Setup, seed: u64) -> Rates {
    let Setup {
        costs,
        known,
        goal,
        n_given,
        n_new,
        confidence,
    } = setup;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let given = world(costs, n_given, &mut rng).only_known(known, &mut rng);
    let new = world(costs, n_new, &mut rng);
    let params = CalibrationParams {
        goal,
        confidence: None,
        n_new_prompts: n_new,
        level: 0.95,
        // Nothing here needs the intervals.
        n_resamples: 1,
        seed,
    };
    let without = calibrate(&given.truth(), given.router(), &params).expect("within reach");
    let without = new.at(&without);
    let mut rates = Rates {
        n_draws: 1,
        missed_without: usize::from(new.is_missed(goal, &without)),
        ..Rates::default()
    };
    let params = CalibrationParams {
        confidence: Some(confidence),
        ..params
    };
    match calibrate(&given.truth(), given.router(), &params) {
        Ok(with) => {
            let with = new.at(&with);
            rates.missed = usize::from(new.is_missed(goal, &with));
            rates.accuracy = [with.point.accuracy, without.point.accuracy];
            rates.cost_usd = [with.point.cost_usd, without.point.cost_usd];
        }
        Err(Error::NotPromised(_)) => rates.refused = 1,
        Err(error) => panic!("{error}"),
    }
    rates
}
