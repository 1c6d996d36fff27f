//! Against figures that scikit-learn gave; `golden/prediction_accuracy/make.py` made them.

use dataset::{CostKind, KeptColumns, PartTable, PerModel};
use evaluation::metric::{CostUnit, prediction_accuracy};
use ndarray::Array2;
use serde_json::Value;

/// Means of 160 numbers, summed in another order.
const ROUNDING: f64 = 1e-12;

fn matrix(table: &Value, key: &str) -> Array2<f64> {
    let rows = table[key].as_array().expect("rows");
    let values: Vec<f64> = rows
        .iter()
        .flat_map(|row| row.as_array().expect("a row"))
        .map(|value| value.as_f64().expect("a number"))
        .collect();
    Array2::from_shape_vec((rows.len(), values.len() / rows.len()), values).expect("a matrix")
}

#[test]
fn matches_sklearn_on_a_small_table() {
    let table: Value =
        serde_json::from_str(include_str!("golden/prediction_accuracy/table.json")).expect("JSON");
    let scores = matrix(&table, "scores").mapv(|score| score as f32);
    let (n_prompts, n_models) = scores.dim();
    let ids: Vec<String> = (0..n_prompts).map(|i| i.to_string()).collect();
    let models: Vec<String> = (0..n_models).map(|m| m.to_string()).collect();
    let split = PartTable {
        ids: ids.clone(),
        tasks: ids.clone(),
        prompts: ids.clone(),
        models: models.clone(),
        scores,
        input_tokens: None,
        output_tokens: None,
        cost_usd: matrix(&table, "cost_usd"),
        propensities: None,
        kept: KeptColumns::default(),
    };
    let predicted = PerModel {
        ids,
        models,
        scores: matrix(&table, "predicted_scores").mapv(|score| score as f32),
        output_tokens: None,
        cost_usd: matrix(&table, "predicted_cost_usd"),
    };

    let found = prediction_accuracy(&split, &predicted, CostKind::Usd).expect("compared");
    assert_eq!((found.n_test, found.n_models), (n_prompts, n_models));
    let cost_mae = found.cost_mae.expect("costs were predicted");
    assert_eq!(cost_mae.unit, CostUnit::Usd);
    for (key, found) in [
        ("binarized_acc", found.binarized_acc),
        ("score_mae", found.score_mae),
        ("score_r2", found.score_r2),
        ("mean_auc", found.mean_auc.expect("both classes")),
        ("routing_acc", found.routing_acc),
        ("best_single", found.best_single),
        ("oracle", found.oracle),
        ("cost_mae", cost_mae.mean),
    ] {
        let expected = table[key].as_f64().expect("a number");
        assert!(
            (found - expected).abs() <= ROUNDING,
            "{key} is {found}, scikit-learn has {expected}"
        );
    }
}
