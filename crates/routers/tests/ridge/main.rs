//! The linear and the kernel learner through their public API: against scikit-learn, and at their edges.

mod determinism;
mod edges;
mod golden;

use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use routers::{CheckedKernelParams, CheckedLinearParams, KernelParams, LinearParams, Target};

const SILENT: &(dyn Fn(u64) + Sync) = &|_| ();

fn linear(alphas: &[f64]) -> CheckedLinearParams {
    let params = LinearParams {
        alphas: alphas.to_vec(),
        n_folds: 4,
        seed: 42,
    };
    params.check().expect("good parameters")
}

fn kernel(gammas: &[f64], alphas: &[f64], n_landmarks: usize) -> CheckedKernelParams {
    let params = KernelParams {
        gammas: gammas.to_vec(),
        alphas: alphas.to_vec(),
        n_landmarks,
        n_folds: 4,
        seed: 42,
    };
    params.check().expect("good parameters")
}

fn target(values: Array2<f32>) -> Target {
    Target {
        name: "score".to_owned(),
        values,
    }
}

/// Numbers from -1 to 1.
fn random(shape: (usize, usize), seed: u64) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Array2::from_shape_simple_fn(shape, || rng.random_range(-1.0..1.0))
}
