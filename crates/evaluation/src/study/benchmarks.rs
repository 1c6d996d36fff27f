//! A router against a reference LLM on each benchmark.

mod folds;
mod intervals;
mod points;
mod rows;

pub use self::{
    folds::folds,
    intervals::{BenchmarkIntervals, RouterIntervals, benchmark_intervals},
    points::{BenchmarkPoint, BenchmarkRouter, Gap, LambdaFrom, benchmark_points},
    rows::Rows,
};

#[cfg(test)]
mod tests;
