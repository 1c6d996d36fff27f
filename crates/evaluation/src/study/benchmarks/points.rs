use super::rows::{Rows, Source, Subset, check_labels};
use crate::{
    Error, Point, Predicted, Result, Truth,
    baseline::single::single_models,
    choice::{LambdaChoice, Lambdas, Routed, budget::check_budget, decisions},
    rule::routed,
};

/// On which prompts lambda is chosen for a benchmark of the test part.
#[derive(Debug, Clone)]
pub enum LambdaFrom<'a> {
    /// The benchmark's own test prompts, as the CARROT repository does: the best that could have been chosen in hindsight, which no one can
    /// know beforehand.
    Test,
    /// The benchmark's own test prompts but for those of the same fold, one fold per prompt as from [`folds`](fn@super::folds): all prompts are used, and none
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
    let global = match &lambda_from {
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
        let sources: Vec<Source> = match (&lambda_from, &global) {
            (_, Some((curve, reference_cost_usd))) => vec![Source {
                basis: Some((curve.clone(), *reference_cost_usd)),
                routes: all(),
            }],
            (LambdaFrom::ValidationOfBenchmark(rows), None) => vec![Source {
                basis: Subset::of(rows, benchmark)?.basis(reference, lambdas)?,
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
pub(super) fn ratio(part: f64, whole: f64) -> f64 {
    if part == whole { 1.0 } else { part / whole }
}
