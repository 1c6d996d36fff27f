//! What was drawn, as CSV: one row per benchmark and part of the large LLM's cost.

use evaluation::Interval;

use super::{
    caption::why_missing,
    numbers::{Benchmark, Cell, LambdaBy, Spider},
};
use crate::output::tables::csv_of;

const COLUMNS: [&str; 26] = [
    "router",
    "large_llm",
    "benchmark",
    "n_prompts",
    "share",
    "lambda_from",
    "lambda_low",
    "lambda_high",
    "cost_multiplier",
    "cost_usd",
    "cost_ratio",
    "cost_ratio_low",
    "cost_ratio_high",
    "accuracy_ratio",
    "accuracy_ratio_low",
    "accuracy_ratio_high",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "large_cost_usd",
    "large_accuracy",
    "large_accuracy_low",
    "large_accuracy_high",
    "level",
    "accuracy_missing",
    "accuracy_ratio_missing",
];

/// All numbers; what is not known or not defined is empty, and the last two columns say why.
///
/// `lambda_low` and `lambda_high` are the least and the largest of the lambdas that were chosen, one per fold; the `_low` and `_high` of other
/// numbers are the ends of bootstrap intervals at `level`.
pub(super) fn csv(spider: &Spider) -> String {
    let header = COLUMNS.map(str::to_owned).to_vec();
    let rows = spider.benchmarks.iter().flat_map(|benchmark| {
        let cells = benchmark.cells.iter();
        cells.map(|cell| row(spider, benchmark, cell))
    });
    csv_of([header].into_iter().chain(rows))
}

fn row(spider: &Spider, benchmark: &Benchmark, cell: &Cell) -> Vec<String> {
    let reference = cell.point.reference;
    let lambda_from = match spider.lambda_by {
        LambdaBy::OtherFolds => format!("other {} of {} folds", spider.n_folds - 1, spider.n_folds),
        LambdaBy::Test => "test".to_owned(),
    };
    let mut row = vec![
        spider.router.clone(),
        spider.large.clone(),
        benchmark.name.clone(),
        benchmark.n_prompts.to_string(),
        cell.point.budget_ratio.to_string(),
        lambda_from,
    ];
    // Without an accuracy there was no choice of lambda either.
    let router = cell
        .point
        .router
        .as_ref()
        .ok()
        .filter(|_| cell.accuracy().is_ok());
    match (router, cell.intervals.router) {
        (Some(router), Some(intervals)) => {
            let lambdas = || router.choices.iter().map(|choice| choice.lambda);
            row.extend([
                number(lambdas().fold(f64::INFINITY, f64::min)),
                number(lambdas().fold(f64::NEG_INFINITY, f64::max)),
                number(router.choices[0].cost_multiplier),
                number(router.routed.point.cost_usd),
            ]);
            for interval in [
                intervals.cost_ratio,
                intervals.accuracy_ratio,
                intervals.accuracy,
            ] {
                row.extend(with_ends(interval));
            }
        }
        // Four numbers and three intervals of three each.
        _ => row.extend(vec![String::new(); 13]),
    }
    row.push(number(reference.cost_usd));
    row.extend(with_ends(cell.intervals.reference_accuracy));
    row.push(spider.level.to_string());
    // The reasons come last: a program that reads the numbers by position need not know them.
    for missing in [cell.accuracy().err(), cell.accuracy_ratio().err()] {
        row.push(missing.map_or_else(String::new, |missing| why_missing(missing, "the large LLM")));
    }
    row
}

fn with_ends(interval: Interval) -> [String; 3] {
    [interval.estimate, interval.low, interval.high].map(number)
}

/// Empty for a value that is not finite.
fn number(value: f64) -> String {
    if value.is_finite() {
        value.to_string()
    } else {
        String::new()
    }
}
