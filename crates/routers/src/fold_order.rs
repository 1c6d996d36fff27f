use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{Error, Result, UnitRows, folds::k_folds};

/// Rows in the order of their folds, so that each fold is one run of rows, which matrix products take as it lies.
#[derive(Debug, Clone)]
pub(crate) struct FoldOrder {
    /// The row at each position.
    order: Vec<usize>,
    /// The positions of each fold. Empty where there are too few rows to choose anything by.
    folds: Vec<Range<usize>>,
}

impl FoldOrder {
    /// Folds of nearly the same length, of rows shuffled by the seed. With fewer than `2 * n_folds` rows there are none: an error of one row
    /// is no measure.
    pub(crate) fn shuffled(n_rows: usize, n_folds: usize, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..n_rows).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let folds = if n_rows < 2 * n_folds {
            Vec::new()
        } else {
            k_folds(n_rows, n_folds)
        };
        Self { order, folds }
    }

    /// Number of rows.
    pub(crate) fn n_rows(&self) -> usize {
        self.order.len()
    }

    /// The positions of each fold.
    pub(crate) fn folds(&self) -> &[Range<usize>] {
        &self.folds
    }

    /// The vectors in the order of the folds.
    pub(crate) fn unit_rows(&self, rows: &UnitRows) -> Result<UnitRows> {
        UnitRows::from_unit(
            std::sync::Arc::new(self.sorted(rows.view()).into_raw_vec_and_offset().0),
            (rows.n_rows(), rows.dim()),
        )
    }

    /// Rows of a matrix in the order of the folds.
    pub(crate) fn sorted<T: Copy>(&self, matrix: ArrayView2<'_, T>) -> Array2<T> {
        matrix.select(Axis(0), &self.order)
    }

    /// Rows that are in the order of the folds, brought back to their places.
    pub(crate) fn unsorted<T: Copy + Default>(&self, sorted: ArrayView2<'_, T>) -> Array2<T> {
        let mut matrix = Array2::default(sorted.dim());
        for (&row, values) in self.order.iter().zip(sorted.outer_iter()) {
            matrix.row_mut(row).assign(&values);
        }
        matrix
    }
}

/// Refuses a number of folds of which none could be left out.
///
/// # Errors
/// [`Error::BadParameter`] below 2.
pub(crate) fn check_n_folds(n_folds: usize) -> Result<()> {
    if n_folds < 2 {
        return Err(Error::BadParameter {
            name: "n-folds",
            found: n_folds.to_string(),
            expected: "at least 2",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_to_their_places() {
        let order = FoldOrder::shuffled(11, 3, 42);
        assert_eq!(order.folds(), [0..4, 4..8, 8..11]);
        let matrix = Array2::from_shape_fn((11, 2), |(row, column)| 10 * row + column);
        let sorted = order.sorted(matrix.view());
        assert_ne!(sorted, matrix, "shuffled");
        assert_eq!(order.unsorted(sorted.view()), matrix);
        let other = FoldOrder::shuffled(11, 3, 43);
        assert_ne!(other.sorted(matrix.view()), sorted, "by the seed");
    }

    #[test]
    fn too_few_rows_have_no_folds() {
        assert!(FoldOrder::shuffled(7, 4, 0).folds().is_empty());
        assert_eq!(FoldOrder::shuffled(8, 4, 0).folds().len(), 4);
    }
}
