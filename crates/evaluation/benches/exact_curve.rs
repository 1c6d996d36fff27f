//! How long the exact curve takes at SPROUT's size, and how much longer the paper's grid of 1,001 lambdas does.
//!
//! `cargo bench -p evaluation --bench exact_curve --profile dev` uses what `cargo test` built.
#![expect(clippy::print_stdout, reason = "the times are what a benchmark is for")]

use std::{hint::black_box, time::Instant};

use evaluation::{
    Predicted, Truth,
    curve::{Grid, exact_curve, grid_curve},
};
use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const GRID: Grid = Grid {
    n_steps: 1_000,
    cost_multiplier: 100.0,
};

fn main() {
    // SPROUT's test part; RouterBench's; as many LLMs as a provider lists.
    for (n_prompts, n_models) in [(6_637, 13), (7_143, 11), (6_637, 100)] {
        measure(n_prompts, n_models);
    }
}

fn measure(n_prompts: usize, n_models: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(42);
    let shape = (n_prompts, n_models);
    // LLM m has ability and price that rise with m; predictions are what a KNN gives: 32nds around the ability, costs around the price.
    let rank = |m: usize| (m + 1) as f64 / n_models as f64;
    let predicted_scores = Array2::from_shape_fn(shape, |(_, m)| {
        let score: f64 = 0.4 + 0.4 * rank(m) + rng.random_range(-0.3..0.3);
        ((score.clamp(0.0, 1.0) * 32.0).round() / 32.0) as f32
    });
    let predicted_costs = Array2::from_shape_fn(shape, |(_, m)| {
        0.01 * rank(m).powi(3) * rng.random_range(0.3..1.7)
    });
    let scores = predicted_scores.mapv(|p| f32::from(u8::from(rng.random_bool(f64::from(p)))));
    let costs = predicted_costs.mapv(|cost| cost * rng.random_range(0.5..1.5));
    let truth = Truth::new(scores.view(), costs.view()).expect("same shape");
    let predicted =
        Predicted::new(predicted_scores.view(), predicted_costs.view()).expect("same shape");

    let n_points = exact_curve(&truth, predicted)
        .expect("a choice")
        .points
        .len();
    let exact_ms = median_ms(21, || exact_curve(&truth, predicted));
    let grid_ms = median_ms(3, || grid_curve(&truth, predicted, GRID));
    println!(
        "exact_curve/{n_prompts}x{n_models}: {exact_ms:.2} ms for {n_points} points; grid of {} lambdas: {grid_ms:.1} ms, {:.0} times as long",
        GRID.n_steps + 1,
        grid_ms / exact_ms
    );
}

fn median_ms<T>(n_runs: usize, run: impl Fn() -> T) -> f64 {
    let mut times: Vec<f64> = (0..n_runs)
        .map(|_| {
            let start = Instant::now();
            black_box(run());
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[n_runs / 2]
}
