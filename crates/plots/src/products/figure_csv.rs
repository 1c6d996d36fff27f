//! The numbers beside an accuracy-cost figure.

use crate::{data::comparison::Comparison, output::tables::csv_of};

const COLUMNS: [&str; 5] = ["kind", "name", "lambda", "cost_usd", "accuracy"];

/// The numbers that a figure was drawn from: of each curve the points that were drawn, then the LLMs and the oracle.
///
/// `lambda` is the least weight of cost from which a point of a per-LLM router holds, and the threshold of a binary one; empty where there
/// is none. With several frames each row begins with its data set.
pub(crate) fn figure_csv(comparisons: &[Comparison], drawn_points: &[Vec<Vec<usize>>]) -> String {
    let has_dataset = comparisons.len() > 1;
    let record = |dataset: &str, cells: Vec<String>| {
        let dataset = has_dataset.then(|| dataset.to_owned());
        dataset.into_iter().chain(cells).collect()
    };
    let header = record("dataset", COLUMNS.map(str::to_owned).to_vec());
    let rows = comparisons
        .iter()
        .zip(drawn_points)
        .flat_map(|(comparison, drawn_points)| {
            let rows = rows(comparison, drawn_points).into_iter();
            rows.map(|cells| record(&comparison.dataset, cells))
        });
    csv_of([header].into_iter().chain(rows))
}

/// The rows of one frame.
fn rows(comparison: &Comparison, drawn_points: &[Vec<usize>]) -> Vec<Vec<String>> {
    let row = |kind: &str, name: &str, lambda: f64, cost_usd: f64, accuracy: f64| {
        let lambda = Some(lambda).filter(|lambda| !lambda.is_nan());
        vec![
            kind.to_owned(),
            name.to_owned(),
            lambda.map_or_else(String::new, |lambda| lambda.to_string()),
            cost_usd.to_string(),
            accuracy.to_string(),
        ]
    };
    let mut rows = Vec::new();
    for (curve, drawn) in comparison.curves.iter().zip(drawn_points) {
        let key = curve.series.key();
        // Only what was drawn: the points left out lie on the line between these as far as one can see, and some curves have a hundred
        // thousand.
        for point in drawn.iter().map(|&i| curve.points[i]) {
            rows.push(row(
                "curve",
                &key,
                point.setting,
                point.cost_usd,
                point.accuracy,
            ));
        }
    }
    for model in &comparison.models {
        let point = model.point;
        rows.push(row(
            "llm",
            &model.name,
            f64::NAN,
            point.cost_usd,
            point.accuracy,
        ));
    }
    if let Some(point) = comparison.oracle {
        rows.push(row(
            "oracle",
            "oracle",
            f64::NAN,
            point.cost_usd,
            point.accuracy,
        ));
    }
    rows
}
