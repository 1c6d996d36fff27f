//! What the figure's numbers take at SPROUT's size, step by step.
//!
//! `cargo bench -p intrinsic-dimension` builds with the release profile; with `--profile dev` it builds the one that `cargo run` uses.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::time::Instant;

use intrinsic_dimension::{DimensionParams, IsomapParams, KernelParams};
use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const N_POINTS: usize = 44_241;
const DIM: usize = 1_536;

fn main() {
    let embeddings = embeddings();
    let params = DimensionParams {
        seed: 42,
        variance_shares: vec![0.9, 0.95, 0.99],
        kernel: KernelParams {
            n_points: 5_000,
            gamma_times_dim: 1.0,
            n_components: 50,
        },
        isomap: IsomapParams {
            n_points: 3_000,
            n_neighbors: 15,
            n_components: vec![2, 5, 10, 20, 50],
        },
    }
    .check()
    .expect("good parameters");

    let start = Instant::now();
    let principal = params.principal_components(embeddings.view());
    let principal = principal.expect("computed");
    println!(
        "principal components {N_POINTS} x {DIM}: {:.1?}",
        start.elapsed()
    );
    for reached in &principal.n_dimensions {
        println!("  {reached:?}");
    }

    let start = Instant::now();
    let kernel = params
        .kernel_components(embeddings.view())
        .expect("computed");
    println!("kernel components of 5000 points: {:.1?}", start.elapsed());
    println!("  50 hold {:.4} of all", kernel.cumulative_shares[49]);

    let start = Instant::now();
    let isomap = params.isomap(embeddings.view()).expect("computed");
    println!("Isomap of 3000 points: {:.1?}", start.elapsed());
    println!("  {} parts, norm {:.5}", isomap.n_parts, isomap.norm);
    for error in &isomap.errors {
        println!("  {error:?}");
    }
}

/// Unit vectors whose coordinates fall off as those of sentence embeddings do in their principal directions.
fn embeddings() -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut rows = Array2::from_shape_fn((N_POINTS, DIM), |(_, axis)| {
        rng.random_range(-1.0_f32..1.0) * (1.0 + axis as f32).powf(-0.6)
    });
    for mut row in rows.rows_mut() {
        let norm = row.dot(&row).sqrt();
        row /= norm;
    }
    rows
}
