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

mod ask;
mod backend;
mod candidates;
mod gemm;
mod in_memory;
mod linfa;
mod lists;
mod scan;

use std::ops::Range;

pub(crate) use self::{ask::Ask, lists::NeighborLists};
pub use self::{backend::Backend, in_memory::InMemory};
use crate::{NeighborRows, Result, UnitRows};

/// For every row, the nearest rows of all folds but its own.
///
/// The last k may not exceed the number of rows outside any fold.
pub(crate) fn nearest_in_other_folds(
    rows: &UnitRows,
    folds: &[Range<usize>],
    ask: Ask<'_>,
) -> Result<NeighborLists> {
    match ask.backend {
        Backend::Gemm => Ok(gemm::nearest_in_other_folds(rows, folds, ask)),
        Backend::LinfaLinear | Backend::LinfaBalltree | Backend::LinfaKdtree => {
            linfa::nearest_in_other_folds(rows, folds, ask)
        }
    }
}

/// For every query, the nearest of `rows`. The last k may not exceed their number.
pub(crate) fn nearest(
    queries: &UnitRows,
    rows: &NeighborRows,
    ask: Ask<'_>,
) -> Result<NeighborLists> {
    match (ask.backend, rows) {
        (Backend::Gemm, NeighborRows::F32(rows)) => Ok(gemm::nearest(queries, rows, ask)),
        (Backend::Gemm, NeighborRows::F16(rows)) => Ok(gemm::nearest(queries, rows, ask)),
        // linfa-nn searches in float32 alone.
        (Backend::LinfaLinear | Backend::LinfaBalltree | Backend::LinfaKdtree, rows) => {
            linfa::nearest(queries, &rows.to_unit_rows(), ask)
        }
    }
}

/// The same by matrix products, which cannot fail.
pub(crate) fn nearest_by_products(
    queries: &UnitRows,
    rows: &NeighborRows,
    ks: &[usize],
) -> NeighborLists {
    let ask = Ask {
        ks,
        backend: Backend::Gemm,
        on_progress: &|_| (),
    };
    match rows {
        NeighborRows::F32(rows) => gemm::nearest(queries, rows, ask),
        NeighborRows::F16(rows) => gemm::nearest(queries, rows, ask),
    }
}

/// The same among the rows that `is_other` than a query says, of which there are at least as many as the last k. `on_progress` counts queries.
pub(crate) fn nearest_by_products_of_others(
    queries: &UnitRows,
    rows: &UnitRows,
    ks: &[usize],
    on_progress: &(dyn Fn(u64) + Sync),
    is_other: impl Fn(usize, u32) -> bool + Copy + Sync,
) -> NeighborLists {
    let ask = Ask {
        ks,
        backend: Backend::Gemm,
        on_progress,
    };
    gemm::nearest_of_others(queries, rows, ask, is_other)
}

#[cfg(test)]
mod tests;
