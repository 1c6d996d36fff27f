//! Problems whose Bayes router, margin and smoothness are known in closed form.

use ndarray::{Array2, ArrayView1, Axis};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// LLMs of a problem: `small`, `large` and `dear`.
pub const N_LLMS: usize = 3;
/// Outputs to be predicted: the score and the cost of each LLM by turns.
pub const N_OUTPUTS: usize = 2 * N_LLMS;

/// The numbers of the made-up LLMs, as configs/rate-study.toml has and explains them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LlmParams {
    /// Expected score of `large` on the easiest prompts.
    pub best_score: f64,
    /// What the hardest prompts take off every LLM's score.
    pub hardness_score: f64,
    /// Expected cost of `small` on the easiest prompts.
    pub cheap_cost: f64,
    /// What the hardest prompts add to every LLM's cost.
    pub hardness_cost: f64,
    /// What `large` costs more than `small` where both are equally useful.
    pub cost_gap: f64,
    /// How that changes with the difference of their utilities.
    pub cost_gap_slope: f64,
    /// What `dear` costs more than `small`.
    pub dear_cost_gap: f64,
    /// Half the range of costs, in parts of the expectation.
    pub cost_noise: f64,
    /// Difference of utilities where `large` is most useful.
    pub height: f64,
    /// The same where `small` is, in parts of `height`.
    pub asymmetry: f64,
}

/// One routing problem: prompts are even on the cube `[0, 1]^dim`, and `large` is worth its cost where the first coordinate exceeds 1/2.
///
/// ```text
/// s          = x_1 - 1/2                                              signed distance to the decision boundary
/// hardness   = mean over j of |2 x_j - 1|^g                            in [0, 1]; shifts all LLMs alike
/// difference = height * (2s)^g              where s > 0                utility(large) - utility(small)
///            = -asymmetry * height * (-2s)^g   else
/// cost gap   = cost_gap + cost_gap_slope * difference
/// cost       = small: cheap_cost + hardness_cost * hardness
///              large: small's + cost gap
///              dear:  small's + dear_cost_gap + max(-difference, 0) / mu
/// score      = large: best_score - hardness_score * hardness
///              small: large's - (difference + mu * cost gap) / (1 - mu)
///              dear:  small's
/// utility    = (1 - mu) * score - mu * cost
/// ```
///
/// so that `dear` is less useful than the worse of the other two by `mu * dear_cost_gap` everywhere. A drawn score is 1 with the expected score as
/// its probability, else 0; a drawn cost is even on `(1 ± cost_noise)` times its expectation; all draws are independent.
///
/// # Smoothness
/// All expectations are Hoelder of exponent g: `|t|^g` is, and hardness and the difference are made of it. They are no smoother where it matters:
/// across the boundary the difference goes like `|s|^g` with another factor on either side, at every scale alike.
///
/// # Margin
/// The best LLM beats the second best by `|difference|`, so for `t <= asymmetry * height`
///
/// ```text
/// P(0 < margin <= t) = ((t / height)^(1/g) + (t / (asymmetry * height))^(1/g)) / 2
/// ```
///
/// exactly: the margin exponent is `a = 1/g`, and `a g = 1 <= dim`, as lower bounds on the rate require.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Problem {
    dim: usize,
    smoothness: f64,
    mu: f64,
    llms: LlmParams,
}

/// A training set.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Prompts, of shape `(n, dim)`.
    pub points: Array2<f64>,
    /// Drawn scores and costs by turns, of shape `(n, 2 * N_LLMS)`.
    pub outputs: Array2<f32>,
}

impl Problem {
    /// A problem in `dim` dimensions whose expectations have Hoelder exponent `smoothness`.
    ///
    /// # Errors
    /// [`Error::BadSetting`] unless `dim` is at least 1, `smoothness` in (0, 1], `mu` in (0, 1), `asymmetry` in (0, 1], `cost_noise` in [0, 1], all
    /// gaps and the height are above 0, every expected score lies in [0, 1] and every expected cost is above 0.
    pub fn new(dim: usize, smoothness: f64, mu: f64, llms: LlmParams) -> Result<Self> {
        let bad = |name: &str, found: f64, expected| {
            Err(Error::BadSetting {
                name: name.to_owned(),
                found: found.to_string(),
                expected,
            })
        };
        if dim == 0 {
            return bad("dim", 0.0, "at least 1");
        }
        if !(smoothness > 0.0 && smoothness <= 1.0) {
            return bad("smoothness", smoothness, "above 0 and at most 1");
        }
        if !(mu > 0.0 && mu < 1.0) {
            return bad("mu", mu, "above 0 and below 1");
        }
        if !(llms.asymmetry > 0.0 && llms.asymmetry <= 1.0) {
            return bad("llms.asymmetry", llms.asymmetry, "above 0 and at most 1");
        }
        if !(0.0..=1.0).contains(&llms.cost_noise) {
            return bad("llms.cost-noise", llms.cost_noise, "from 0 to 1");
        }
        for (name, value) in [
            ("llms.height", llms.height),
            ("llms.dear-cost-gap", llms.dear_cost_gap),
        ] {
            if !(value > 0.0 && value.is_finite()) {
                return bad(name, value, "a number above 0");
            }
        }
        let problem = Self {
            dim,
            smoothness,
            mu,
            llms,
        };
        // Expectations are linear in the hardness and, on either side of 0, in the difference: their extremes are at the ends.
        for difference in [-llms.asymmetry * llms.height, 0.0, llms.height] {
            for hardness in [0.0, 1.0] {
                for [score, cost] in problem.expectations_at(difference, hardness) {
                    if !(0.0..=1.0).contains(&score) {
                        return bad("an expected score under `llms`", score, "from 0 to 1");
                    }
                    if !(cost > 0.0 && cost.is_finite()) {
                        return bad("an expected cost under `llms`", cost, "above 0");
                    }
                }
            }
        }
        Ok(problem)
    }

    /// Number of coordinates of a prompt, d.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The Hoelder exponent, g.
    pub fn smoothness(&self) -> f64 {
        self.smoothness
    }

    /// The margin exponent, a.
    pub fn margin_exponent(&self) -> f64 {
        1.0 / self.smoothness
    }

    /// The exponent of n in the bound on the excess risk, `g (1 + a) / (2 g + d)`; the slope is minus this.
    pub fn rate(&self) -> f64 {
        self.smoothness * (1.0 + self.margin_exponent()) / (2.0 * self.smoothness + self.dim as f64)
    }

    /// The number of neighbors that attains the bound, `ceil(c * n^(2g / (2g + d)))`, at most n and at least 1.
    pub fn n_neighbors(&self, c: f64, n: usize) -> usize {
        let g = self.smoothness;
        let k = (c * (n as f64).powf(2.0 * g / (2.0 * g + self.dim as f64))).ceil();
        (k as usize).clamp(1, n.max(1))
    }

    /// The probability that the best LLM beats the second best by more than 0 and at most `t`.
    pub fn margin_probability(&self, t: f64) -> f64 {
        let part = |height: f64| (t / height).clamp(0.0, 1.0).powf(self.margin_exponent());
        let llms = &self.llms;
        0.5 * (part(llms.height) + part(llms.asymmetry * llms.height))
    }

    /// How much more useful `large` is than `small` at a signed distance to the boundary.
    pub fn difference(&self, distance: f64) -> f64 {
        let height = self.llms.height * (2.0 * distance.abs()).powf(self.smoothness);
        if distance > 0.0 {
            height
        } else {
            -self.llms.asymmetry * height
        }
    }

    /// Expected score and cost of each LLM on a prompt.
    pub fn expectations(&self, prompt: ArrayView1<'_, f64>) -> [[f64; 2]; N_LLMS] {
        let hardness = prompt
            .iter()
            .map(|&x| (2.0 * x - 1.0).abs().powf(self.smoothness))
            .sum::<f64>()
            / self.dim as f64;
        self.expectations_at(self.difference(prompt[0] - 0.5), hardness)
    }

    fn expectations_at(&self, difference: f64, hardness: f64) -> [[f64; 2]; N_LLMS] {
        let (llms, mu) = (&self.llms, self.mu);
        let cost_gap = llms.cost_gap + llms.cost_gap_slope * difference;
        let small_cost = llms.cheap_cost + llms.hardness_cost * hardness;
        let large_score = llms.best_score - llms.hardness_score * hardness;
        let small_score = large_score - (difference + mu * cost_gap) / (1.0 - mu);
        let dear_cost = small_cost + llms.dear_cost_gap + f64::max(-difference, 0.0) / mu;
        [
            [small_score, small_cost],
            [large_score, small_cost + cost_gap],
            [small_score, dear_cost],
        ]
    }

    /// What a score and a cost are worth.
    pub fn utility(&self, [score, cost]: [f64; 2]) -> f64 {
        (1.0 - self.mu) * score - self.mu * cost
    }

    /// What is lost by choosing each LLM for a prompt: the best one's utility minus its own; 0 for the Bayes router's choice.
    pub fn excess(&self, prompt: ArrayView1<'_, f64>) -> [f64; N_LLMS] {
        let utilities = self
            .expectations(prompt)
            .map(|expected| self.utility(expected));
        let best = utilities.into_iter().fold(f64::NEG_INFINITY, f64::max);
        utilities.map(|utility| best - utility)
    }

    /// The LLM that CARROT's rule chooses by predicted scores and costs by turns: the first with the highest utility.
    pub fn choose(&self, outputs: ArrayView1<'_, f64>) -> usize {
        let utility = |llm: usize| self.utility([outputs[2 * llm], outputs[2 * llm + 1]]);
        (1..N_LLMS).fold(0, |best, llm| {
            if utility(llm) > utility(best) {
                llm
            } else {
                best
            }
        })
    }

    /// Draws a training set of `n` prompts with a score and a cost of each LLM.
    pub fn draw(&self, n: usize, rng: &mut impl Rng) -> Sample {
        let mut points = Array2::zeros((n, self.dim));
        let mut outputs = Array2::zeros((n, N_OUTPUTS));
        for (mut point, mut outputs) in points
            .axis_iter_mut(Axis(0))
            .zip(outputs.axis_iter_mut(Axis(0)))
        {
            point.mapv_inplace(|_: f64| rng.random());
            for (llm, [score, cost]) in self.expectations(point.view()).into_iter().enumerate() {
                outputs[2 * llm] = if rng.random::<f64>() < score {
                    1.0
                } else {
                    0.0
                };
                let noise = self.llms.cost_noise * (2.0 * rng.random::<f64>() - 1.0);
                outputs[2 * llm + 1] = (cost * (1.0 + noise)) as f32;
            }
        }
        Sample { points, outputs }
    }

    /// Draws `n` fresh test prompts, even on the whole cube.
    ///
    /// The first coordinate is stratified, one prompt in each n-th of the unit interval: an average over them has the expectation of one over
    /// independent prompts and less noise, since it is the first coordinate that a loss depends on.
    pub fn draw_test(&self, n: usize, rng: &mut impl Rng) -> Array2<f64> {
        let mut points = Array2::zeros((n, self.dim));
        for (i, mut point) in points.axis_iter_mut(Axis(0)).enumerate() {
            point.mapv_inplace(|_: f64| rng.random());
            point[0] = (i as f64 + point[0]) / n as f64;
        }
        points
    }

    /// The variance of a drawn utility of `large` minus one of `small`, for a prompt at a distance to the boundary and of the given hardness.
    pub(crate) fn noise_variance(&self, distance: f64, hardness: f64) -> f64 {
        let variance = |[score, cost]: [f64; 2]| {
            let of_cost = (self.llms.cost_noise * cost).powi(2) / 3.0;
            (1.0 - self.mu).powi(2) * score * (1.0 - score) + self.mu.powi(2) * of_cost
        };
        let [small, large, _] = self.expectations_at(self.difference(distance), hardness);
        variance(small) + variance(large)
    }
}
