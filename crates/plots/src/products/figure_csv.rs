//! The numbers beside an accuracy-cost figure.

use crate::{data::comparison::Comparison, output::tables::csv_text};

/// The numbers that a figure was drawn from: of each curve the points that were drawn, then the LLMs and the oracle.
///
/// `lambda` is the least weight of cost from which a point of a per-LLM router holds, and the threshold of a binary one; empty where there
/// is none.
/// Of several comparisons each row begins with its data set.
pub(crate) fn figure_csv(comparisons: &[Comparison], drawn_points: &[Vec<Vec<usize>>]) -> String {
    let header = "kind,name,lambda,cost_usd,accuracy\n";
    if let ([comparison], [drawn_points]) = (comparisons, drawn_points) {
        return header.to_owned() + &comparison_csv(comparison, drawn_points, "");
    }
    let mut csv = format!("dataset,{header}");
    for (comparison, drawn_points) in comparisons.iter().zip(drawn_points) {
        let start = csv_text(&comparison.dataset) + ",";
        csv += &comparison_csv(comparison, drawn_points, &start);
    }
    csv
}

/// The rows of one comparison, each after `start`.
fn comparison_csv(comparison: &Comparison, drawn_points: &[Vec<usize>], start: &str) -> String {
    let mut csv = String::new();
    for (curve, drawn) in comparison.curves.iter().zip(drawn_points) {
        for point in drawn.iter().map(|&i| curve.points[i]) {
            let lambda = if point.lambda.is_nan() {
                String::new()
            } else {
                point.lambda.to_string()
            };
            csv += &format!(
                "{start}curve,{},{lambda},{},{}\n",
                csv_text(&curve.series.key()),
                point.cost_usd,
                point.accuracy
            );
        }
    }
    for model in &comparison.models {
        csv += &format!(
            "{start}llm,{},,{},{}\n",
            csv_text(&model.name),
            model.point.cost_usd,
            model.point.accuracy
        );
    }
    if let Some(oracle) = comparison.oracle {
        csv += &format!(
            "{start}oracle,oracle,,{},{}\n",
            oracle.cost_usd, oracle.accuracy
        );
    }
    csv
}
