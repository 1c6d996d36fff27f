//! Exact nearest neighbors by cosine similarity.
//!
//! Which rows are the k nearest is decided by one rule, whatever the back end, block size, batch or number of threads:
//!
//! ```text
//! similarity(a, b) = sum over d of a[d] * b[d], of the float32 unit vectors, summed in float64 in a fixed order   (`dot_f64`)
//! nearer           = higher similarity, then lower row number
//! ```
//!
//! A back end only proposes candidates by its own, faster arithmetic. Candidates that it cannot tell apart within its rounding error
//! are settled by the rule (`candidates`), so a matrix product in float32 gives the very neighbors that float64 would.

mod candidates;
mod gemm;
mod linfa;
mod scan;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{Result, UnitRows};

/// How candidates for the nearest neighbors are found. The result is the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// Blocked float32 matrix products: the fastest above some tens of dimensions.
    Gemm,
    /// `linfa-nn`'s linear search.
    LinfaLinear,
    /// `linfa-nn`'s ball tree: for few dimensions.
    LinfaBalltree,
    /// `linfa-nn`'s k-d tree: for few dimensions.
    LinfaKdtree,
}

/// The k nearest rows of every query, for several k at once.
///
/// The neighbors of one query stand in segments: the first `ks[0]` are the nearest `ks[0]`, the first `ks[1]` the nearest `ks[1]`, and
/// so on. Within a segment they stand by row number, so that whatever is summed over them is summed in a fixed order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NeighborLists {
    k_max: usize,
    rows: Vec<u32>,
}

impl NeighborLists {
    /// The neighbors of one query: `k_max` row numbers.
    pub(crate) fn of(&self, query: usize) -> &[u32] {
        &self.rows[query * self.k_max..(query + 1) * self.k_max]
    }
}

/// For every row, the nearest rows of all folds but its own.
///
/// `ks` are in ascending order; the last may not exceed the number of rows outside any fold. `on_progress` counts rows.
pub(crate) fn nearest_in_other_folds(
    rows: &UnitRows,
    folds: &[Range<usize>],
    ks: &[usize],
    backend: Backend,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<NeighborLists> {
    match backend {
        Backend::Gemm => Ok(gemm::nearest_in_other_folds(rows, folds, ks, on_progress)),
        Backend::LinfaLinear | Backend::LinfaBalltree | Backend::LinfaKdtree => {
            linfa::nearest_in_other_folds(rows, folds, ks, backend, on_progress)
        }
    }
}

/// For every query, the nearest of `rows`. `ks` as above. `on_progress` counts queries.
pub(crate) fn nearest(
    queries: &UnitRows,
    rows: &UnitRows,
    ks: &[usize],
    backend: Backend,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<NeighborLists> {
    match backend {
        Backend::Gemm => Ok(gemm::nearest(queries, rows, ks, on_progress)),
        Backend::LinfaLinear | Backend::LinfaBalltree | Backend::LinfaKdtree => {
            linfa::nearest(queries, rows, ks, backend, on_progress)
        }
    }
}

/// The similarity that decides: products of float32 are exact in float64, and eight running sums are added in a fixed order.
pub(crate) fn dot_f64(a: &[f32], b: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0_f64; LANES];
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a
        .remainder()
        .iter()
        .zip(b.remainder())
        .map(|(&x, &y)| f64::from(x) * f64::from(y))
        .sum();
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests;
