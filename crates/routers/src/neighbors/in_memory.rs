use ndarray::{Array2, ArrayView2};

use super::{ask::Ask, backend::Backend};
use crate::{Error, Nearest, NeighborRows, Neighbors, Result, UnitRows};

/// Rows in memory, searched exactly.
#[derive(Debug, Clone)]
pub struct InMemory {
    rows: NeighborRows,
    /// Shape `(n_rows, n_values)`, row after row.
    values: Array2<f32>,
    backend: Backend,
}

impl InMemory {
    /// Rows of float16 stay so, unless `backend` is one of linfa-nn's, whose searches are in float32. `values` has shape `(n_rows, n_values)`, NaN where
    /// unknown.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are values of other rows.
    pub fn new(
        rows: impl Into<NeighborRows>,
        values: Array2<f32>,
        backend: Backend,
    ) -> Result<Self> {
        let mut rows = rows.into();
        if values.nrows() != rows.n_rows() {
            return Err(Error::Shape {
                what: "value",
                expected: (rows.n_rows(), values.ncols()),
                found: values.dim(),
            });
        }
        if backend != Backend::Gemm {
            rows = rows.to_unit_rows().into();
        }
        Ok(Self {
            rows,
            values: values.as_standard_layout().into_owned(),
            backend,
        })
    }

    /// The rows that can be neighbors.
    pub fn rows(&self) -> &NeighborRows {
        &self.rows
    }

    /// What neighbors are averaged over, shape `(n_rows, n_values)`, NaN where unknown.
    pub fn values(&self) -> ArrayView2<'_, f32> {
        self.values.view()
    }

    /// How neighbors are searched for.
    pub fn backend(&self) -> Backend {
        self.backend
    }
}

impl Neighbors for InMemory {
    fn dim(&self) -> usize {
        self.rows.dim()
    }

    fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    fn n_values(&self) -> usize {
        self.values.ncols()
    }

    fn nearest<'a>(
        &'a self,
        queries: &'a UnitRows,
        ks: &[usize],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Nearest<'a>> {
        let ask = Ask {
            ks,
            backend: self.backend,
            on_progress,
        };
        let lists = super::nearest(queries, &self.rows, ask)?;
        let (k, values) = (lists.k_max, self.values.view());
        Ok(Nearest::in_memory(
            k, lists.rows, queries, &self.rows, values,
        ))
    }
}
