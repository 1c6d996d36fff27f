use std::{borrow::Cow, ops::Range, sync::Arc};

use half::f16;

use crate::{HalfRows, Result, UnitRows, dot::dot_f64};

/// Vectors of length 1 that can be neighbors, as they are held in memory. Which are the nearest does not depend on it.
#[derive(Debug, Clone)]
pub enum NeighborRows {
    /// In float32.
    F32(UnitRows),
    /// In float16, as they are stored. A search widens some at a time.
    F16(HalfRows),
}

impl NeighborRows {
    /// Number of vectors.
    pub fn n_rows(&self) -> usize {
        match self {
            Self::F32(rows) => rows.n_rows(),
            Self::F16(rows) => rows.n_rows(),
        }
    }

    /// Length of each vector.
    pub fn dim(&self) -> usize {
        match self {
            Self::F32(rows) => rows.dim(),
            Self::F16(rows) => rows.dim(),
        }
    }

    /// The vectors in float32; not copied where they are.
    pub fn to_unit_rows(&self) -> UnitRows {
        match self {
            Self::F32(rows) => rows.clone(),
            Self::F16(rows) => rows.to_unit_rows(),
        }
    }

    /// The vectors in float16: those of float32 are rounded, others not copied.
    ///
    /// # Errors
    /// None for vectors of length 1.
    pub fn to_half_rows(&self) -> Result<HalfRows> {
        match self {
            Self::F32(rows) => {
                let values = rows.view();
                let halves = values.iter().map(|&x| f16::from_f32(x)).collect::<Vec<_>>();
                HalfRows::new(Arc::new(halves), values.dim())
            }
            Self::F16(rows) => Ok(rows.clone()),
        }
    }

    /// Copies of some of the vectors, at least one.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        match self {
            Self::F32(all) => Self::F32(all.select(rows)),
            Self::F16(all) => Self::F16(all.select(rows)),
        }
    }

    /// What a row stands for.
    pub(crate) fn unit(&self, row: usize) -> Cow<'_, [f32]> {
        match self {
            Self::F32(rows) => rows.row(row).into(),
            Self::F16(rows) => rows.unit(row).into(),
        }
    }
}

impl From<UnitRows> for NeighborRows {
    fn from(rows: UnitRows) -> Self {
        Self::F32(rows)
    }
}

impl From<HalfRows> for NeighborRows {
    fn from(rows: HalfRows) -> Self {
        Self::F16(rows)
    }
}

/// Rows that products propose candidates among.
pub(crate) trait Searched: Sync {
    /// Roundings of 2^-24 of each value of [`Searched::block`] that the deciding similarity does not have.
    const ROUNDINGS: f32;

    fn n_rows(&self) -> usize;

    fn dim(&self) -> usize;

    /// The values of some rows, row after row; `room` is for rows that are held otherwise.
    fn block<'a>(&'a self, rows: Range<usize>, room: &'a mut Vec<f32>) -> &'a [f32];

    /// The similarity that decides.
    fn decide(&self, query: &[f32], row: u32) -> f64;
}

impl Searched for UnitRows {
    const ROUNDINGS: f32 = 0.0;

    fn n_rows(&self) -> usize {
        self.n_rows()
    }

    fn dim(&self) -> usize {
        self.dim()
    }

    fn block<'a>(&'a self, rows: Range<usize>, _: &'a mut Vec<f32>) -> &'a [f32] {
        self.slice(rows)
    }

    fn decide(&self, query: &[f32], row: u32) -> f64 {
        dot_f64(query, self.row(row as usize))
    }
}

impl Searched for HalfRows {
    const ROUNDINGS: f32 = 3.0;

    fn n_rows(&self) -> usize {
        self.n_rows()
    }

    fn dim(&self) -> usize {
        self.dim()
    }

    fn block<'a>(&'a self, rows: Range<usize>, room: &'a mut Vec<f32>) -> &'a [f32] {
        self.write_rounded(rows, room);
        room
    }

    fn decide(&self, query: &[f32], row: u32) -> f64 {
        dot_f64(query, &self.unit(row as usize))
    }
}
