//! Random tables for the tests of curves and of what is computed from them.
#![expect(unreachable_pub, reason = "each test crate has this module to itself")]

use evaluation::{Predicted, Truth};
use ndarray::{Array2, Axis};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// Matrices of shape `(n_prompts, n_models)`.
#[derive(Debug, Clone)]
pub struct Table {
    pub scores: Array2<f32>,
    pub cost_usd: Array2<f64>,
    pub predicted_scores: Array2<f32>,
    pub predicted_cost_usd: Array2<f64>,
}

impl Table {
    pub fn truth(&self) -> Truth<'_> {
        Truth::new(self.scores.view(), self.cost_usd.view()).expect("a good table")
    }

    pub fn predicted(&self) -> Predicted<'_> {
        Predicted::new(self.predicted_scores.view(), self.predicted_cost_usd.view())
            .expect("a good table")
    }

    /// The rows given, in their order, as often as they are given.
    pub fn only(&self, prompts: &[usize]) -> Self {
        Self {
            scores: self.scores.select(Axis(0), prompts),
            cost_usd: self.cost_usd.select(Axis(0), prompts),
            predicted_scores: self.predicted_scores.select(Axis(0), prompts),
            predicted_cost_usd: self.predicted_cost_usd.select(Axis(0), prompts),
        }
    }
}

/// What the predictions of a random table look like.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// Hardly ever tied.
    Fine,
    /// Quarters, so that scores, costs and crossings are often tied.
    Coarse,
    /// Coarse, and a fifth of each matrix is unknown.
    Holes,
}

/// A table of random numbers.
pub fn random_table(kind: Kind, n_prompts: usize, n_models: usize, seed: u64) -> Table {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut matrix = |scale: f64| {
        Array2::from_shape_simple_fn((n_prompts, n_models), || match kind {
            Kind::Fine => scale * rng.random_range(0.0..1.0),
            Kind::Holes if rng.random_bool(0.2) => f64::NAN,
            Kind::Coarse | Kind::Holes => scale * f64::from(rng.random_range(0_u8..=4)) / 4.0,
        })
    };
    Table {
        scores: matrix(1.0).mapv(|score| score as f32),
        cost_usd: matrix(0.02),
        predicted_scores: matrix(1.0).mapv(|score| score as f32),
        predicted_cost_usd: matrix(0.02),
    }
}
