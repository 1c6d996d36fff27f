use super::{
    kernels::{add_scaled, dot},
    noise::Noise,
    weights::MfWeights,
};

/// Below this norm, a vector is divided by it instead: `torch.nn.functional.normalize`.
const MIN_NORM: f64 = 1e-12;

/// Rows to learn from, one after the other in memory, and their labels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a> {
    pub(super) embeddings: &'a [f32],
    pub(super) labels: &'a [f32],
    pub(super) text_dim: usize,
}

/// The learned vectors, as the logits see them.
#[derive(Debug, Clone)]
pub(super) struct Factors {
    /// `p / ||p||`
    pub(super) unit_model: Vec<f32>,
    /// `||p||`
    pub(super) norm: f64,
    /// `a = c * (p / ||p||)`
    pub(super) scales: Vec<f32>,
}

/// Gradients of the vectors. That of the projection is the outer product of [`Factors::scales`] and `g`.
#[derive(Debug)]
pub(super) struct VectorGradients {
    pub(super) model: Vec<f32>,
    pub(super) classifier: Vec<f32>,
}

/// The sum over a batch that all gradients are made of.
#[derive(Debug)]
pub(super) struct TextGradient {
    /// `g`
    pub(super) g: Vec<f32>,
    /// `sum of d_i`, the gradient of the intercept.
    pub(super) d_sum: f64,
    /// The loss of all rows, not yet divided by their number.
    pub(super) loss_sum: f64,
}

impl Factors {
    pub(super) fn new(weights: &MfWeights) -> Self {
        let squares = weights.model.iter().map(|&x| f64::from(x).powi(2));
        let norm = squares.sum::<f64>().sqrt().max(MIN_NORM);
        let unit = |&x: &f32| (f64::from(x) / norm) as f32;
        let unit_model: Vec<f32> = weights.model.iter().map(unit).collect();
        let pairs = weights.classifier.iter().zip(&unit_model);
        let scales = pairs.map(|(c, unit)| c * unit).collect();
        Self {
            unit_model,
            norm,
            scales,
        }
    }

    /// `v = W^T a`, with which a logit is `x . v`.
    pub(super) fn direction(&self, weights: &MfWeights) -> Vec<f32> {
        let mut direction = vec![0.; weights.text_dim()];
        for (row, scale) in weights.projection_rows().zip(&self.scales) {
            add_scaled(&mut direction, *scale, row);
        }
        direction
    }

    /// The gradients of `p` and `c`.
    ///
    /// ```text
    /// u = W g        dc = (p / ||p||) * u        dp = (I - p p^T / ||p||^2) (c * u) / ||p||
    /// ```
    pub(super) fn vector_gradients(&self, weights: &MfWeights, g: &[f32]) -> VectorGradients {
        let u: Vec<f32> = weights.projection_rows().map(|row| dot(row, g)).collect();
        let by_unit: Vec<f32> = weights
            .classifier
            .iter()
            .zip(&u)
            .map(|(c, u)| c * u)
            .collect();
        let pairs = by_unit.iter().zip(&self.unit_model);
        let along: f64 = pairs.map(|(q, p)| f64::from(*q) * f64::from(*p)).sum();
        let pairs = by_unit.iter().zip(&self.unit_model);
        let model =
            pairs.map(|(q, p)| ((f64::from(*q) - along * f64::from(*p)) / self.norm) as f32);
        let classifier = self.unit_model.iter().zip(&u).map(|(p, u)| p * u);
        VectorGradients {
            model: model.collect(),
            classifier: classifier.collect(),
        }
    }
}

/// Forward and backward through the mean loss of some rows of the table.
///
/// ```text
/// z_i = x_i . v + b        loss = mean of softplus(z_i) - y_i z_i        d_i = (sigmoid(z_i) - y_i) / n        g = sum of d_i x_i
/// ```
///
/// The projection stands only in `v = W^T a`, so the gradients of all weights are known from `g`:
///
/// ```text
/// dW = a g^T        db = sum of d_i        dp and dc as in Factors::vector_gradients
/// ```
///
/// Cost: `2 n text_dim` products for this and `dim text_dim` each for `W g`, `dW` and `v`, where autograd takes `2 n dim text_dim`.
pub(super) fn text_gradient(
    table: Table<'_>,
    rows: &[usize],
    (direction, intercept): (&[f32], f64),
    mut noise: Option<&mut Noise>,
    gradient: &mut TextGradient,
) {
    let squared_norm = f64::from(dot(direction, direction));
    let norm = squared_norm.sqrt();
    let n_rows = rows.len() as f64;
    let (mut sum_d, mut sum_dt, mut sum_dd) = (0., 0., 0.);
    gradient.g.fill(0.);
    gradient.loss_sum = 0.;
    for &row in rows {
        let x = &table.embeddings[row * table.text_dim..][..table.text_dim];
        let y = f64::from(table.labels[row]);
        let t = noise.as_mut().map_or(0., |noise| noise.along(norm));
        let z = f64::from(dot(x, direction)) + t + intercept;
        let d = (sigmoid(z) - y) / n_rows;
        gradient.loss_sum -= log_likelihood(z, y);
        add_scaled(&mut gradient.g, d as f32, x);
        sum_d += d;
        sum_dt += d * t;
        sum_dd += d * d;
    }
    gradient.d_sum = sum_d;
    if let Some(noise) = noise {
        noise.add_to(&mut gradient.g, direction, squared_norm, sum_dt, sum_dd);
    }
}

/// `1 / (1 + exp(-z))`, without overflow.
pub(super) fn sigmoid(z: f64) -> f64 {
    let e = (-z.abs()).exp();
    (if z < 0. { e } else { 1. }) / (1. + e)
}

/// `y z - softplus(z)`: the logarithm of the probability of label `y`, finite for any finite logit.
pub(super) fn log_likelihood(z: f64, y: f64) -> f64 {
    y * z - z.max(0.) - (-z.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2};
    use serde::Deserialize;

    use super::*;

    /// float32 against float32, of the largest value.
    const RELATIVE: f32 = 2e-6;

    #[derive(Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        embeddings: Vec<Vec<f32>>,
        labels: Vec<f32>,
        weights: Vectors,
        gradients: Vectors,
        losses: [f64; 3],
    }

    #[derive(Deserialize)]
    struct Vectors {
        projection: Vec<Vec<f32>>,
        model: Vec<f32>,
        classifier: Vec<f32>,
    }

    fn assert_near(found: &[f32], expected: &[f32], what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        let largest = expected.iter().fold(0_f32, |max, x| max.max(x.abs()));
        assert!(largest > 0., "{what} would be near anything");
        for (found, expected) in found.iter().zip(expected) {
            let difference = (found - expected).abs();
            assert!(
                difference <= RELATIVE * largest,
                "{what}: {found} {expected}"
            );
        }
    }

    #[test]
    fn matches_pytorch_loss_and_gradients() {
        let golden = include_str!("../../tests/golden/mf/pytorch.json");
        let golden: Golden = serde_json::from_str(golden).expect("made by make.py");
        for case in golden.cases {
            let text_dim = case.embeddings[0].len();
            let shape = (case.weights.model.len(), text_dim);
            let projection = case.weights.projection.concat();
            let weights = MfWeights::new(
                Array2::from_shape_vec(shape, projection).expect("a matrix"),
                Array1::from_vec(case.weights.model),
                Array1::from_vec(case.weights.classifier),
            );
            let weights = weights.expect("good weights");
            let factors = Factors::new(&weights);
            let table = Table {
                embeddings: &case.embeddings.concat(),
                labels: &case.labels,
                text_dim,
            };
            let rows: Vec<usize> = (0..case.labels.len()).collect();
            let mut gradient = TextGradient {
                g: vec![0.; text_dim],
                d_sum: 0.,
                loss_sum: 0.,
            };
            text_gradient(
                table,
                &rows,
                (&factors.direction(&weights), 0.),
                None,
                &mut gradient,
            );

            let loss = gradient.loss_sum / rows.len() as f64;
            let tolerance = f64::from(RELATIVE) * case.losses[0];
            assert!(
                (loss - case.losses[0]).abs() < tolerance,
                "{}: {loss}",
                case.name
            );
            let outer = factors
                .scales
                .iter()
                .flat_map(|a| gradient.g.iter().map(move |g| a * g));
            let outer: Vec<f32> = outer.collect();
            let vectors = factors.vector_gradients(&weights, &gradient.g);
            for (found, expected, what) in [
                (outer, case.gradients.projection.concat(), "projection"),
                (vectors.model, case.gradients.model, "model"),
                (vectors.classifier, case.gradients.classifier, "classifier"),
            ] {
                assert_near(&found, &expected, &format!("{what} of {}", case.name));
            }
        }
    }

    #[test]
    fn large_logits_stay_finite() {
        for (z, y, expected) in [
            (0., 1., -std::f64::consts::LN_2),
            (1e3, 1., 0.),
            (1e3, 0., -1e3),
            (-1e3, 1., -1e3),
            (-1e3, 0., 0.),
            (-40., 0., -(-40_f64).exp()),
        ] {
            assert_eq!(log_likelihood(z, y), expected, "{z}, {y}");
        }
        for (z, expected) in [(0., 0.5), (1e3, 1.), (-1e3, 0.), (-40., (-40_f64).exp())] {
            assert_eq!(sigmoid(z), expected, "{z}");
        }
    }
}
