//! Whole studies: all metrics with bootstrap intervals, the paper's figure of benchmarks, and regret against the Bayes router.

mod benchmarks;
mod bootstrap;
mod regret;

pub use self::{
    benchmarks::{
        BenchmarkIntervals, BenchmarkPoint, BenchmarkRouter, Gap, LambdaFrom, RouterIntervals,
        Rows, benchmark_intervals, benchmark_points, folds,
    },
    bootstrap::{Bootstrap, Resamples, bootstrap},
    regret::{Regret, RegretIntervals, Weights, regret},
};
