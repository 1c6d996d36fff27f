use ndarray::{Array1, Array2};
use routers::{Mf, MfParams, MfWeights};
use serde::Deserialize;

use crate::params;

/// Of the largest logit or weight: float32 against float32.
const PARITY: f64 = 3e-6;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Case {
    name: String,
    embeddings: Vec<Vec<f32>>,
    labels: Vec<f32>,
    learning_rate: f64,
    weight_decay: f64,
    weights: Vectors,
    logits: Vec<f64>,
    losses: [f64; 3],
    after: Vectors,
}

#[derive(Deserialize)]
struct Vectors {
    projection: Vec<Vec<f32>>,
    model: Vec<f32>,
    classifier: Vec<f32>,
}

fn matrix(rows: &[Vec<f32>]) -> Array2<f32> {
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

fn weights(vectors: &Vectors) -> MfWeights {
    let vector = |values: &[f32]| Array1::from_vec(values.to_vec());
    let projection = matrix(&vectors.projection);
    MfWeights::new(
        projection,
        vector(&vectors.model),
        vector(&vectors.classifier),
    )
    .unwrap()
}

fn assert_near(
    found: impl IntoIterator<Item = f64>,
    expected: impl IntoIterator<Item = f64>,
    what: &str,
) {
    let (found, expected): (Vec<f64>, Vec<f64>) =
        (found.into_iter().collect(), expected.into_iter().collect());
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0_f64, |max, x| max.max(x.abs()));
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            (found - expected).abs() <= PARITY * largest,
            "{what}: {found} {expected}"
        );
    }
}

#[test]
fn matches_pytorch_logits_and_three_steps_of_adam() {
    let golden: Golden = serde_json::from_str(include_str!("../golden/mf/pytorch.json")).unwrap();
    for case in golden.cases {
        let embeddings = matrix(&case.embeddings);
        let start = weights(&case.weights);
        let mf = Mf::from_weights(start.clone());
        assert_near(
            mf.logits(embeddings.view()).unwrap(),
            case.logits,
            &format!("logits of {}", case.name),
        );

        // One batch of all rows, so that their order does not matter.
        let params = MfParams {
            dim: start.dim(),
            noise_std: 0.,
            n_epochs: 3,
            batch_size: embeddings.nrows(),
            learning_rate: case.learning_rate,
            weight_decay: case.weight_decay,
            validation_share: 0.,
            ..params()
        };
        let params = params.check().unwrap();
        let (mf, report) = params
            .fit_from(start, embeddings.view(), &case.labels, &|_| ())
            .unwrap();
        assert_eq!(report.n_steps, 3);
        let losses = report.epochs.iter().map(|epoch| epoch.loss);
        assert_near(losses, case.losses, &format!("losses of {}", case.name));
        let (found, expected) = (mf.weights(), weights(&case.after));
        for (found, expected, what) in [
            (
                found.projection().flatten(),
                expected.projection().flatten(),
                "projection",
            ),
            (found.model().into(), expected.model().into(), "model"),
            (
                found.classifier().into(),
                expected.classifier().into(),
                "classifier",
            ),
        ] {
            let wide = |x: &f32| f64::from(*x);
            assert_near(
                found.iter().map(wide),
                expected.iter().map(wide),
                &format!("{what} of {}", case.name),
            );
        }
    }
}
