use ndarray::{Array2, Axis};

use crate::{
    Curve, Error, LambdaChoice, Lambdas, Point, Predicted, Result, Routed, Truth,
    baselines::single_models, budget::check_budget,
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

/// On which prompts lambda is chosen for a benchmark of the test split.
#[derive(Debug, Clone, Copy)]
pub enum LambdaFrom<'a> {
    /// The benchmark's own test prompts, as the CARROT repository does: the best that could have been chosen in hindsight, which no one can
    /// know beforehand.
    Test,
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
    /// Where the reference LLM stands on the benchmark's test prompts.
    pub reference: Point,
    /// What the router does; `None` where it cannot do with so little on the prompts that lambda is chosen on.
    pub router: Option<BenchmarkRouter>,
}

/// What a router does on a benchmark.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchmarkRouter {
    /// Which lambda was chosen, and what was to be expected of it.
    pub choice: LambdaChoice,
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
/// of SPROUT); for an honest one [`Lambdas::Exact`] and one of the other two.
///
/// A mean is over the prompts that count, as everywhere: the reference LLM's over those for which it does.
///
/// # Errors
/// [`Error::NoSuchModel`] for the reference; [`Error::BadBudget`]; [`Error::Shape`] for labels, or predictions, that do not fit;
/// [`Error::NoValidation`] for a benchmark without validation prompts where they are needed; [`Error::UnknownReference`] and
/// [`Error::NothingToChoose`] where nothing is known.
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
            Some((lambdas.curve(&rows.truth, rows.predicted)?, point))
        }
        LambdaFrom::ValidationOfBenchmark(rows) => {
            rows.check(reference)?;
            None
        }
        LambdaFrom::Test => None,
    };
    let mut points = Vec::new();
    for benchmark in distinct(test.benchmarks) {
        let of_test = Subset::of(&test, benchmark)?;
        let (truth, predicted) = of_test.views()?;
        let reference_on_test = reference_point(&truth, reference, benchmark)?;
        let (curve, reference_there): (Curve, Point) = match (lambda_from, &global) {
            (_, Some(global)) => global.clone(),
            (LambdaFrom::ValidationOfBenchmark(rows), None) => {
                let subset = Subset::of(&rows, benchmark)?;
                let (truth, predicted) = subset.views()?;
                let point = reference_point(&truth, reference, benchmark)?;
                (lambdas.curve(&truth, predicted)?, point)
            }
            _ => (lambdas.curve(&truth, predicted)?, reference_on_test),
        };
        for &budget_ratio in budget_ratios {
            let choice = lambdas.choose(&curve, budget_ratio * reference_there.cost_usd);
            let router = choice
                .map(|choice| {
                    let routed = choice.apply(&truth, predicted)?;
                    Ok(BenchmarkRouter {
                        choice,
                        cost_ratio: ratio(routed.point.cost_usd, reference_on_test.cost_usd),
                        accuracy_ratio: ratio(routed.point.accuracy, reference_on_test.accuracy),
                        routed,
                    })
                })
                .transpose()?;
            points.push(BenchmarkPoint {
                benchmark: benchmark.clone(),
                n_prompts: of_test.scores.nrows(),
                budget_ratio,
                reference: reference_on_test,
                router,
            });
        }
    }
    Ok(points)
}

impl Rows<'_> {
    fn check(&self, reference: usize) -> Result<()> {
        self.truth.check_model(reference)?;
        self.truth.check_fits(&self.predicted)?;
        let n_prompts = self.truth.n_prompts();
        if self.benchmarks.len() == n_prompts {
            Ok(())
        } else {
            Err(Error::Shape {
                what: "benchmark labels",
                expected: (n_prompts, 1),
                found: (self.benchmarks.len(), 1),
            })
        }
    }
}

/// The prompts of one benchmark, copied.
struct Subset {
    scores: Array2<f32>,
    cost_usd: Array2<f64>,
    predicted_scores: Array2<f32>,
    predicted_cost_usd: Array2<f64>,
}

impl Subset {
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
        })
    }

    fn views(&self) -> Result<(Truth<'_>, Predicted<'_>)> {
        Ok((
            Truth::new(self.scores.view(), self.cost_usd.view())?,
            Predicted::new(self.predicted_scores.view(), self.predicted_cost_usd.view())?,
        ))
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
