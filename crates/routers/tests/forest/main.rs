//! The random forest through its public API.

mod arrays;
mod draws;
mod golden;
mod refusals;
mod trees;

use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use routers::{CheckedForestParams, Forest, ForestParams, MaxFeatures};

/// Leaves keep shares as float32.
const SHARE_TOLERANCE: f64 = 1e-7;

/// One tree on all features and all rows: nothing is left to chance, but which of equally good features is taken.
fn tree_params() -> ForestParams {
    ForestParams {
        n_trees: 1,
        max_depth: None,
        max_features: MaxFeatures::All,
        min_samples_leaf: 1,
        bootstrap: false,
        seed: 0,
    }
}

/// scikit-learn's defaults.
fn forest_params(seed: u64) -> ForestParams {
    ForestParams {
        n_trees: 100,
        max_features: MaxFeatures::Sqrt,
        bootstrap: true,
        seed,
        ..tree_params()
    }
}

fn check(params: ForestParams) -> CheckedForestParams {
    params.check().expect("good parameters")
}

fn fit(params: ForestParams, rows: &Array2<f32>, labels: &[u8], n_classes: usize) -> Forest {
    check(params)
        .fit(rows.view(), labels, n_classes, &|_| ())
        .expect("fitted")
}

/// Rows of which the first two features say something about which of four classes they have.
fn noisy_table(n_rows: usize, n_features: usize, seed: u64) -> (Array2<f32>, Vec<u8>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let rows =
        Array2::from_shape_simple_fn((n_rows, n_features), || rng.random_range(-1.0_f32..1.0));
    let mut is_above = |value: f32| u8::from(value + rng.random_range(-1.0_f32..1.0) > 0.0);
    let labels = rows
        .rows()
        .into_iter()
        .map(|row| 2 * is_above(row[0]) + is_above(row[1]))
        .collect();
    (rows, labels)
}
