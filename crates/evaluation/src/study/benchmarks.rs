use ndarray::{Array2, Axis};

use crate::{
    Curve, Error, Point, Predicted, Result, Truth,
    baseline::single::single_models,
    choice::{LambdaChoice, Lambdas, Routed, budget::check_budget, decisions},
    rule::routed,
};

mod folds;
mod intervals;

pub use self::{
    folds::folds,
    intervals::{BenchmarkIntervals, RouterIntervals, benchmark_intervals},
};

/// Prompts with what is known and predicted of them, and the benchmark that each belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// What is known.
    pub truth: Truth<'a>,
    /// What a router predicts.
    pub predicted: Predicted<'a>,
    /// One label per prompt.
    pub benchmarks: &'a [String],
}

/// On which prompts lambda is chosen for a benchmark of the test part.
#[derive(Debug, Clone, Copy)]
pub enum LambdaFrom<'a> {
    /// The benchmark's own test prompts, as the CARROT repository does: the best that could have been chosen in hindsight, which no one can
    /// know beforehand.
    Test,
    /// The benchmark's own test prompts but for those of the same fold, one fold per prompt as from [`folds`]: all prompts are used, and none
    /// has a say in the lambda that it is routed with. For predictions that exist for test prompts only.
    OtherFolds(&'a [usize]),
    /// The benchmark's validation prompts: for someone who knows which benchmark a prompt comes from.
    ValidationOfBenchmark(Rows<'a>),
    /// All validation prompts, with a budget relative to the reference LLM's mean cost over all of them: one lambda for all benchmarks.
    Validation(Rows<'a>),
}

/// A router on one benchmark, at a part of a reference LLM's cost.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchmarkPoint {
    /// The benchmark's label.
    pub benchmark: String,
    /// Number of its test prompts.
    pub n_prompts: usize,
    /// The part of the reference LLM's mean cost that may be spent.
    pub budget_ratio: f64,
    /// The reference LLM's point on the benchmark's test prompts.
    pub reference: Point,
    /// What the router does, or why nothing can be said.
    pub router: std::result::Result<BenchmarkRouter, Gap>,
}

/// Why a router has no point on a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// It cannot do with so little on the prompts that lambda is chosen on.
    OutOfReach,
    /// It has no LLM to choose, on the test prompts or on those that lambda is chosen on, or the reference LLM is not known on the latter.
    Unknown,
}

/// What a router does on a benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchmarkRouter {
    /// Which lambda was chosen, and what was to be expected of it; with [`LambdaFrom::OtherFolds`] one per fold, in the order of folds.
    pub choices: Vec<LambdaChoice>,
    /// The position of the LLM that each of the benchmark's test prompts was sent to, in their order; `None` where there was none to choose.
    pub chosen: Vec<Option<usize>>,
    /// What came of it on the benchmark's test prompts.
    pub routed: Routed,
    /// Its mean cost over the reference LLM's. May exceed the budget where lambda was not chosen on the test prompts.
    pub cost_ratio: f64,
    /// Its accuracy over the reference LLM's.
    pub accuracy_ratio: f64,
}

/// A router against a reference LLM on each benchmark, at parts of that LLM's cost: the numbers of CARROT's Plot 1.
///
/// Returns one item per benchmark and budget ratio, benchmarks in the order in which they first occur, budgets as given. For the published figure
/// take budget ratios .1, .2 and .3, [`LambdaFrom::Test`], and a grid of 1,000 steps with multiplier 1,000 (CARROT repository, plots, the spider
/// of SPROUT); for an honest one [`Lambdas::Exact`] and one of the others.
///
/// A mean is over the prompts that count, as everywhere: the reference LLM's over those for which it does.
///
/// # Errors
/// [`Error::NoSuchModel`] for the reference; [`Error::BadBudget`]; [`Error::Shape`] for labels, folds, or predictions, that do not fit;
/// [`Error::NoValidation`] for a benchmark without validation prompts where they are needed; [`Error::UnknownReference`] where nothing is known
/// of the reference, [`Error::NothingToChoose`] where the router can choose on no validation prompt at all.
///
/// # Deviations
/// With [`LambdaFrom::Test`] none; of several lambdas with the same accuracy the cheapest is reported.
pub fn benchmark_points(
    test: Rows<'_>,
    lambda_from: LambdaFrom<'_>,
    reference: usize,
    budget_ratios: &[f64],
    lambdas: Lambdas,
) -> Result<Vec<BenchmarkPoint>> {
    test.check(reference)?;
    budget_ratios
        .iter()
        .try_for_each(|&ratio| check_budget(ratio))?;
    let global = match lambda_from {
        LambdaFrom::Validation(rows) => {
            rows.check(reference)?;
            let point = reference_point(&rows.truth, reference, "all validation prompts")?;
            Some((lambdas.curve(&rows.truth, rows.predicted)?, point.cost_usd))
        }
        LambdaFrom::ValidationOfBenchmark(rows) => {
            rows.check(reference)?;
            None
        }
        LambdaFrom::OtherFolds(folds) => {
            check_labels("folds", test.truth.n_prompts(), folds.len())?;
            None
        }
        LambdaFrom::Test => None,
    };
    let mut points = Vec::new();
    for benchmark in distinct(test.benchmarks) {
        let of_test = Subset::of(&test, benchmark)?;
        let (truth, predicted) = of_test.views()?;
        let reference_on_test = reference_point(&truth, reference, benchmark)?;
        let all = || (0..of_test.prompt_idxs.len()).collect();
        let sources: Vec<Source> = match (lambda_from, &global) {
            (_, Some((curve, reference_cost_usd))) => vec![Source {
                basis: Some((curve.clone(), *reference_cost_usd)),
                routes: all(),
            }],
            (LambdaFrom::ValidationOfBenchmark(rows), None) => vec![Source {
                basis: Subset::of(&rows, benchmark)?.basis(reference, lambdas)?,
                routes: all(),
            }],
            (LambdaFrom::OtherFolds(folds), None) => of_test.by_fold(folds, reference, lambdas)?,
            _ => vec![Source {
                basis: of_test.basis(reference, lambdas)?,
                routes: all(),
            }],
        };
        for &budget_ratio in budget_ratios {
            let router = route(&truth, predicted, &sources, budget_ratio, lambdas)?;
            points.push(BenchmarkPoint {
                benchmark: benchmark.clone(),
                n_prompts: of_test.prompt_idxs.len(),
                budget_ratio,
                reference: reference_on_test,
                router: router.map(|(choices, chosen, routed)| BenchmarkRouter {
                    choices,
                    chosen,
                    cost_ratio: ratio(routed.point.cost_usd, reference_on_test.cost_usd),
                    accuracy_ratio: ratio(routed.point.accuracy, reference_on_test.accuracy),
                    routed,
                }),
            });
        }
    }
    Ok(points)
}

/// What lambda is chosen on, and for which prompts of a benchmark.
struct Source {
    /// The curve on the prompts to choose on, and the reference LLM's mean cost there; `None` where one of them is unknown.
    basis: Option<(Curve, f64)>,
    /// Positions among the benchmark's test prompts.
    routes: Vec<usize>,
}

/// Choices, what they come to for each prompt, and over all.
type Choices = (Vec<LambdaChoice>, Vec<Option<usize>>, Routed);

/// Routes each prompt of a benchmark with the lambda that is chosen for it.
fn route(
    truth: &Truth<'_>,
    predicted: Predicted<'_>,
    sources: &[Source],
    budget_ratio: f64,
    lambdas: Lambdas,
) -> Result<std::result::Result<Choices, Gap>> {
    let mut choices = Vec::with_capacity(sources.len());
    let mut chosen = vec![None; truth.n_prompts()];
    for source in sources {
        let Some((curve, reference_cost_usd)) = &source.basis else {
            return Ok(Err(Gap::Unknown));
        };
        let Some(choice) = lambdas.choose(curve, budget_ratio * reference_cost_usd) else {
            return Ok(Err(Gap::OutOfReach));
        };
        let all = match decisions(truth, predicted, choice.lambda, choice.cost_multiplier) {
            Err(Error::NothingToChoose { .. }) => return Ok(Err(Gap::Unknown)),
            all => all?,
        };
        for &prompt_idx in &source.routes {
            chosen[prompt_idx] = all[prompt_idx];
        }
        choices.push(choice);
    }
    Ok(routed(truth, &chosen)
        .map(|routed| (choices, chosen, routed))
        .ok_or(Gap::Unknown))
}

impl Rows<'_> {
    fn check(&self, reference: usize) -> Result<()> {
        self.truth.check_model(reference)?;
        self.truth.check_fits(&self.predicted)?;
        check_labels(
            "benchmark labels",
            self.truth.n_prompts(),
            self.benchmarks.len(),
        )
    }
}

/// Refuses labels that are not one per prompt.
fn check_labels(what: &'static str, n_prompts: usize, n_labels: usize) -> Result<()> {
    if n_labels == n_prompts {
        Ok(())
    } else {
        Err(Error::Shape {
            what,
            expected: (n_prompts, 1),
            found: (n_labels, 1),
        })
    }
}

/// Some of the prompts, copied.
struct Subset {
    /// Where they stand among all.
    prompt_idxs: Vec<usize>,
    scores: Array2<f32>,
    cost_usd: Array2<f64>,
    predicted_scores: Array2<f32>,
    predicted_cost_usd: Array2<f64>,
}

impl Subset {
    /// The prompts of one benchmark.
    fn of(rows: &Rows<'_>, benchmark: &str) -> Result<Self> {
        let prompt_idxs: Vec<usize> = (0..rows.benchmarks.len())
            .filter(|&prompt_idx| rows.benchmarks[prompt_idx] == benchmark)
            .collect();
        // The labels are test's own unless the rows are for validation.
        if prompt_idxs.is_empty() {
            return Err(Error::NoValidation {
                benchmark: benchmark.to_owned(),
            });
        }
        let ((scores, cost_usd), (predicted_scores, predicted_cost_usd)) =
            (rows.truth.views(), rows.predicted.views());
        Ok(Self {
            scores: scores.select(Axis(0), &prompt_idxs),
            cost_usd: cost_usd.select(Axis(0), &prompt_idxs),
            predicted_scores: predicted_scores.select(Axis(0), &prompt_idxs),
            predicted_cost_usd: predicted_cost_usd.select(Axis(0), &prompt_idxs),
            prompt_idxs,
        })
    }

    /// Some of these prompts, by their positions among these.
    fn select(&self, positions: &[usize]) -> Self {
        Self {
            prompt_idxs: positions.iter().map(|&i| self.prompt_idxs[i]).collect(),
            scores: self.scores.select(Axis(0), positions),
            cost_usd: self.cost_usd.select(Axis(0), positions),
            predicted_scores: self.predicted_scores.select(Axis(0), positions),
            predicted_cost_usd: self.predicted_cost_usd.select(Axis(0), positions),
        }
    }

    fn views(&self) -> Result<(Truth<'_>, Predicted<'_>)> {
        Ok((
            Truth::new(self.scores.view(), self.cost_usd.view())?,
            Predicted::new(self.predicted_scores.view(), self.predicted_cost_usd.view())?,
        ))
    }

    /// What lambda is chosen on when these prompts are to choose.
    fn basis(&self, reference: usize, lambdas: Lambdas) -> Result<Option<(Curve, f64)>> {
        let (truth, predicted) = self.views()?;
        let Some(reference) = single_models(&truth)[reference] else {
            return Ok(None);
        };
        match lambdas.curve(&truth, predicted) {
            Ok(curve) => Ok(Some((curve, reference.cost_usd))),
            Err(Error::NothingToChoose { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// For each fold among these prompts the others.
    fn by_fold(&self, folds: &[usize], reference: usize, lambdas: Lambdas) -> Result<Vec<Source>> {
        let fold_of = |position: usize| folds[self.prompt_idxs[position]];
        let mut present: Vec<usize> = (0..self.prompt_idxs.len()).map(fold_of).collect();
        present.sort_unstable();
        present.dedup();
        let source = |fold: usize| {
            let (routes, others): (Vec<usize>, Vec<usize>) =
                (0..self.prompt_idxs.len()).partition(|&position| fold_of(position) == fold);
            let basis = if others.is_empty() {
                None
            } else {
                self.select(&others).basis(reference, lambdas)?
            };
            Ok(Source { basis, routes })
        };
        present.into_iter().map(source).collect()
    }
}

/// Where the reference LLM stands.
fn reference_point(truth: &Truth<'_>, model_idx: usize, prompts: &str) -> Result<Point> {
    single_models(truth)[model_idx].ok_or_else(|| Error::UnknownReference {
        model_idx,
        prompts: prompts.to_owned(),
    })
}

/// Labels in the order in which they first occur.
fn distinct(labels: &[String]) -> Vec<&String> {
    let mut distinct: Vec<&String> = Vec::new();
    for label in labels {
        if !distinct.contains(&label) {
            distinct.push(label);
        }
    }
    distinct
}

/// A part of a whole; 1 if both are 0.
fn ratio(part: f64, whole: f64) -> f64 {
    if part == whole { 1.0 } else { part / whole }
}

#[cfg(test)]
mod tests;
