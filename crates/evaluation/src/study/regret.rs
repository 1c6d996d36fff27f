use dataset::PairIdx;
use ndarray::Array2;
use rayon::prelude::*;

use crate::{
    Error, Interval, Predicted, Result, Router, Truth,
    baseline::single::single_models,
    candidates::{Answer, Candidate, Candidates},
    curve::{
        events::{lambda_of, walk_envelope},
        pair_curve,
    },
    interval::check_level,
    rule::{best, check_weights, utility},
    study::bootstrap::Resamples,
    sum::Sum,
};

/// What a cost weighs against a score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights<'a> {
    /// The lambdas to look at one by one, each in [0, 1]; there may be none.
    pub lambdas: &'a [f64],
    /// Brings dollars to the scale of scores, see [`crate::choice::choose`].
    pub cost_multiplier: f64,
}

/// What each prompt loses by a router's choices instead of a reference's; see [`regret`].
#[derive(Debug, Clone, PartialEq)]
pub struct Regret {
    /// Shape `(n_prompts, n_lambdas + 1)`: at each lambda, and last the integral over all of them. A row is NaN where the truth of one of the
    /// two's choices is unknown, at any lambda.
    values: Array2<f64>,
}

/// A mean regret with bootstrap intervals over the prompts.
#[derive(Debug, Clone, PartialEq)]
pub struct RegretIntervals {
    /// At each of the lambdas, in their order.
    pub at: Vec<Interval>,
    /// The integral over lambda from 0 to 1, which is the mean over a lambda drawn at random.
    pub integrated: Interval,
    /// How many prompts the means are over.
    pub n_prompts: usize,
}

/// By how much a router's choices are worth less than those of a reference, prompt by prompt.
///
/// ```text
/// u(m, lambda) = (1 - lambda) * score[m] - lambda * cost_multiplier * cost[m]
/// r(lambda)    = u(m of the reference, lambda) - u(m of the router, lambda)
/// R            = integral of r over lambda from 0 to 1
/// ```
///
/// With the true expectations as `truth` and as `reference`, the reference is the Bayes router and `r` the excess risk of the CARROT paper
/// (arXiv 2502.03261, with losses turned into scores): no router's is below 0, but for rounding. With a test part as `truth` it is what came
/// of the same choices, which chance may turn round.
///
/// A prompt counts where the truth of all choices of both is known, so this is for truths without gaps, as expectations are.
///
/// The integral is exact. A per-LLM router's choice changes only where lines of its envelope cross, see [`crate::curve::exact_curve`], and between two
/// changes `u` is a straight line.
///
/// A router that knows no lambda gets the best for each in hindsight, on the mean over these very prompts: a pair router its best threshold,
/// the zero router its best LLM (a mixture of two is never worth more than the better one). That favors them over routers that have to make do
/// with their predictions.
///
/// Returns one row per prompt. Takes `O(n_models)` steps per prompt and change for a per-LLM router, `O(n_prompts)` per change of the best
/// threshold for a pair router.
///
/// # Errors
/// [`Error::Shape`], [`Error::NoSuchModel`] or [`Error::NothingToChoose`], as from the curves; [`Error::BadLambda`];
/// [`Error::BadCostMultiplier`].
///
/// ```
/// use evaluation::{Predicted, Router, Truth, study::{Weights, regret}};
/// use ndarray::array;
///
/// // The second LLM is worth its cost up to lambda 1/3; a router that never asks it loses 1/12 over all lambdas.
/// let (scores, costs) = (array![[0.5, 1.0]], array![[0.0, 1.0]]);
/// let truth = Truth::new(scores.view(), costs.view())?;
/// let blind = array![[0.5, 0.0]];
/// let predicted = Predicted::new(blind.view(), costs.view())?;
///
/// let reference = Predicted::new(scores.view(), costs.view())?;
/// let weights = Weights { lambdas: &[0.0, 0.5], cost_multiplier: 1.0 };
/// let regret = regret(&truth, reference, &Router::PerModel { predicted, pair: None }, weights)?;
/// assert_eq!((regret.mean_at(0), regret.mean_at(1)), (0.5, 0.0));
/// assert!((regret.mean() - 1.0 / 12.0).abs() < 1e-12);
/// # Ok::<(), evaluation::Error>(())
/// ```
pub fn regret(
    truth: &Truth<'_>,
    reference: Predicted<'_>,
    router: &Router<'_>,
    weights: Weights<'_>,
) -> Result<Regret> {
    check_weights(0.0, weights.cost_multiplier)?;
    for &lambda in weights.lambdas {
        check_weights(lambda, weights.cost_multiplier)?;
    }
    let values =
        utilities(truth, &per_model(reference), weights)? - utilities(truth, router, weights)?;
    let this = Regret { values };
    if this.n_prompts() == 0 {
        let n_prompts = truth.n_prompts();
        return Err(Error::NothingToChoose { n_prompts });
    }
    Ok(this)
}

impl Regret {
    /// How many prompts count; at least 1 but for a [difference](Regret::minus).
    pub fn n_prompts(&self) -> usize {
        self.counted().count()
    }

    /// The mean at one of the lambdas.
    ///
    /// # Panics
    /// When there is no such lambda.
    pub fn mean_at(&self, lambda_idx: usize) -> f64 {
        assert!(lambda_idx < self.n_lambdas(), "no such lambda");
        self.mean_of(lambda_idx)
    }

    /// The mean of the integral over lambda.
    pub fn mean(&self) -> f64 {
        self.mean_of(self.n_lambdas())
    }

    /// By how much this regret exceeds another one on the same prompts and lambdas, prompt by prompt.
    ///
    /// # Errors
    /// [`Error::Shape`] when it is of other prompts or lambdas.
    pub fn minus(&self, other: &Self) -> Result<Self> {
        if self.values.dim() != other.values.dim() {
            return Err(Error::Shape {
                what: "regrets",
                expected: self.values.dim(),
                found: other.values.dim(),
            });
        }
        Ok(Self {
            values: &self.values - &other.values,
        })
    }

    /// The means, and where they may lie: percentiles of the means over resampled prompts. `truth` says which prompts are drawn.
    ///
    /// Choices stay as they are in every resample, those in hindsight too; so the intervals speak of chance in the prompts, not in training.
    ///
    /// # Errors
    /// [`Error::BadLevel`]; [`Error::Shape`] for a truth or given resamples of another number of prompts.
    pub fn intervals(
        &self,
        truth: &Truth<'_>,
        resamples: &Resamples,
        level: f64,
    ) -> Result<RegretIntervals> {
        check_level(level)?;
        resamples.check_fits(truth)?;
        let (n_rows, n_columns) = self.values.dim();
        if truth.n_prompts() != n_rows {
            return Err(Error::Shape {
                what: "regrets",
                expected: (truth.n_prompts(), n_columns),
                found: (n_rows, n_columns),
            });
        }
        let counted: Vec<usize> = self.counted().collect();
        let mut resampled = vec![f64::NAN; resamples.len() * n_columns];
        resampled
            .par_chunks_mut(n_columns)
            .enumerate()
            .for_each_init(Vec::new, |counts, (resample_idx, means)| {
                resamples.count(resample_idx, truth, counts);
                self.resampled_means(&counted, counts, means);
            });
        let mut intervals: Vec<Interval> = (0..n_columns)
            .map(|column| {
                let means = resampled.iter().skip(column).step_by(n_columns);
                Interval::new(self.mean_of(column), means.copied().collect(), level)
            })
            .collect();
        let integrated = intervals.pop().expect("the integral is always there");
        Ok(RegretIntervals {
            at: intervals,
            integrated,
            n_prompts: counted.len(),
        })
    }

    fn n_lambdas(&self) -> usize {
        self.values.ncols() - 1
    }

    /// Rows that are not NaN: one column is enough to look at, since a row is NaN as a whole.
    fn counted(&self) -> impl Iterator<Item = usize> {
        let last = self.n_lambdas();
        (0..self.values.nrows())
            .filter(move |&prompt_idx| !self.values[[prompt_idx, last]].is_nan())
    }

    fn mean_of(&self, column: usize) -> f64 {
        let sum: Sum = self
            .counted()
            .map(|prompt_idx| self.values[[prompt_idx, column]])
            .collect();
        sum.value() / self.n_prompts() as f64
    }

    /// NaN where none of the prompts was drawn.
    fn resampled_means(&self, counted: &[usize], counts: &[u32], means: &mut [f64]) {
        let (mut sums, mut n_drawn) = (vec![Sum::default(); means.len()], 0.0);
        for &prompt_idx in counted.iter().filter(|&&prompt_idx| counts[prompt_idx] > 0) {
            let weight = f64::from(counts[prompt_idx]);
            n_drawn += weight;
            for (sum, value) in sums.iter_mut().zip(self.values.row(prompt_idx)) {
                sum.add(weight * value);
            }
        }
        for (mean, sum) in means.iter_mut().zip(sums) {
            *mean = sum.value() / n_drawn;
        }
    }
}

fn per_model(predicted: Predicted<'_>) -> Router<'_> {
    Router::PerModel {
        predicted,
        pair: None,
    }
}

/// What a router's choices are worth: one row per prompt, at each lambda, and last the integral; NaN where it has no choice.
fn utilities(truth: &Truth<'_>, router: &Router<'_>, weights: Weights<'_>) -> Result<Array2<f64>> {
    match *router {
        Router::PerModel { predicted, .. } => {
            let candidates = Candidates::new(truth, &predicted)?;
            let mut values = unknown(truth, weights);
            for (prompt_idx, of_prompt) in candidates.by_prompt() {
                let course = Course::of(of_prompt, weights);
                course.write(values.row_mut(prompt_idx), weights, |chosen| {
                    match chosen.answer.is_known() {
                        true => (chosen.answer.score, chosen.answer.cost),
                        false => (f64::NAN, f64::NAN),
                    }
                });
            }
            Ok(values)
        }
        Router::Pair {
            pair: pair @ PairIdx { small, large },
            small_win_probability,
        } => {
            // A binary router has a threshold where others have lambda. For each lambda it gets the best of its thresholds in hindsight,
            // which is the most that can be said for it.
            let points = pair_curve(truth, pair, small_win_probability)?.points;
            let thresholds: Vec<Candidate> = (points.iter().enumerate())
                .filter(|(_, point)| point.is_known())
                .map(|(point_idx, point)| in_hindsight(point_idx, point.accuracy, point.cost_usd))
                .collect();
            let course = Course::of(&thresholds, weights);
            let mut values = unknown(truth, weights);
            for (prompt_idx, &probability) in small_win_probability.iter().enumerate() {
                let (Some(of_small), Some(of_large), true) = (
                    truth.get(prompt_idx, small),
                    truth.get(prompt_idx, large),
                    probability.is_finite(),
                ) else {
                    continue;
                };
                course.write(values.row_mut(prompt_idx), weights, |chosen| {
                    if f64::from(probability) >= points[chosen.answer.model_idx].setting {
                        of_small
                    } else {
                        of_large
                    }
                });
            }
            Ok(values)
        }
        Router::Zero => {
            // One choice for all prompts: each LLM by its mean score and cost.
            let models: Vec<Candidate> = (single_models(truth).into_iter().enumerate())
                .filter_map(|(model_idx, point)| {
                    let point = point?;
                    Some(in_hindsight(model_idx, point.accuracy, point.cost_usd))
                })
                .collect();
            if models.is_empty() {
                let n_prompts = truth.n_prompts();
                return Err(Error::NothingToChoose { n_prompts });
            }
            let course = Course::of(&models, weights);
            let mut values = unknown(truth, weights);
            for prompt_idx in 0..truth.n_prompts() {
                if !truth.is_scored(prompt_idx) {
                    continue;
                }
                course.write(values.row_mut(prompt_idx), weights, |chosen| {
                    let unknown = (f64::NAN, f64::NAN);
                    truth
                        .get(prompt_idx, chosen.answer.model_idx)
                        .unwrap_or(unknown)
                });
            }
            Ok(values)
        }
    }
}

fn unknown(truth: &Truth<'_>, weights: Weights<'_>) -> Array2<f64> {
    Array2::from_elem((truth.n_prompts(), weights.lambdas.len() + 1), f64::NAN)
}

/// What is chosen for all prompts at once by its means.
fn in_hindsight(idx: usize, accuracy: f64, cost_usd: f64) -> Candidate {
    Candidate {
        answer: Answer {
            model_idx: idx,
            weight: 1.0,
            score: accuracy,
            cost: cost_usd,
        },
        predicted_score: accuracy,
        predicted_cost: cost_usd,
    }
}

/// Who is chosen at each lambda.
struct Course<'a> {
    /// At the lambdas asked for.
    at: Vec<&'a Candidate>,
    /// From 0 to 1: from where someone is chosen, and who.
    steps: Vec<(f64, &'a Candidate)>,
}

impl<'a> Course<'a> {
    /// The course among candidates, at least one.
    fn of(candidates: &'a [Candidate], weights: Weights<'_>) -> Self {
        let Weights {
            lambdas,
            cost_multiplier,
        } = weights;
        let mut steps = Vec::new();
        let first = walk_envelope(candidates, |mu, _, next| {
            steps.push((lambda_of(mu / cost_multiplier), next));
        });
        // The walk reports changes only; the first LLM holds from lambda 0.
        steps.insert(0, (0.0, first));
        Self {
            at: lambdas
                .iter()
                .map(|&lambda| best(candidates, lambda, cost_multiplier))
                .collect(),
            steps,
        }
    }

    /// What the choices are worth on a prompt, by the score and cost that they have there. NaN as a whole where one of them is unknown.
    fn write(
        &self,
        mut row: ndarray::ArrayViewMut1<'_, f64>,
        weights: Weights<'_>,
        answer: impl Fn(&Candidate) -> (f64, f64),
    ) {
        let multiplier = weights.cost_multiplier;
        for (i, (&lambda, &chosen)) in weights.lambdas.iter().zip(&self.at).enumerate() {
            let (score, cost) = answer(chosen);
            row[i] = utility(score, cost, lambda, multiplier);
        }
        let ends = self.steps.iter().skip(1).map(|&(from, _)| from);
        let integral: Sum = (self.steps.iter().zip(ends.chain([1.0])))
            .map(|(&(from, chosen), to)| {
                let (score, cost) = answer(chosen);
                // The integrals of lambda and of 1 - lambda from one end to the other.
                let of_cost = (to - from) * (to + from) / 2.0;
                let of_score = (to - from) - of_cost;
                of_score * score - of_cost * multiplier * cost
            })
            .collect();
        row[weights.lambdas.len()] = integral.value();
        // All or nothing: means at different lambdas must be over the same prompts, or a curve over lambda would jump where the prompts
        // change.
        if row.iter().any(|value| value.is_nan()) {
            row.fill(f64::NAN);
        }
    }
}

#[cfg(test)]
mod tests;
