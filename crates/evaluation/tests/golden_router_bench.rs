//! LLMRouterBench's numbers against NumPy and its own code; `golden/router_bench/make.py` made them.

use evaluation::{Predicted, Router, Truth, metric::router_bench};
use ndarray::Array2;
use serde_json::Value;

/// Accuracies are of float32, weighted by data set.
const ROUNDING: f64 = 1e-6;

fn matrix(value: &Value) -> Array2<f64> {
    let rows = value.as_array().expect("rows");
    let values = rows.iter().flat_map(|row| row.as_array().expect("a row"));
    let values: Vec<f64> = values
        .map(|value| value.as_f64().expect("a number"))
        .collect();
    Array2::from_shape_vec((rows.len(), values.len() / rows.len()), values).expect("a matrix")
}

#[test]
fn matches_numpy_and_the_code_of_llm_router_bench() {
    let golden: Value =
        serde_json::from_str(include_str!("golden/router_bench/table.json")).expect("JSON");
    let tasks = golden["tasks"].as_array().expect("tasks").iter();
    let tasks: Vec<usize> = tasks
        .map(|task| task.as_u64().expect("a number") as usize)
        .collect();
    let scores = matrix(&golden["scores"]).mapv(|score| score as f32);
    let costs = matrix(&golden["costs"]);
    let truth = Truth::new(scores.view(), costs.view()).expect("a truth");
    let of_routers = golden["routers"].as_array().expect("routers");
    let predicted: Vec<(Array2<f32>, Array2<f64>)> = of_routers
        .iter()
        .map(|of| {
            (
                matrix(&of["scores"]).mapv(|score| score as f32),
                matrix(&of["costs"]),
            )
        })
        .collect();
    let routers: Vec<Router<'_>> = predicted
        .iter()
        .map(|(scores, costs)| Router::PerModel {
            predicted: Predicted::new(scores.view(), costs.view()).expect("predictions"),
            pair: None,
        })
        .collect();
    let found = router_bench(&truth, &tasks, &routers)
        .expect("measured")
        .expect("complete");
    for (found, of) in found.iter().zip(of_routers) {
        for (name, value, _) in found.named() {
            let key = name.strip_prefix("llm_router_bench_").expect("its prefix");
            let expected = of["expected"][key].as_f64().unwrap_or(f64::NAN);
            assert!(
                (value - expected).abs() < ROUNDING || (value.is_nan() && expected.is_nan()),
                "{key}: {value}, expected {expected}"
            );
        }
    }
}
