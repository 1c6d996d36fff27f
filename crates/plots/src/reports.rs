//! What the tables and the figure's CSV say: results laid out in rows.

use evaluation::Point;

use crate::{
    results::Results,
    scene::Scene,
    tables::{Cell, Column, Table, csv_text},
};

mod knn_accuracy;
mod metrics;

pub(crate) use self::{
    knn_accuracy::knn_accuracy_table,
    metrics::{differences_csv, metrics_csv, metrics_document},
};

/// All methods and LLMs of one data set.
pub(crate) fn method_table(results: &Results) -> Table {
    let columns = [
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
    let mut rows = Vec::new();
    for method in &results.methods {
        let metrics = &method.metrics;
        rows.push(vec![
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
        ]);
    }
    // A single point has no areas.
    let point_row = |name: String, kind: &str, point: Point| {
        let mut row = vec![
            Cell::Text(name),
            Cell::Text(kind.to_owned()),
            Cell::Number(point.accuracy),
            Cell::Usd(point.cost_usd),
        ];
        row.resize(columns.len(), Cell::Blank);
        row
    };
    rows.extend(
        results
            .oracle
            .map(|point| point_row("Oracle".to_owned(), "point", point)),
    );
    rows.extend(
        results
            .random
            .map(|point| point_row("Random LLM".to_owned(), "point", point)),
    );
    rows.extend(
        (results.best_single.as_ref())
            .map(|best| point_row(format!("Best LLM: {}", best.name), "point", best.point)),
    );
    let mut models: Vec<_> = results.models.iter().collect();
    models.sort_by(|a, b| b.point.accuracy.total_cmp(&a.point.accuracy));
    rows.extend(
        models
            .into_iter()
            .map(|model| point_row(model.name.clone(), "llm", model.point)),
    );
    Table {
        columns: columns.map(|(csv, markdown)| Column { csv, markdown }).to_vec(),
        rows,
        notes: vec![
            "Costs are US dollars per 1,000 queries (the CSV has dollars per query). AIQ: mean height of the convex hull over the costs from \
             the cheapest to the dearest point of this table. AUDC: the same of the curve itself. QNC: least cost of the best LLM's accuracy, \
             over that LLM's cost; N/A where it is never reached. Operating points are read off the test curve, so \
             peaks are optimistic."
                .to_owned(),
        ],
    }
}

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
