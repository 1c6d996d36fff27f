//! The rows of the table: all methods and LLMs of one data set.

use evaluation::Point;

use crate::{
    data::results::{Method, Results},
    output::tables::{Cell, Column, Table},
};

/// The columns: in the CSV, and in Markdown, where an empty name leaves the column out.
const COLUMNS: [(&str, &str); 10] = [
    ("method", "Method"),
    ("kind", "Kind"),
    ("peak_accuracy", "Peak accuracy"),
    ("cost_at_peak_usd", "Cost at peak"),
    ("aiq", "AIQ"),
    ("audc", "AUDC"),
    ("qnc", "QNC"),
    (
        "cost_at_best_single_accuracy_usd",
        "Cost at the best LLM's accuracy",
    ),
    (
        "accuracy_at_best_single_cost",
        "Accuracy at the best LLM's cost",
    ),
    ("n_prompts", ""),
];

/// All methods and LLMs of one data set: curves in the order of legends, then what they compare with, then LLMs, the most accurate first.
pub(crate) fn method_table(results: &Results) -> Table {
    let mut rows: Vec<Vec<Cell>> = results.methods.iter().map(curve_row).collect();
    let references = [("Oracle", results.oracle), ("Random LLM", results.random)];
    for (name, point) in references {
        rows.extend(point.map(|point| point_row(name.to_owned(), "point", point)));
    }
    let best = results.best_single.as_ref();
    rows.extend(
        best.map(|best| point_row(format!("Best LLM: {}", best.name), "point", best.point)),
    );
    let mut models: Vec<_> = results.models.iter().collect();
    models.sort_by(|a, b| b.point.accuracy.total_cmp(&a.point.accuracy));
    let models = models.into_iter();
    rows.extend(models.map(|model| point_row(model.name.clone(), "llm", model.point)));
    Table {
        columns: COLUMNS.map(|(csv, markdown)| Column { csv, markdown }).to_vec(),
        rows,
        notes: [
            "Costs are US dollars per 1,000 queries (the CSV has dollars per query). AIQ: mean height of the convex hull over the costs from \
             the cheapest to the dearest point of this table. AUDC: the same of the curve itself. QNC: least cost of the best LLM's accuracy, \
             over that LLM's cost; N/A where it is never reached. Operating points are read off the test curve, so \
             peaks are optimistic."
                .to_owned(),
        ]
        .into_iter()
        .chain(results.evidence.as_ref().map(ToString::to_string))
        .collect(),
    }
}

fn curve_row(method: &Method) -> Vec<Cell> {
    let metrics = &method.metrics;
    vec![
        Cell::Text(method.series.name()),
        Cell::Text("curve".to_owned()),
        Cell::number(metrics.peak.map(|peak| peak.accuracy)),
        Cell::usd(metrics.peak.map(|peak| peak.cost_usd)),
        Cell::number(metrics.aiq),
        Cell::number(metrics.audc),
        Cell::number(metrics.qnc),
        Cell::usd(metrics.cost_at_best_single_usd),
        Cell::number(metrics.accuracy_at_best_single_cost),
        Cell::Count(method.curve.n_prompts),
    ]
}

/// A single point has no areas.
fn point_row(name: String, kind: &str, point: Point) -> Vec<Cell> {
    let mut row = vec![
        Cell::Text(name),
        Cell::Text(kind.to_owned()),
        Cell::Number(point.accuracy),
        Cell::Usd(point.cost_usd),
    ];
    row.resize(COLUMNS.len(), Cell::Blank);
    row
}
