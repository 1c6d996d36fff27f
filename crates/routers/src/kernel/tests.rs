use ndarray::{Array2, Axis, s};
use serde::Deserialize;

use super::{FoldedKernel, KernelParams, Landmarks};
use crate::{
    UnitRows,
    linear::FoldedLinear,
    prepared::{Prepared, choose},
};

/// Both sides compute in float64.
const RELATIVE_TOLERANCE: f64 = 1e-6;

#[derive(Deserialize)]
struct Golden {
    rows: Vec<Vec<f32>>,
    folds: Vec<usize>,
    targets: Vec<GoldenTarget>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct GoldenTarget {
    values: Vec<Vec<Option<f32>>>,
}

#[derive(Deserialize)]
struct Case {
    landmarks: Option<Vec<usize>>,
    gamma: Option<f64>,
    alpha: f64,
    difference_errors: Vec<f64>,
}

fn matrix<T: Clone>(rows: &[Vec<T>]) -> Array2<T> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).expect("rows of one length")
}

#[test]
fn out_of_fold_errors_match_sklearn_fitted_to_the_same_folds() {
    let text = include_str!("../../tests/golden/ridge/sklearn.json");
    let golden: Golden = serde_json::from_str(text).expect("the golden file is what make.py wrote");
    let mut order: Vec<usize> = (0..golden.folds.len()).collect();
    order.sort_by_key(|&row| golden.folds[row]);
    let n_folds = 4;
    let folds: Vec<_> = (0..n_folds)
        .map(|fold| {
            let before = |end: usize| golden.folds.iter().filter(|&&fold| fold < end).count();
            before(fold)..before(fold + 1)
        })
        .collect();
    let rows = matrix(&golden.rows);
    let sorted = UnitRows::new(rows.select(Axis(0), &order)).expect("finite");
    // All targets side by side, as a fit has them.
    let n_outputs = |target: &GoldenTarget| target.values[0].len();
    let mut values = Array2::zeros((order.len(), golden.targets.iter().map(n_outputs).sum()));
    let (mut outputs, mut start) = (Vec::new(), 0);
    for target in &golden.targets {
        let end = start + n_outputs(target);
        let known = matrix(&target.values).mapv(|value| value.unwrap_or(f32::NAN));
        let mut place = values.slice_mut(s![.., start..end]);
        place.assign(&known.select(Axis(0), &order));
        outputs.push(start..end);
        start = end;
    }
    for case in &golden.cases {
        let learner: Box<dyn Prepared> = match (&case.landmarks, case.gamma) {
            (Some(landmarks), Some(gamma)) => {
                let params = KernelParams {
                    gammas: vec![gamma],
                    alphas: vec![case.alpha],
                    n_landmarks: 1,
                    n_folds,
                    seed: 0,
                };
                let landmarks = UnitRows::new(rows.select(Axis(0), landmarks)).expect("finite");
                let landmarks = Landmarks::new(landmarks);
                Box::new(FoldedKernel::new(
                    &sorted,
                    &folds,
                    landmarks,
                    &params,
                    &|_| (),
                ))
            }
            _ => Box::new(FoldedLinear::new(&sorted, &folds, &[case.alpha])),
        };
        let choices = choose(&*learner, values.view(), &outputs, &[0]);
        for (choice, expected) in choices.iter().zip(&case.difference_errors) {
            let error = choice.errors[0];
            assert!(
                (error - expected).abs() <= RELATIVE_TOLERANCE * expected,
                "gamma {:?}, alpha {}: {error}, not {expected}",
                case.gamma,
                case.alpha
            );
        }
    }
}
