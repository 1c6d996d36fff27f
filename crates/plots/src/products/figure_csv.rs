//! The numbers beside an accuracy-cost figure.

use crate::{output::tables::csv_text, scene::Scene};

/// The numbers that a figure was drawn from: of each curve the points that were drawn, then the LLMs and the oracle.
///
/// `lambda` is the least weight of cost from which a point of a per-LLM router holds, and the threshold of a binary one; empty where there
/// is none.
/// Of several scenes each row begins with its data set.
pub(crate) fn figure_csv(scenes: &[Scene], drawn_points: &[Vec<Vec<usize>>]) -> String {
    let header = "kind,name,lambda,cost_usd,accuracy\n";
    if let ([scene], [drawn_points]) = (scenes, drawn_points) {
        return header.to_owned() + &scene_csv(scene, drawn_points, "");
    }
    let mut csv = format!("dataset,{header}");
    for (scene, drawn_points) in scenes.iter().zip(drawn_points) {
        let start = csv_text(&scene.dataset) + ",";
        csv += &scene_csv(scene, drawn_points, &start);
    }
    csv
}

/// The rows of one scene, each after `start`.
fn scene_csv(scene: &Scene, drawn_points: &[Vec<usize>], start: &str) -> String {
    let mut csv = String::new();
    for (curve, drawn) in scene.curves.iter().zip(drawn_points) {
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
    for model in &scene.models {
        csv += &format!(
            "{start}llm,{},,{},{}\n",
            csv_text(&model.name),
            model.point.cost_usd,
            model.point.accuracy
        );
    }
    if let Some(oracle) = scene.oracle {
        csv += &format!(
            "{start}oracle,oracle,,{},{}\n",
            oracle.cost_usd, oracle.accuracy
        );
    }
    csv
}
