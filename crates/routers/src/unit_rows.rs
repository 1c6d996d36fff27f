use std::{fmt, ops::Range, sync::Arc};

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::{Error, Result, dot::dot_f64};

/// How far the length of a stored vector may be off 1. Rounding to float32 takes it off by at most 2^-24, 6e-8.
const LENGTH_TOLERANCE: f64 = 1e-6;

/// Values that lie elsewhere, as in a mapped file, and are shared.
pub type SharedValues = Arc<dyn AsRef<[f32]> + Send + Sync>;

/// Vectors of length 1, row by row; a zero vector stays zero, and so has similarity 0 to all.
///
/// A clone shares the values.
#[derive(Clone)]
pub struct UnitRows {
    values: SharedValues,
    n_rows: usize,
    dim: usize,
}

impl UnitRows {
    /// Normalizes the rows of a matrix of shape `(n_rows, dim)` in place.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::TooManyRows`], or [`Error::NotFinite`] for NaN and infinities.
    pub fn new(rows: Array2<f32>) -> Result<Self> {
        let (n_rows, dim) = check_shape(rows.dim())?;
        let rows = if rows.is_standard_layout() {
            rows
        } else {
            rows.as_standard_layout().into_owned()
        };
        let (values, offset) = rows.into_raw_vec_and_offset();
        let mut values = match offset.unwrap_or(0) {
            0 if values.len() == n_rows * dim => values,
            // A part of a larger matrix.
            offset => values[offset..offset + n_rows * dim].to_vec(),
        };
        let not_finite = values
            .par_chunks_exact_mut(dim)
            .enumerate()
            .find_map_first(|(row, vector)| (!normalize(vector)).then_some(row));
        match not_finite {
            Some(row) => Err(Error::NotFinite { row }),
            None => Ok(Self {
                values: Arc::new(values),
                n_rows,
                dim,
            }),
        }
    }

    /// Takes vectors that [`UnitRows::new`] once made, row after row, from wherever they lie: a mapped file, say. They are read once, to be
    /// checked, and not copied.
    ///
    /// `values` must give the same numbers each time.
    ///
    /// # Errors
    /// [`Error::Empty`] or [`Error::TooManyRows`] for the shape; [`Error::Shape`] when there are more or fewer values;
    /// [`Error::NotFinite`], or [`Error::NotUnit`] for a vector that is neither zero nor of length 1.
    pub fn from_unit(values: SharedValues, shape: (usize, usize)) -> Result<Self> {
        let (n_rows, dim) = check_shape(shape)?;
        let vectors = (*values).as_ref();
        check_values(vectors.len(), shape)?;
        let refusal = vectors
            .par_chunks_exact(dim)
            .enumerate()
            .find_map_first(|(row, vector)| refusal(row, vector));
        match refusal {
            Some(refusal) => Err(refusal),
            None => Ok(Self {
                values,
                n_rows,
                dim,
            }),
        }
    }

    /// Takes vectors that are known to be of length 1, or zero.
    pub(crate) fn of_unit(rows: Array2<f32>) -> Self {
        let (n_rows, dim) = rows.dim();
        let (values, _) = rows.into_raw_vec_and_offset();
        Self {
            values: Arc::new(values),
            n_rows,
            dim,
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

    /// The vectors as a matrix of shape `(n_rows, dim)`.
    pub fn view(&self) -> ArrayView2<'_, f32> {
        ArrayView2::from_shape((self.n_rows, self.dim), self.slice(0..self.n_rows))
            .expect("there are so many values")
    }

    /// Copies of some of the vectors, at least one.
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let values: Vec<f32> = rows
            .iter()
            .flat_map(|&row| self.row(row))
            .copied()
            .collect();
        Self {
            values: Arc::new(values),
            n_rows: rows.len(),
            dim: self.dim,
        }
    }

    pub(crate) fn row(&self, i: usize) -> &[f32] {
        self.slice(i..i + 1)
    }

    /// The values of some rows, row after row.
    pub(crate) fn slice(&self, rows: Range<usize>) -> &[f32] {
        &(*self.values).as_ref()[rows.start * self.dim..rows.end * self.dim]
    }
}

impl fmt::Debug for UnitRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitRows")
            .field("n_rows", &self.n_rows)
            .field("dim", &self.dim)
            .finish_non_exhaustive()
    }
}

/// Refuses a shape that no search can do with.
pub(crate) fn check_shape((n_rows, dim): (usize, usize)) -> Result<(usize, usize)> {
    if n_rows == 0 || dim == 0 {
        return Err(Error::Empty {
            what: "embedding",
            shape: (n_rows, dim),
        });
    }
    if u32::try_from(n_rows).is_err() {
        return Err(Error::TooManyRows { n_rows });
    }
    Ok((n_rows, dim))
}

/// Refuses more or fewer values than a shape has.
pub(crate) fn check_values(n_values: usize, shape: (usize, usize)) -> Result<()> {
    let (n_rows, dim) = shape;
    if n_rows.checked_mul(dim) == Some(n_values) {
        return Ok(());
    }
    Err(Error::Shape {
        what: "embedding",
        expected: shape,
        found: (n_values / dim, dim),
    })
}

/// The length by which a vector is divided; not finite if one of its values is not.
pub(crate) fn length(vector: &[f32]) -> f64 {
    let squares = vector.iter().map(|&x| f64::from(x).powi(2));
    squares.sum::<f64>().sqrt()
}

/// Brings a vector to length 1, but for a zero vector; tells whether it was finite.
fn normalize(vector: &mut [f32]) -> bool {
    let length = length(vector);
    if length > 0.0 {
        for x in vector {
            *x = (f64::from(*x) / length) as f32;
        }
    }
    length.is_finite()
}

fn refusal(row: usize, vector: &[f32]) -> Option<Error> {
    let length = dot_f64(vector, vector).sqrt();
    if !length.is_finite() {
        Some(Error::NotFinite { row })
    } else if length != 0.0 && (length - 1.0).abs() > LENGTH_TOLERANCE {
        Some(Error::NotUnit { row, length })
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{array, s};

    use super::*;

    #[test]
    fn vectors_that_are_not_finite_are_refused() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(UnitRows::new(Array2::from_elem((2, 2), bad)).is_err());
        }
        assert!(UnitRows::new(Array2::zeros((0, 4))).is_err());
        assert!(UnitRows::new(Array2::zeros((4, 0))).is_err());
    }

    #[test]
    fn a_part_of_a_matrix_and_a_turned_one_are_taken_as_they_look() {
        let whole = array![[9.0_f32, 9.0, 9.0], [3.0, 4.0, 9.0], [0.0, 0.0, 9.0]];
        let part = whole.clone().slice_move(s![1.., ..2]);
        assert_eq!(
            UnitRows::new(part).expect("good").view(),
            array![[0.6, 0.8], [0.0, 0.0]]
        );
        let rows = whole.clone().slice_move(s![1..2, ..]);
        assert_eq!(UnitRows::new(rows).expect("good").n_rows(), 1);
        let turned = array![[3.0_f32, 0.0], [4.0, 0.0]].reversed_axes();
        assert_eq!(
            UnitRows::new(turned).expect("good").view(),
            array![[0.6, 0.8], [0.0, 0.0]]
        );
    }

    #[test]
    fn stored_vectors_are_shared_and_checked() {
        let stored: Arc<Vec<f32>> = Arc::new(vec![0.6, 0.8, 0.0, 0.0, 1.0, 0.0]);
        let rows = UnitRows::from_unit(stored.clone(), (3, 2)).expect("good");
        assert_eq!(rows.view().as_ptr(), stored.as_ptr());
        assert_eq!(rows.clone().row(2), [1.0, 0.0]);
        let refused = |values: &[f32], shape| {
            let error = UnitRows::from_unit(Arc::new(values.to_vec()), shape);
            error.expect_err("bad vectors").to_string()
        };
        for (values, shape, expected) in [
            (&[][..], (0, 2), "at least one row"),
            (&[], (2, 0), "at least one row"),
            (&[1.0], (1, 2), "expected (1, 2)"),
            (&[1.0, 0.0], (usize::MAX, 2), "more than"),
            (&[1.0, 0.0, f32::NAN, 0.0], (2, 2), "embedding 1 (from 0)"),
            (&[0.0, 1.0, 0.6, 0.81], (2, 2), "embedding 1 (from 0) has"),
            (&[0.0, 1e-3, 0.6, 0.8], (2, 2), "embedding 0 (from 0) has"),
        ] {
            let message = refused(values, shape);
            assert!(message.contains(expected), "{message}");
        }
    }
}
