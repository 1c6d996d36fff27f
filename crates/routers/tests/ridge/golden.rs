use ndarray::{Array2, Axis};
use routers::{Target, UnitRows};
use serde::Deserialize;

use super::{SILENT, kernel, linear};

/// Both sides compute in float64; ours returns predictions as float32, and brings rows of length 1 to length 1 once more.
const RELATIVE_TOLERANCE: f64 = 1e-6;
/// Predictions below this are compared as if they were as large: they are differences of larger terms. Scores run from 0 to 1.
const SMALL: f64 = 0.1;

#[derive(Deserialize)]
struct Golden {
    rows: Vec<Vec<f32>>,
    queries: Vec<Vec<f32>>,
    targets: Vec<GoldenTarget>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct GoldenTarget {
    name: String,
    values: Vec<Vec<Option<f32>>>,
}

#[derive(Deserialize)]
struct Case {
    landmarks: Option<Vec<usize>>,
    gamma: Option<f64>,
    alpha: f64,
    predictions: Vec<Vec<Vec<f64>>>,
}

fn matrix<T: Clone>(rows: &[Vec<T>]) -> Array2<T> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).expect("rows of one length")
}

#[test]
fn matches_sklearn_ridge_and_nystroem() {
    let text = include_str!("../golden/ridge/sklearn.json");
    let golden: Golden = serde_json::from_str(text).expect("the golden file is what make.py wrote");
    let (rows, queries) = (matrix(&golden.rows), matrix(&golden.queries));
    let targets: Vec<Target> = golden
        .targets
        .iter()
        .map(|target| Target {
            name: target.name.clone(),
            values: matrix(&target.values).mapv(|value| value.unwrap_or(f32::NAN)),
        })
        .collect();
    assert_eq!(golden.cases.len(), 15);
    for case in &golden.cases {
        let predicted = match (&case.landmarks, case.gamma) {
            (Some(landmarks), Some(gamma)) => {
                let landmarks = UnitRows::new(rows.select(Axis(0), landmarks)).expect("finite");
                let prepared = kernel(&[gamma], &[case.alpha], 1)
                    .prepare_with(rows.view(), landmarks, SILENT)
                    .expect("prepared");
                let fitted = prepared.fit_known(&targets).expect("fitted");
                fitted.predict(queries.view(), SILENT)
            }
            _ => {
                let prepared = linear(&[case.alpha]).prepare(rows.view(), SILENT);
                let fitted = prepared.expect("prepared").fit_known(&targets);
                fitted.expect("fitted").predict(queries.view(), SILENT)
            }
        };
        let predicted = predicted.expect("predicted");
        for ((predicted, expected), target) in predicted.iter().zip(&case.predictions).zip(&targets)
        {
            for (&value, expected) in predicted.iter().zip(expected.concat()) {
                let difference = (f64::from(value) - expected).abs();
                assert!(
                    difference <= RELATIVE_TOLERANCE * expected.abs().max(SMALL),
                    "gamma {:?}, alpha {}, {}: {value}, not {expected}",
                    case.gamma,
                    case.alpha,
                    target.name
                );
            }
        }
    }
}
