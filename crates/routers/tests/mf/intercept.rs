//! With an intercept, which the reference has not: against slow arithmetic in float64 whose gradients are differences of losses.

use ndarray::{Array1, Array2};
use routers::{Error, Mf, MfParams, MfWeights};

use crate::{fit, params, rows};

const DIM: usize = 3;
const TEXT_DIM: usize = 4;
/// `W` row by row, `p`, `c` and `b` one after the other.
const N_WEIGHTS: usize = DIM * TEXT_DIM + 2 * DIM + 1;
/// float32 against float64, over three steps.
const TOLERANCE: f64 = 2e-6;

fn number(i: usize, seed: f64) -> f32 {
    // No two weights are equal or alike, and none is near 0.
    ((i as f64 + seed) * 2.7).sin() as f32 + 0.1
}

fn logit(weights: &[f64], x: &[f32]) -> f64 {
    let (projection, rest) = weights.split_at(DIM * TEXT_DIM);
    let (model, rest) = rest.split_at(DIM);
    let (classifier, intercept) = rest.split_at(DIM);
    let norm = model.iter().map(|p| p * p).sum::<f64>().sqrt();
    let of = |k: usize| -> f64 {
        let row = &projection[k * TEXT_DIM..][..TEXT_DIM];
        let projected: f64 = row.iter().zip(x).map(|(w, x)| w * f64::from(*x)).sum();
        classifier[k] * model[k] / norm * projected
    };
    (0..DIM).map(of).sum::<f64>() + intercept[0]
}

fn loss(weights: &[f64], embeddings: &Array2<f32>, labels: &[f32]) -> f64 {
    let rows = embeddings.rows().into_iter().zip(labels);
    let losses = rows.map(|(x, y)| {
        let z = logit(weights, &x.to_vec());
        (1.0 + z.exp()).ln() - f64::from(*y) * z
    });
    losses.sum::<f64>() / labels.len() as f64
}

#[test]
fn three_steps_are_those_of_numeric_gradients() {
    let embeddings = Array2::from_shape_fn((9, TEXT_DIM), |(i, j)| number(4 * i + j, 0.3));
    let labels: Vec<f32> = (0..9).map(|i| f32::from(u8::from(i % 3 > 0))).collect();
    let start: Vec<f32> = (0..N_WEIGHTS).map(|i| number(i, 50.0)).collect();
    let (learning_rate, decay, [b1, b2], epsilon) = (0.05, 0.1, [0.9_f64, 0.999_f64], 1e-8);

    let mut expected: Vec<f64> = start.iter().copied().map(f64::from).collect();
    let (mut means, mut squares) = (vec![0.0; N_WEIGHTS], vec![0.0; N_WEIGHTS]);
    for step in 1..=3 {
        let gradient: Vec<f64> = (0..N_WEIGHTS)
            .map(|i| {
                let at = |change: f64| {
                    let mut weights = expected.clone();
                    weights[i] += change;
                    loss(&weights, &embeddings, &labels)
                };
                (at(1e-5) - at(-1e-5)) / 2e-5
            })
            .collect();
        for i in 0..N_WEIGHTS {
            // torch.optim.Adam with its weight decay.
            let g = gradient[i] + decay * expected[i];
            means[i] = b1 * means[i] + (1.0 - b1) * g;
            squares[i] = b2 * squares[i] + (1.0 - b2) * g * g;
            let mean = means[i] / (1.0 - b1.powi(step));
            let square: f64 = squares[i] / (1.0 - b2.powi(step));
            expected[i] -= learning_rate * mean / (square.sqrt() + epsilon);
        }
    }

    let vector = |from: usize| Array1::from_vec(start[from..from + DIM].to_vec());
    let projection = start[..DIM * TEXT_DIM].to_vec();
    let weights = MfWeights::new(
        Array2::from_shape_vec((DIM, TEXT_DIM), projection).unwrap(),
        vector(DIM * TEXT_DIM),
        vector(DIM * TEXT_DIM + DIM),
    );
    let weights = weights.unwrap().with_intercept(Some(start[N_WEIGHTS - 1]));
    let weights = weights.unwrap();
    let params = MfParams {
        dim: DIM,
        intercept: true,
        noise_std: 0.0,
        n_epochs: 3,
        batch_size: 9,
        learning_rate,
        weight_decay: decay,
        validation_share: 0.0,
        ..params()
    };
    let fitted = params.clone().check().unwrap();
    let (mf, _) = fitted
        .fit_from(weights.clone(), embeddings.view(), &labels, &|_| ())
        .unwrap();
    let found = mf.weights();
    let found = found
        .projection()
        .iter()
        .chain(found.model().iter())
        .chain(found.classifier().iter())
        .copied()
        .chain(found.intercept())
        .collect::<Vec<f32>>();
    assert_eq!(found.len(), N_WEIGHTS);
    for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let difference = (f64::from(*found) - expected).abs();
        assert!(difference < TOLERANCE, "{i}: {found} {expected}");
    }
    let logits = mf.logits(embeddings.view()).unwrap();
    for (x, found) in embeddings.rows().into_iter().zip(logits) {
        let expected = logit(&expected, &x.to_vec());
        assert!(
            (found - expected).abs() < 10.0 * TOLERANCE,
            "{found} {expected}"
        );
    }

    // Weights and settings have to agree.
    let without = weights.with_intercept(None).unwrap();
    let refused = fitted.fit_from(without, embeddings.view(), &labels, &|_| ());
    let error = refused.unwrap_err();
    assert!(
        matches!(
            error,
            Error::BadParameter {
                name: "intercept",
                ..
            }
        ),
        "{error}"
    );
    let infinite = Mf::weights(&mf).clone().with_intercept(Some(f32::INFINITY));
    assert!(matches!(
        infinite.unwrap_err(),
        Error::BadWeight {
            name: "intercept",
            ..
        }
    ));
}

#[test]
fn an_intercept_is_learned_where_most_labels_are_equal() {
    // Four of five are won, whatever the prompt says: through the origin that cannot be said.
    let (embeddings, _) = rows(400);
    let labels: Vec<f32> = (0..400)
        .map(|row| f32::from(u8::from(row % 5 > 0)))
        .collect();
    let fitted = |intercept: bool| {
        let params = MfParams {
            intercept,
            n_epochs: 60,
            learning_rate: 0.02,
            ..params()
        };
        fit(&params, embeddings.view(), &labels).unwrap()
    };
    let ((without, found), (with, better)) = (fitted(false), fitted(true));
    assert_eq!(without.weights().intercept(), None);
    let intercept = with.weights().intercept().unwrap();
    // ln(.8 / .2) is 1.39.
    assert!((0.8..2.0).contains(&intercept), "{intercept}");
    let likelihood = |report: &routers::MfReport| report.best.unwrap().log_likelihood;
    assert!(likelihood(&better) > likelihood(&found) + 0.05);
    let mean = with.predict(embeddings.view()).unwrap().mean().unwrap();
    assert!((mean - 0.8).abs() < 0.08, "{mean}");
}
