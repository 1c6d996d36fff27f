use std::{fmt, ops::Range, sync::Arc};

use half::{f16, slice::HalfFloatSliceExt as _};
use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::{
    Error, Result, UnitRows,
    unit_rows::{check_shape, check_values, length},
};

/// Float16 values that lie elsewhere, as in a mapped file, and are shared.
pub type SharedHalves = Arc<dyn AsRef<[f16]> + Send + Sync>;

/// Vectors of length 1 that are stored in float16, row by row, and stay so: half the memory of [`UnitRows`].
///
/// Rounding to eleven bits moves a row's length off 1 by up to half a thousandth. What a row stands for is therefore its values divided by
/// their length, as [`UnitRows::new`] would make it of them: [`HalfRows::to_unit_rows`] is just that, and searches find the same neighbors in both.
///
/// A clone shares the values.
#[derive(Clone)]
pub struct HalfRows {
    values: SharedHalves,
    n_rows: usize,
    dim: usize,
    /// Of each row, in float64: 8 bytes beside the 2 of each value.
    lengths: Arc<[f64]>,
}

impl HalfRows {
    /// Takes vectors, row after row, from wherever they lie: a mapped file, say. They are read once, to be measured, and not copied.
    ///
    /// `values` must give the same numbers each time.
    ///
    /// # Errors
    /// [`Error::Empty`] or [`Error::TooManyRows`] for the shape; [`Error::Shape`] when there are more or fewer values; [`Error::NotFinite`].
    pub fn new(values: SharedHalves, shape: (usize, usize)) -> Result<Self> {
        let (n_rows, dim) = check_shape(shape)?;
        let halves = (*values).as_ref();
        check_values(halves.len(), shape)?;
        let lengths: Vec<f64> = (halves.par_chunks_exact(dim))
            .map_init(
                || vec![0.0; dim],
                |wide, row| {
                    row.convert_to_f32_slice(wide);
                    length(wide)
                },
            )
            .collect();
        match lengths.iter().position(|length| !length.is_finite()) {
            Some(row) => Err(Error::NotFinite { row }),
            None => Ok(Self {
                values,
                n_rows,
                dim,
                lengths: lengths.into(),
            }),
        }
    }

    /// Number of vectors.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Length of each vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// The vectors as they are stored, shape `(n_rows, dim)`.
    pub fn view(&self) -> ArrayView2<'_, f16> {
        ArrayView2::from_shape((self.n_rows, self.dim), self.slice(0..self.n_rows))
            .expect("there are so many values")
    }

    /// The vectors in float32, of length 1 again.
    pub fn to_unit_rows(&self) -> UnitRows {
        let mut wide = Array2::zeros((self.n_rows, self.dim));
        let values = wide.as_slice_mut().expect("it was made row by row");
        (values.par_chunks_exact_mut(self.dim).enumerate())
            .for_each(|(row, wide)| self.write_unit(row, wide));
        UnitRows::of_unit(wide)
    }

    /// Copies of some of the vectors, at least one.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let values: Vec<f16> = (rows.iter())
            .flat_map(|&row| self.slice(row..row + 1))
            .copied()
            .collect();
        Self {
            values: Arc::new(values),
            n_rows: rows.len(),
            dim: self.dim,
            lengths: rows.iter().map(|&row| self.lengths[row]).collect(),
        }
    }

    /// What a row stands for.
    pub(crate) fn unit(&self, row: usize) -> Vec<f32> {
        let mut wide = vec![0.0; self.dim];
        self.write_unit(row, &mut wide);
        wide
    }

    /// What some rows stand for but for rounding, row after row: multiplied by one over the length, which is several times as fast as divided by it.
    ///
    /// Of each value `x / length` three roundings of 2^-24 are made, one of which it has as a [`UnitRows`] too.
    pub(crate) fn write_rounded(&self, rows: Range<usize>, wide: &mut Vec<f32>) {
        wide.resize(rows.len() * self.dim, 0.0);
        self.slice(rows.clone()).convert_to_f32_slice(wide);
        for (row, wide) in rows.zip(wide.chunks_exact_mut(self.dim)) {
            if self.lengths[row] > 0.0 {
                let factor = (1.0 / self.lengths[row]) as f32;
                for x in wide {
                    *x *= factor;
                }
            }
        }
    }

    fn write_unit(&self, row: usize, wide: &mut [f32]) {
        self.slice(row..row + 1).convert_to_f32_slice(wide);
        let length = self.lengths[row];
        if length > 0.0 {
            for x in wide {
                *x = (f64::from(*x) / length) as f32;
            }
        }
    }

    fn slice(&self, rows: Range<usize>) -> &[f16] {
        &(*self.values).as_ref()[rows.start * self.dim..rows.end * self.dim]
    }
}

impl fmt::Debug for HalfRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HalfRows")
            .field("n_rows", &self.n_rows)
            .field("dim", &self.dim)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use half::vec::HalfFloatVecExt as _;

    use super::*;

    /// Rows of any length, one of them zero, one of the smallest numbers that there are.
    fn halves() -> Vec<f16> {
        Vec::from_f32_slice(&[
            0.6, 0.8, 0.1, 0.0, 0.0, 0.0, 6e-8, 0.0, 0.0, -700.0, 2.5, 60_000.0,
        ])
    }

    #[test]
    fn rows_stand_for_what_unit_rows_would_make_of_them() {
        let values = Arc::new(halves());
        let rows = HalfRows::new(values.clone(), (4, 3)).expect("good");
        assert_eq!(rows.view().as_ptr(), values.as_ptr(), "they are shared");
        let wide = Array2::from_shape_vec((4, 3), values.to_f32_vec()).expect("so many");
        let expected = UnitRows::new(wide).expect("finite");
        assert_eq!(rows.to_unit_rows().view(), expected.view());
        let mut rounded = Vec::new();
        rows.write_rounded(1..4, &mut rounded);
        for row in 0..4 {
            assert_eq!(rows.unit(row), expected.row(row));
            let selected = rows.select(&[3, row]);
            assert_eq!(selected.unit(1), expected.row(row));
            for (i, &x) in expected.row(row).iter().enumerate().filter(|_| row > 0) {
                let error = (rounded[(row - 1) * 3 + i] - x).abs();
                // Two roundings, one more of which the expected value has had.
                assert!(error <= 3.0 * x.abs() * f32::EPSILON / 2.0, "{error}");
            }
        }
    }

    #[test]
    fn vectors_that_are_not_finite_or_of_another_number_are_refused() {
        for bad in [f16::NAN, f16::INFINITY, f16::NEG_INFINITY] {
            let mut values = halves();
            values[7] = bad;
            let error = HalfRows::new(Arc::new(values), (4, 3)).expect_err("not finite");
            assert!(matches!(error, Error::NotFinite { row: 2 }), "{error}");
        }
        for shape in [(0, 3), (4, 0), (5, 3), (3, 3), (usize::MAX, 3)] {
            assert!(HalfRows::new(Arc::new(halves()), shape).is_err());
        }
    }
}
