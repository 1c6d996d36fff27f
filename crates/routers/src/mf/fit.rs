use ndarray::{Array1, Array2, ArrayView2, Axis};
use rand::{Rng as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;

use super::{
    adam::{AdamStep, Moments},
    gradient::{Factors, Table, TextGradient, log_likelihood, text_gradient},
    kernels::{add_scaled, dot},
    model::Mf,
    noise::Noise,
    params::{CheckedMfParams, MfParams},
    report::{MfBest, MfEpoch, MfReport},
    weights::MfWeights,
};
use crate::{Error, Result};

/// What is drawn from the seed, each from a stream of its own, so that one more draw here changes nothing there.
#[derive(Debug, Clone, Copy)]
enum Stream {
    Weights,
    Split,
    Order,
    Noise,
}

impl Stream {
    fn rng(self, seed: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(self as u64);
        rng
    }
}

impl CheckedMfParams {
    /// Learns from embeddings of shape `(n_prompts, text_dim)` and a label for each: 1 where the small LLM does at least as well as the large
    /// one, 0 where it does not, NaN where that is unknown. `on_progress` counts epochs.
    ///
    /// Minimizes the mean of `softplus(z) - y z` with Adam, on shuffled batches, to whose embeddings normal noise is added. A share of the rows
    /// is kept for validation; the weights with the highest log-likelihood there are the model's, the earlier ones of equals. The first
    /// weights are PyTorch's: `W` uniform within `1 / sqrt(text_dim)` of 0, `c` within `1 / sqrt(dim)`, `p` standard normal. An intercept begins at 0.
    ///
    /// Cost: a step takes some `(2 batch + 6 dim) text_dim` operations and a root and a division for each weight; see `gradient.rs` for why
    /// there is no matrix product in it. A validation takes `n_validation text_dim`.
    ///
    /// Source: somerstep/CARROT at 3e6acff, `mf`; the settings are in configs/routers.toml.
    ///
    /// # Deviations
    /// The reference keeps its best weights as `state_dict().copy()`, whose tensors are those that go on being trained, so it ends with the
    /// last ones; we keep a deep copy. The noise is drawn by its effect on a step, which has the same distribution (`noise.rs`). A validation
    /// is also made after the last step. Rows with an unknown label are left out; the reference has none. Draws come from ChaCha, so that the
    /// split and the weights are not those of PyTorch's seed 42. With `intercept` logits have one, which the reference's have not: through the
    /// origin, prompts can be told apart only by which side of it they lie on.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::BinaryLabel`] or [`Error::NotFinite`] for the data (embeddings without a known label are not looked at);
    /// [`Error::Empty`] when there are no columns or no label is known; [`Error::OneClass`] when all known ones are equal, since the
    /// likeliest logit would be infinite; [`Error::Diverged`] when a loss or a weight is not finite.
    pub fn fit(
        &self,
        embeddings: ArrayView2<'_, f32>,
        labels: &[f32],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(Mf, MfReport)> {
        if embeddings.ncols() == 0 {
            return Err(Error::Empty {
                what: "embedding",
                shape: embeddings.dim(),
            });
        }
        let weights = first_weights(&self.0, embeddings.ncols());
        self.fit_from(weights, embeddings, labels, on_progress)
    }

    /// As [`CheckedMfParams::fit`], but starts from given weights. Adam's means start at zero.
    ///
    /// # Errors
    /// As [`CheckedMfParams::fit`]; [`Error::BadParameter`] when `dim` or `intercept` is not that of the weights.
    pub fn fit_from(
        &self,
        weights: MfWeights,
        embeddings: ArrayView2<'_, f32>,
        labels: &[f32],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(Mf, MfReport)> {
        let params = &self.0;
        if weights.dim() != params.dim {
            return Err(Error::BadParameter {
                name: "dim",
                found: params.dim.to_string(),
                expected: "the length of the weights' vectors",
            });
        }
        if weights.intercept.is_some() != params.intercept {
            return Err(Error::BadParameter {
                name: "intercept",
                found: params.intercept.to_string(),
                expected: "true where the weights have one, else false",
            });
        }
        if weights.text_dim() != embeddings.ncols() {
            return Err(Error::Shape {
                what: "embedding",
                expected: (embeddings.nrows(), weights.text_dim()),
                found: embeddings.dim(),
            });
        }
        let known = known_rows(embeddings, labels)?;
        let n_unknown = labels.len() - known.len();
        let (mut train_rows, validation_rows) = split(params, known);
        let embeddings = embeddings.as_standard_layout();
        let table = Table {
            embeddings: embeddings.as_slice().expect("the layout is standard"),
            labels,
            text_dim: weights.text_dim(),
        };
        // Validation reads all its rows every few steps, so they shall lie side by side.
        let validation = embeddings.select(Axis(0), &validation_rows);
        let validation_labels: Vec<f32> = validation_rows.iter().map(|row| labels[*row]).collect();
        let validation = Table {
            embeddings: validation.as_slice().expect("`select` makes it so"),
            labels: &validation_labels,
            ..table
        };

        let mut learner = Learner::new(weights, params);
        let mut order = Stream::Order.rng(params.seed);
        let n_batches = train_rows.len().div_ceil(params.batch_size) as u64;
        let n_steps = n_batches * params.n_epochs;
        let mut best: Option<(MfBest, MfWeights)> = None;
        let mut epochs = Vec::new();
        let mut val_log_likelihood = None;
        for epoch in 1..=params.n_epochs {
            train_rows.shuffle(&mut order);
            let mut loss_sum = 0.;
            for batch in train_rows.chunks(params.batch_size) {
                loss_sum += learner.step(table, batch)?;
                let step = learner.n_steps;
                let is_due = step.is_multiple_of(params.validate_every_steps) || step == n_steps;
                if !is_due || validation_rows.is_empty() {
                    continue;
                }
                let log_likelihood = learner.mean_log_likelihood(validation);
                val_log_likelihood = Some(log_likelihood);
                if best
                    .as_ref()
                    .is_none_or(|(best, _)| log_likelihood > best.log_likelihood)
                {
                    let found = MfBest {
                        step,
                        log_likelihood,
                    };
                    // A deep copy: the learner goes on changing its own.
                    best = Some((found, learner.weights.clone()));
                }
            }
            let loss = loss_sum / train_rows.len() as f64;
            tracing::debug!(epoch, step = learner.n_steps, loss, val_log_likelihood);
            epochs.push(MfEpoch {
                loss,
                val_log_likelihood,
            });
            on_progress(1);
        }

        let (best, weights) = best.map_or((None, learner.weights), |(best, w)| (Some(best), w));
        // Those of the last step have not been through a loss yet.
        let MfWeights {
            projection,
            model,
            classifier,
            intercept,
        } = weights;
        let weights = MfWeights::new(projection, model, classifier)
            .and_then(|weights| weights.with_intercept(intercept))
            .map_err(|_| Error::Diverged { step: n_steps })?;
        let report = MfReport {
            n_train: train_rows.len(),
            n_validation: validation_rows.len(),
            n_unknown,
            n_steps,
            best,
            epochs,
            validation_rows,
        };
        Ok((Mf::from_weights(weights), report))
    }
}

/// Weights with all that is needed for the next step.
struct Learner<'a> {
    params: &'a MfParams,
    weights: MfWeights,
    projection: Moments,
    model: Moments,
    classifier: Moments,
    intercept: Moments,
    factors: Factors,
    direction: Vec<f32>,
    gradient: TextGradient,
    noise: Option<Noise>,
    n_steps: u64,
}

impl<'a> Learner<'a> {
    fn new(weights: MfWeights, params: &'a MfParams) -> Self {
        let (dim, text_dim) = (weights.dim(), weights.text_dim());
        let factors = Factors::new(&weights);
        let rng = Stream::Noise.rng(params.seed);
        Self {
            params,
            projection: Moments::zeros(dim * text_dim),
            model: Moments::zeros(dim),
            classifier: Moments::zeros(dim),
            intercept: Moments::zeros(1),
            direction: factors.direction(&weights),
            factors,
            weights,
            gradient: TextGradient {
                g: vec![0.; text_dim],
                d_sum: 0.,
                loss_sum: 0.,
            },
            noise: (params.noise_std > 0.).then(|| Noise::new(params.noise_std, text_dim, rng)),
            n_steps: 0,
        }
    }

    /// Learns from a batch; gives the sum of its rows' losses.
    fn step(&mut self, table: Table<'_>, rows: &[usize]) -> Result<f64> {
        let intercept = f64::from(self.weights.intercept.unwrap_or(0.));
        text_gradient(
            table,
            rows,
            (&self.direction, intercept),
            self.noise.as_mut(),
            &mut self.gradient,
        );
        self.n_steps += 1;
        if !self.gradient.loss_sum.is_finite() {
            return Err(Error::Diverged { step: self.n_steps });
        }
        let g = &self.gradient.g;
        let vectors = self.factors.vector_gradients(&self.weights, g);
        let adam = AdamStep::new(self.params, self.n_steps);
        for (weights, moments, gradient) in [
            (&mut self.weights.model, &mut self.model, &vectors.model),
            (
                &mut self.weights.classifier,
                &mut self.classifier,
                &vectors.classifier,
            ),
        ] {
            let weights = weights.as_slice_mut().expect("a vector lies in one piece");
            adam.update(
                weights,
                &mut moments.mean,
                &mut moments.mean_square,
                1.,
                gradient,
            );
        }
        if let Some(intercept) = &mut self.weights.intercept {
            adam.update(
                std::slice::from_mut(intercept),
                &mut self.intercept.mean,
                &mut self.intercept.mean_square,
                1.,
                &[self.gradient.d_sum as f32],
            );
        }
        // The gradient of the projection has the old vectors, the next direction the new ones.
        let factors = Factors::new(&self.weights);
        self.direction.fill(0.);
        let text_dim = table.text_dim;
        let projection = self.weights.projection.as_slice_mut();
        let projection = projection.expect("`MfWeights::new` makes it lie row by row");
        let means = self.projection.mean.chunks_exact_mut(text_dim);
        let mean_squares = self.projection.mean_square.chunks_exact_mut(text_dim);
        let scales = self.factors.scales.iter().zip(&factors.scales);
        let rows = projection
            .chunks_exact_mut(text_dim)
            .zip(means)
            .zip(mean_squares);
        for (((row, mean), mean_square), (old, new)) in rows.zip(scales) {
            adam.update(row, mean, mean_square, *old, g);
            // Now, while the row is in the nearest cache.
            add_scaled(&mut self.direction, *new, row);
        }
        self.factors = factors;
        Ok(self.gradient.loss_sum)
    }

    fn mean_log_likelihood(&self, table: Table<'_>) -> f64 {
        let intercept = f64::from(self.weights.intercept.unwrap_or(0.));
        let rows = table.embeddings.par_chunks_exact(table.text_dim);
        let logits: Vec<f32> = rows.map(|x| dot(x, &self.direction)).collect();
        let pairs = logits.iter().zip(table.labels);
        // Summed in one order, whatever threads there are.
        let sum: f64 = pairs
            .map(|(z, y)| log_likelihood(f64::from(*z) + intercept, f64::from(*y)))
            .sum();
        sum / logits.len() as f64
    }
}

/// PyTorch's: `Linear` has kaiming-uniform weights with `a = sqrt(5)`, which is uniform within `1 / sqrt(inputs)`; `Embedding` normal ones.
fn first_weights(params: &MfParams, text_dim: usize) -> MfWeights {
    let mut rng = Stream::Weights.rng(params.seed);
    let bound = |n_inputs: usize| (1. / (n_inputs as f64).sqrt()) as f32;
    let (of_text, of_dim) = (bound(text_dim), bound(params.dim));
    let model = Array1::from_shape_simple_fn(params.dim, || rng.sample(StandardNormal));
    MfWeights {
        projection: Array2::from_shape_simple_fn((params.dim, text_dim), || {
            rng.random_range(-of_text..of_text)
        }),
        classifier: Array1::from_shape_simple_fn(params.dim, || rng.random_range(-of_dim..of_dim)),
        model,
        intercept: params.intercept.then_some(0.),
    }
}

/// The rows whose label is known, ascending.
fn known_rows(embeddings: ArrayView2<'_, f32>, labels: &[f32]) -> Result<Vec<usize>> {
    if labels.len() != embeddings.nrows() {
        return Err(Error::Shape {
            what: "label",
            expected: (embeddings.nrows(), 1),
            found: (labels.len(), 1),
        });
    }
    let mut known = Vec::with_capacity(labels.len());
    for (row, (&label, x)) in labels.iter().zip(embeddings.rows()).enumerate() {
        if label.is_nan() {
            continue;
        }
        if label != 0. && label != 1. {
            return Err(Error::BinaryLabel { row, found: label });
        }
        if !x.iter().all(|x| x.is_finite()) {
            return Err(Error::NotFinite { row });
        }
        known.push(row);
    }
    let Some(&first) = known.first() else {
        return Err(Error::Empty {
            what: "labeled embedding",
            shape: (0, embeddings.ncols()),
        });
    };
    if known.iter().all(|row| labels[*row] == labels[first]) {
        return Err(Error::OneClass {
            class: labels[first] as u8,
            n_rows: known.len(),
        });
    }
    Ok(known)
}

/// Rows to train and to validate on, the latter ascending.
fn split(params: &MfParams, mut rows: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
    rows.shuffle(&mut Stream::Split.rng(params.seed));
    let n_validation = (params.validation_share * rows.len() as f64) as usize;
    let train = rows.split_off(n_validation);
    rows.sort_unstable();
    (train, rows)
}
