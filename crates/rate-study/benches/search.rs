//! Which search is the fastest in which dimension, at the sizes of the study.
//!
//! `cargo bench -p rate-study --profile dev --bench search [-- LOG2_N]` builds with the profile that `cargo run` uses.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{env, time::Instant};

use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rate_study::{N_OUTPUTS, Search};

/// Queries of one repetition, and a part of them that is enough to time one.
const N_QUERIES: usize = 256;

fn main() {
    let log2_n: u32 = env::args().find_map(|argument| argument.parse().ok()).unwrap_or(18);
    let n = 1_usize << log2_n;
    println!("{N_QUERIES} queries against 2^{log2_n} points, k = ceil(4 n^(2/(2+d))); seconds to build and to search");
    for dim in [1, 2, 4, 8, 12, 16, 24, 32] {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut even = |rows, columns| Array2::from_shape_simple_fn((rows, columns), || rng.random::<f64>());
        let (points, queries) = (even(n, dim), even(N_QUERIES, dim));
        let one = even(1, dim);
        let outputs = even(n, N_OUTPUTS).mapv(|x| x as f32);
        let k = ((4.0 * (n as f64).powf(2.0 / (2.0 + dim as f64))).ceil() as usize).min(n);
        let mut line = format!("d = {dim:>2}, k = {k:>5}:");
        for search in [Search::Line, Search::KdTree, Search::BallTree, Search::Products] {
            if search == Search::Line && dim > 1 {
                continue;
            }
            let seconds = |queries: &Array2<f64>| {
                let begun = Instant::now();
                let means = search.means(&points, outputs.view(), queries, &[k]).expect("averaged");
                (begun.elapsed().as_secs_f64(), means)
            };
            let (build, _) = seconds(&one);
            let (all, _) = seconds(&queries);
            line += &format!("  {} {build:.3} + {:.3}", search.name(), (all - build).max(0.0));
        }
        println!("{line}");
    }
}
