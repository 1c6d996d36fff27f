//! Which search is the fastest in which dimension, at the sizes of the study.
//!
//! `cargo bench -p rate-study --profile dev --bench search [-- LOG2_N]` builds with the profile that `cargo run` uses.
#![expect(clippy::print_stdout, reason = "a bench prints its figures")]

use std::{env, time::Instant};

use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rate_study::{N_OUTPUTS, Search};

/// Test points of one repetition.
const N_QUERIES: usize = 1024;
const N_RUNS: usize = 3;
const DIMS: [usize; 7] = [1, 2, 3, 4, 6, 8, 10];

fn main() {
    let log2_n: u32 = env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(18);
    let n = 1_usize << log2_n;
    println!(
        "one repetition: {N_QUERIES} queries against 2^{log2_n} points, their nearest and their nearest k = ceil(4 n^(2/(2+d))); \
         the least seconds of {N_RUNS} runs on one thread, building included"
    );
    let one_thread = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread");
    for dim in DIMS {
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        let mut even =
            |rows, columns| Array2::from_shape_simple_fn((rows, columns), || rng.random::<f64>());
        let (points, queries) = (even(n, dim), even(N_QUERIES, dim));
        let outputs = even(n, N_OUTPUTS).mapv(|x| x as f32);
        let k = ((4.0 * (n as f64).powf(2.0 / (2.0 + dim as f64))).ceil() as usize).min(n);
        let mut line = format!("d = {dim:>2}, k = {k:>5}:");
        for search in [
            Search::Line,
            Search::KdTree,
            Search::BallTree,
            Search::Products,
        ] {
            if search == Search::Line && dim > 1 {
                continue;
            }
            let seconds = || {
                let begun = Instant::now();
                let means =
                    one_thread.install(|| search.means(&points, outputs.view(), &queries, &[k, 1]));
                means.expect("averaged");
                begun.elapsed().as_secs_f64()
            };
            let least = (0..N_RUNS).map(|_| seconds()).fold(f64::INFINITY, f64::min);
            line += &format!("  {} {least:.2}", search.name());
        }
        println!("{line}");
    }
}
