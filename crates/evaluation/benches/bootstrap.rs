//! How long 1,000 paired resamples with all metrics take at SPROUT's size, for one router and for five.
//!
//! `cargo bench -p evaluation --bench bootstrap --profile dev` uses what `cargo test` built.
#![expect(clippy::print_stdout, reason = "the times are what a benchmark is for")]

use std::time::Instant;

use dataset::PairIdx;
use evaluation::{
    Predicted, Router, Truth,
    metric::Metric,
    study::{Resamples, bootstrap},
};
use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const N_RESAMPLES: usize = 1_000;
const N_RUNS: usize = 3;

fn main() {
    // SPROUT's test part; RouterBench's.
    measure(6_637, 13, 1);
    measure(6_637, 13, 5);
    measure(7_143, 11, 5);
}

fn measure(n_prompts: usize, n_models: usize, n_routers: usize) {
    let mut rng = ChaCha8Rng::seed_from_u64(42);
    let shape = (n_prompts, n_models);
    let rank = |m: usize| (m + 1) as f64 / n_models as f64;
    let expected = Array2::from_shape_fn(shape, |(_, m)| {
        0.4 + 0.4 * rank(m) + rng.random_range(-0.3..0.3)
    });
    let costs = Array2::from_shape_fn(shape, |(_, m)| {
        0.01 * rank(m).powi(3) * rng.random_range(0.3..1.7)
    });
    let scores = expected.mapv(|p: f64| f32::from(u8::from(rng.random_bool(p.clamp(0.0, 1.0)))));
    // Each router predicts in its own way: 32nds around the truth, as a KNN does, and costs within a half.
    let predictions: Vec<(Array2<f32>, Array2<f64>)> = (0..n_routers)
        .map(|_| {
            let scores = expected.mapv(|p| {
                let noisy: f64 = p + rng.random_range(-0.1..0.1);
                ((noisy.clamp(0.0, 1.0) * 32.0).round() / 32.0) as f32
            });
            (scores, costs.mapv(|cost| cost * rng.random_range(0.5..1.5)))
        })
        .collect();
    let truth = Truth::new(scores.view(), costs.view()).expect("same shape");
    let pair = PairIdx {
        small: 0,
        large: n_models - 1,
    };
    let routers: Vec<Router<'_>> = predictions
        .iter()
        .map(|(scores, costs)| Router::PerModel {
            predicted: Predicted::new(scores.view(), costs.view()).expect("same shape"),
            pair: Some(pair),
        })
        .collect();
    let resamples = Resamples::drawn(N_RESAMPLES, 42).expect("resamples");
    let mut seconds = Vec::new();
    let mut aiq = None;
    for _ in 0..N_RUNS {
        let start = Instant::now();
        let found = bootstrap(&truth, &routers, &resamples).expect("a choice");
        seconds.push(start.elapsed().as_secs_f64());
        aiq = found.interval(0, Metric::Aiq, 0.95).ok();
    }
    seconds.sort_by(f64::total_cmp);
    let aiq = aiq.expect("a good level");
    println!(
        "bootstrap/{n_prompts}x{n_models}x{n_routers}: {:.2} s (median of {N_RUNS}, best {:.2}) for {N_RESAMPLES} resamples; AIQ {:.4} [{:.4}, {:.4}]",
        seconds[N_RUNS / 2],
        seconds[0],
        aiq.estimate,
        aiq.low,
        aiq.high
    );
}
