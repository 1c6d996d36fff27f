//! The numbers of the figure.

use std::collections::BTreeMap;

use anyhow::Context as _;
use dataset::{PerModel, Predictions, TablePropensities};
use evaluation::{
    Gaps, Point, Predicted, Truth,
    baseline::single_models,
    choice::Lambdas,
    curve::Grid,
    study::{
        BenchmarkIntervals, BenchmarkPoint, Gap, LambdaFrom, Resamples, Rows, benchmark_intervals,
        benchmark_points, folds,
    },
};
use ndarray::Axis;

use super::benchmarks::Benchmarks;
use crate::{
    data::{
        inputs::{self, Inputs},
        series::routers::rank,
    },
    products::percent::percent,
    settings::Settings,
};

/// How lambda is chosen for a benchmark and a part of the large LLM's cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LambdaBy {
    /// For each fold of the benchmark's test prompts on the other folds.
    OtherFolds,
    /// On the test prompts themselves and on a grid, as the reference does.
    Test,
}

/// Why something is not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotMade {
    pub(crate) why: String,
    /// What would make its input.
    pub(crate) cure: String,
}

/// Everything that the figure shows.
#[derive(Debug, Clone)]
pub(super) struct Spider {
    pub(super) dataset: String,
    /// Name on disk.
    pub(super) router: String,
    pub(super) large: String,
    pub(super) lambda_by: LambdaBy,
    pub(super) n_folds: usize,
    /// Level of confidence of all intervals.
    pub(super) level: f64,
    /// Parts of the large LLM's cost.
    pub(super) shares: Vec<f64>,
    pub(super) benchmarks: Vec<Benchmark>,
    /// How many tasks the last benchmark joins because there are too many to draw.
    pub(super) n_joined: Option<usize>,
    /// Benchmarks on which nothing is known of the large LLM.
    pub(super) left_out: Vec<String>,
    /// How much of the test part is known, and what averages go by, where something is missing.
    pub(super) known: Option<String>,
}

/// One benchmark.
#[derive(Debug, Clone)]
pub(super) struct Benchmark {
    pub(super) name: String,
    pub(super) n_prompts: usize,
    /// One per part of the large LLM's cost.
    pub(super) cells: Vec<Cell>,
}

/// A benchmark at one part of the large LLM's cost.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) point: BenchmarkPoint,
    pub(super) intervals: BenchmarkIntervals,
}

/// Why a number is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Missing {
    /// No lambda is cheap enough.
    OutOfReach,
    /// Nothing is predicted or known.
    Unknown,
    /// The large LLM costs nothing there.
    FreeLarge,
    /// The large LLM is never right there.
    ZeroLarge,
}

impl Spider {
    /// Evaluates a data set's router; or says why there is nothing to show.
    ///
    /// # Errors
    /// When predictions cannot be evaluated.
    pub(super) fn new(
        inputs: &Inputs,
        settings: &Settings,
        lambda_by: LambdaBy,
    ) -> anyhow::Result<Result<Self, NotMade>> {
        let Some((router, predicted)) = pick_router(inputs, &settings.spider.routers) else {
            return Ok(Err(NotMade {
                why: "no router predicts the score of each LLM".to_owned(),
                cure: format!(
                    "create predictions with `{}`",
                    inputs::command(&inputs.name)
                ),
            }));
        };
        let Some(large_idx) = inputs.pair().map(|pair| pair.large) else {
            return Ok(Err(NotMade {
                why: "`pair` in its dataset.json does not name a large LLM of the data set".to_owned(),
                cure: "create the data set with a pair, for example with `--small` and `--large` of gen-custom"
                    .to_owned(),
            }));
        };
        let large = &inputs.test().models[large_idx];
        let benchmarks = Benchmarks::of(&inputs.test().tasks, &settings.spider);
        let (kept, left_out) = split_by_knowledge(inputs, large_idx, &benchmarks);
        let sums = Selected::of(inputs, predicted, &benchmarks.labels, &kept);
        let no_large = |what: &str| NotMade {
            why: format!("{what} `{large}`, so there are no shares of its cost to compare at"),
            cure: "pass prices or costs to the gen-* program that creates the data set".to_owned(),
        };
        if kept.is_empty() {
            return Ok(Err(no_large("no prompt has both a score and a cost of")));
        }
        // Benchmarks on which nothing is known of the large LLM have no cost to spend a part of; they are left out and named in the
        // caption.
        let rows = sums.rows()?;
        if large_point(&rows.truth, large_idx).is_none_or(|point| point.cost_usd == 0.0) {
            return Ok(Err(no_large("no prompt has a cost above 0 of")));
        }
        let cells = cells(&rows, &sums.ids, large_idx, settings, lambda_by)
            .with_context(|| format!("cannot evaluate `{router}` by benchmark"))?;
        if cells
            .values()
            .flatten()
            .all(|cell| cell.point.router.is_err())
        {
            return Ok(Err(NotMade {
                why: format!(
                    "at no lambda does `{router}` spend as little as {} of `{large}`'s cost on any benchmark",
                    percent(settings.spider.shares.last().copied().unwrap_or_default())
                ),
                cure: "raise `spider.shares` in a file passed to --config".to_owned(),
            }));
        }
        let of_name = |name: &String| {
            let cells = cells.get(name)?.clone();
            Some(Benchmark {
                name: name.clone(),
                n_prompts: cells.first()?.point.n_prompts,
                cells,
            })
        };
        Ok(Ok(Self {
            dataset: inputs.name.clone(),
            router: router.to_owned(),
            large: large.clone(),
            lambda_by,
            n_folds: settings.spider.n_folds,
            level: settings.bootstrap.level,
            shares: settings.spider.shares.clone(),
            benchmarks: benchmarks.names.iter().filter_map(of_name).collect(),
            n_joined: benchmarks.n_joined,
            left_out,
            known: Gaps::of(&Truth::of(inputs.test())?).map(|gaps| gaps.words()),
        }))
    }
}

impl Cell {
    /// Accuracy over the large LLM's, or why there is none.
    pub(super) fn accuracy_ratio(&self) -> Result<f64, Missing> {
        self.accuracy()?;
        match &self.point.router {
            Ok(router) if self.point.reference.accuracy > 0.0 => Ok(router.accuracy_ratio),
            _ => Err(Missing::ZeroLarge),
        }
    }

    /// Accuracy, or why there is none.
    pub(super) fn accuracy(&self) -> Result<f64, Missing> {
        // No part of nothing is a budget.
        if self.point.reference.cost_usd == 0.0 {
            return Err(Missing::FreeLarge);
        }
        match &self.point.router {
            Ok(router) => Ok(router.routed.point.accuracy),
            Err(Gap::OutOfReach) => Err(Missing::OutOfReach),
            Err(Gap::Unknown) => Err(Missing::Unknown),
        }
    }
}

/// The first of the routers named that predicts every LLM's score; else the first one in the order of legends.
fn pick_router<'a>(inputs: &'a Inputs, names: &[String]) -> Option<(&'a str, &'a PerModel)> {
    // A single router: the figure compares shares of cost, and a second router would double its
    // polygons.
    let mut routers: Vec<(&str, &PerModel)> = inputs
        .routers
        .iter()
        .filter_map(|input| match &input.predictions {
            Predictions::PerModel(predicted) => Some((input.router.as_str(), predicted)),
            Predictions::SmallWins(_) => None,
        })
        .collect();
    routers.sort_by_key(|(router, _)| rank(router));
    let named = names
        .iter()
        .find_map(|name| routers.iter().find(|(router, _)| router == name));
    named.or(routers.first()).copied()
}

/// Rows of benchmarks on which the large LLM is known at all, and the names of the other benchmarks.
fn split_by_knowledge(
    inputs: &Inputs,
    large_idx: usize,
    benchmarks: &Benchmarks,
) -> (Vec<usize>, Vec<String>) {
    let test = inputs.test();
    let mut is_known: BTreeMap<&str, bool> = BTreeMap::new();
    for (prompt_idx, label) in benchmarks.labels.iter().enumerate() {
        *is_known.entry(label).or_default() |= test.scores[[prompt_idx, large_idx]].is_finite()
            && test.cost_usd[[prompt_idx, large_idx]].is_finite();
    }
    let is_known = |label: &String| is_known.get(label.as_str()) == Some(&true);
    (
        (0..test.n_prompts())
            .filter(|&prompt_idx| is_known(&benchmarks.labels[prompt_idx]))
            .collect(),
        benchmarks
            .names
            .iter()
            .filter(|name| !is_known(name))
            .cloned()
            .collect(),
    )
}

// Copied, because `evaluation` takes views of whole tables and the rows kept are scattered.
/// Some of the test prompts, copied.
struct Selected {
    ids: Vec<String>,
    labels: Vec<String>,
    scores: ndarray::Array2<f32>,
    cost_usd: ndarray::Array2<f64>,
    propensities: Option<TablePropensities>,
    predicted_scores: ndarray::Array2<f32>,
    predicted_cost_usd: ndarray::Array2<f64>,
}

impl Selected {
    fn of(inputs: &Inputs, predicted: &PerModel, labels: &[String], kept: &[usize]) -> Self {
        let test = inputs.test();
        Self {
            ids: kept.iter().map(|&i| test.ids[i].clone()).collect(),
            labels: kept.iter().map(|&i| labels[i].clone()).collect(),
            scores: test.scores.select(Axis(0), kept),
            cost_usd: test.cost_usd.select(Axis(0), kept),
            propensities: (test.propensities.as_ref()).map(|it| it.select(kept)),
            predicted_scores: predicted.scores.select(Axis(0), kept),
            predicted_cost_usd: predicted.cost_usd.select(Axis(0), kept),
        }
    }

    fn rows(&self) -> evaluation::Result<Rows<'_>> {
        Ok(Rows {
            truth: Truth::with_table(
                self.scores.view(),
                self.cost_usd.view(),
                self.propensities.as_ref(),
            )?,
            predicted: Predicted::new(
                self.predicted_scores.view(),
                self.predicted_cost_usd.view(),
            )?,
            benchmarks: &self.labels,
        })
    }
}

fn large_point(truth: &Truth<'_>, large_idx: usize) -> Option<Point> {
    single_models(truth)[large_idx]
}

/// By benchmark one cell per share.
fn cells(
    rows: &Rows<'_>,
    ids: &[String],
    large_idx: usize,
    settings: &Settings,
    lambda_by: LambdaBy,
) -> evaluation::Result<BTreeMap<String, Vec<Cell>>> {
    let spider = &settings.spider;
    // Folds are dealt out within each benchmark, by the ids of prompts, so the same prompts are in the same fold in every run and for every
    // router.
    let dealt = folds(ids, rows.benchmarks, spider.n_folds, spider.seed);
    let (lambda_from, lambdas) = match lambda_by {
        LambdaBy::OtherFolds => (LambdaFrom::OtherFolds(&dealt), Lambdas::Exact),
        LambdaBy::Test => (
            LambdaFrom::Test,
            Lambdas::Grid(Grid {
                n_steps: spider.reference_quirks.n_steps,
                cost_multiplier: spider.reference_quirks.cost_multiplier,
            }),
        ),
    };
    let points = benchmark_points(
        rows.clone(),
        lambda_from,
        large_idx,
        &spider.shares,
        lambdas,
    )?;
    let resamples = Resamples::drawn(settings.bootstrap.n_resamples, settings.bootstrap.seed)?;
    let mut cells: BTreeMap<String, Vec<Cell>> = BTreeMap::new();
    for point in points {
        let level = settings.bootstrap.level;
        let intervals = benchmark_intervals(rows.clone(), large_idx, &point, &resamples, level)?;
        cells
            .entry(point.benchmark.clone())
            .or_default()
            .push(Cell { point, intervals });
    }
    Ok(cells)
}
