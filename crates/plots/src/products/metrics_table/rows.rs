//! The tables of metrics with their intervals.

use evaluation::{Interval, metric::Metric};

use crate::{
    data::intervals::Intervals,
    output::tables::{Cell, Column, Document, Prose, Rows, Table},
    products::percent::percent,
};

/// The metrics of the Markdown tables, by subject; the CSV has all.
const AREAS: [(Metric, &str); 4] = [
    (Metric::PeakAccuracy, "Peak accuracy"),
    (Metric::Aiq, "AIQ"),
    (Metric::Audc, "AUDC"),
    (Metric::GainOverZeroRouter, "Gain over zero router"),
];
const COSTS: [(Metric, &str); 3] = [
    (Metric::Qnc, "QNC"),
    (
        Metric::CostAtBestSingleUsd,
        "Cost at the best LLM's accuracy",
    ),
    (
        Metric::AccuracyAtBestSingleCost,
        "Accuracy at the best LLM's cost",
    ),
];
const CALLS: [(Metric, &str); 4] = [
    (Metric::Apgr, "APGR"),
    (Metric::Cpt20, "CPT(20%)"),
    (Metric::Cpt50, "CPT(50%)"),
    (Metric::Cpt80, "CPT(80%)"),
];
/// Dollars per query in the CSV, per 1,000 queries in Markdown.
const QUERIES: f64 = 1000.0;

/// `metrics_table.md`: three tables narrow enough to read, and what the numbers are.
pub(crate) fn metrics_document(intervals: &Intervals) -> Document {
    let document = Document::new()
        .heading(1, Prose::from("Metrics on ").code(&intervals.dataset))
        .paragraph(about(intervals))
        .heading(2, "Accuracy and areas")
        .rows(section(intervals, &AREAS))
        .paragraph(
            "AIQ: mean height of the curve's convex hull over the costs from the cheapest to the dearest point of all routers and LLMs. \
             AUDC: the same of the curve itself. Gain over zero router: AIQ above that of the best mixture of single LLMs that does not look \
             at the prompt. More is better. Peaks are read off the test curve, so they are optimistic.",
        )
        .heading(2, "Against the best single LLM")
        .rows(section(intervals, &COSTS))
        .paragraph(
            Prose::from("QNC: least cost of the best single LLM's accuracy over that LLM's cost; below 1 is a saving, ")
                .code("never")
                .text(" is an accuracy that is not reached. Costs are US dollars per 1,000 queries."),
        );
    match &intervals.pair {
        Some((small, large)) => document
            .heading(2, "Calls of the large LLM")
            .rows(section(intervals, &CALLS))
            .paragraph(about_calls(small, large)),
        None => document,
    }
}

/// How the numbers were estimated.
fn about(intervals: &Intervals) -> Prose {
    let settings = intervals.settings;
    Prose::from(format!(
        "Estimates on {} test prompts, with {} bootstrap intervals in brackets ({} resamples of the prompts, seed {}, the same for all \
         routers). The intervals speak of chance in the test prompts, not in training. ",
        intervals.n_prompts,
        percent(settings.level),
        settings.n_resamples,
        settings.seed,
    ))
    .code("metrics_table.csv")
    .text(" has the numbers in full, ")
    .code("metrics_differences.csv")
    .text(" the differences between routers with paired intervals.")
}

/// What the metrics of a pair are.
fn about_calls(small: &str, large: &str) -> Prose {
    Prose::from("Of the pair ")
        .code(small)
        .text(" (small) and ")
        .code(large)
        .text(
            " (large); a router of more LLMs is held to these two and ranks prompts by its scores alone, so the RouterBench rule has the \
             numbers of the router whose scores it takes. APGR: mean share of the gap between them that is recovered, over all shares of \
             calls of the large one; .5 is a coin. CPT(x): least share of calls that recovers x of the gap, less is better. N/A where the \
             large LLM is not the better one, and for a router that ranks no prompts.",
        )
}

fn section(intervals: &Intervals, metrics: &[(Metric, &'static str)]) -> Rows {
    let columns = [("router", "Router")]
        .into_iter()
        .chain(metrics.iter().map(|&(metric, name)| (metric.key(), name)))
        .map(|(csv, markdown)| Column { csv, markdown })
        .collect();
    let row = |(router_idx, (_, name)): (usize, &(String, String))| {
        let cells = metrics
            .iter()
            .map(|&(metric, _)| Cell::Written(shown(metric, intervals.of(router_idx, metric))));
        [Cell::Text(name.clone())]
            .into_iter()
            .chain(cells)
            .collect()
    };
    let table = Table {
        columns,
        rows: intervals.routers.iter().enumerate().map(row).collect(),
        notes: Vec::new(),
    };
    table.rows()
}

/// `metrics_table.csv`: one row per router and metric. An infinite value is a cost that is never enough, an empty one is not defined.
pub(crate) fn metrics_csv(intervals: &Intervals) -> String {
    let names = [
        "dataset",
        "router",
        "metric",
        "estimate",
        "low",
        "high",
        "n_defined_resamples",
        "n_prompts",
    ];
    let mut rows = Vec::new();
    for (router_idx, (key, _)) in intervals.routers.iter().enumerate() {
        for metric in Metric::ALL {
            let interval = intervals.of(router_idx, metric);
            rows.push(vec![
                Cell::Text(intervals.dataset.clone()),
                Cell::Text(key.clone()),
                Cell::Text(metric.key().to_owned()),
                number(interval.estimate),
                number(interval.low),
                number(interval.high),
                Cell::Count(interval.n_defined),
                Cell::Count(intervals.n_prompts),
            ]);
        }
    }
    csv_table(&names, rows)
}

/// `metrics_differences.csv`: one row per two routers and metric, what the first has more than the second. `better` is the router that the
/// metric favors where the interval excludes 0, else it is empty.
pub(crate) fn differences_csv(intervals: &Intervals) -> String {
    let names = [
        "dataset",
        "router",
        "reference",
        "metric",
        "difference",
        "low",
        "high",
        "n_defined_resamples",
        "better",
    ];
    let mut rows = Vec::new();
    for (a, (router, _)) in intervals.routers.iter().enumerate() {
        // Each pair once: the other way around it is the same interval with its sign changed.
        for (b, (reference, _)) in intervals.routers.iter().enumerate().skip(a + 1) {
            for metric in Metric::ALL {
                let interval = intervals.difference(a, b, metric);
                let better = match favors_first(metric, interval) {
                    Some(true) => router.as_str(),
                    Some(false) => reference,
                    None => "",
                };
                rows.push(vec![
                    Cell::Text(intervals.dataset.clone()),
                    Cell::Text(router.clone()),
                    Cell::Text(reference.clone()),
                    Cell::Text(metric.key().to_owned()),
                    number(interval.estimate),
                    number(interval.low),
                    number(interval.high),
                    Cell::Count(interval.n_defined),
                    Cell::Text(better.to_owned()),
                ]);
            }
        }
    }
    csv_table(&names, rows)
}

/// Whether a difference speaks for the first of two routers; `None` where it may be 0 or is not defined.
fn favors_first(metric: Metric, difference: Interval) -> Option<bool> {
    // An interval that touches 0 says nothing about the sign, and one that is not defined neither.
    let is_more = if difference.low > 0.0 {
        true
    } else if difference.high < 0.0 {
        false
    } else {
        return None;
    };
    Some(is_more != metric.is_less_better())
}

fn csv_table(names: &[&'static str], rows: Vec<Vec<Cell>>) -> String {
    let columns = names
        .iter()
        .map(|&csv| Column { csv, markdown: csv })
        .collect();
    Table {
        columns,
        rows,
        notes: Vec::new(),
    }
    .csv()
}

fn number(value: f64) -> Cell {
    Cell::number(Some(value).filter(|value| !value.is_nan()))
}

/// An estimate and its interval.
fn shown(metric: Metric, interval: Interval) -> String {
    if interval.estimate.is_nan() {
        return "N/A".to_owned();
    }
    // Dollars per query have three zeros before the first digit; per 1,000 queries they can be read.
    let factor = if metric == Metric::CostAtBestSingleUsd {
        QUERIES
    } else {
        1.0
    };
    let digits = |value: f64| {
        if value == f64::INFINITY {
            "never".to_owned()
        } else {
            format!("{:.4}", factor * value)
        }
    };
    let Interval {
        estimate,
        low,
        high,
        ..
    } = interval;
    format!("{} [{}, {}]", digits(estimate), digits(low), digits(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(estimate: f64, low: f64, high: f64) -> Interval {
        Interval {
            estimate,
            low,
            high,
            n_defined: 10,
        }
    }

    #[test]
    fn intervals_are_readable() {
        let infinity = f64::INFINITY;
        for (metric, found, expected) in [
            (Metric::Aiq, (0.51239, 0.5, 0.6), "0.5124 [0.5000, 0.6000]"),
            (
                Metric::CostAtBestSingleUsd,
                (0.001, 0.0005, infinity),
                "1.0000 [0.5000, never]",
            ),
            (
                Metric::Qnc,
                (infinity, 0.9, infinity),
                "never [0.9000, never]",
            ),
            (Metric::Apgr, (f64::NAN, f64::NAN, f64::NAN), "N/A"),
        ] {
            let (estimate, low, high) = found;
            assert_eq!(shown(metric, interval(estimate, low, high)), expected);
        }
    }

    #[test]
    fn a_difference_favors_who_is_better() {
        for (metric, low, high, expected) in [
            (Metric::Aiq, 0.1, 0.2, Some(true)),
            (Metric::Aiq, -0.2, -0.1, Some(false)),
            (Metric::Aiq, -0.1, 0.1, None),
            (Metric::Aiq, 0.0, 0.1, None),
            (Metric::Qnc, 0.1, f64::INFINITY, Some(false)),
            (Metric::Cpt50, -0.2, -0.1, Some(true)),
            (Metric::Qnc, f64::NAN, f64::NAN, None),
        ] {
            let found = favors_first(metric, interval(0.0, low, high));
            assert_eq!(found, expected, "{metric:?} {low} {high}");
        }
    }
}
