//! Exact nearest neighbors by cosine similarity.
//!
//! Which rows are the k nearest is decided by one rule, whatever the back end, block size, batch or number of threads:
//!
//! ```text
//! similarity(a, b) = sum over d of a[d] * b[d], of the float32 unit vectors, summed in float64 in a fixed order   (`dot.rs`)
//! nearer           = higher similarity, then lower row number
//! ```
//!
//! A back end only proposes candidates by its own, faster arithmetic. Candidates that it cannot tell apart within its rounding error
//! are settled by the rule (`candidates`), so a matrix product in float32 gives the very neighbors that float64 would.

mod backend;
mod candidates;
mod gemm;
mod linfa;
mod lists;
mod scan;

use std::ops::Range;

pub use self::backend::Backend;
pub(crate) use self::lists::NeighborLists;
use crate::{Result, UnitRows};

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

#[cfg(test)]
mod tests;
