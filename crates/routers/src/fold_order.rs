use std::ops::Range;

use ndarray::{Array2, ArrayView2, Axis};
use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

use crate::{Error, Result, UnitRows, folds::k_folds, row_groups::row_groups};

/// Rows in the order of their folds, so that each fold is one run of rows, which matrix products take as it lies.
#[derive(Debug, Clone)]
pub(crate) struct FoldOrder {
    /// The row at each position.
    order: Vec<usize>,
    /// The positions of each fold. Empty where there are too few rows to choose anything by.
    folds: Vec<Range<usize>>,
    groups: Option<Vec<usize>>,
}

impl FoldOrder {
    /// Folds of rows shuffled by the seed. Rows with equal embeddings are in one fold, and so are rows of one of the `groups`, one number per row
    /// ([`row_groups`]).
    ///
    /// Where every row is by itself, lengths differ by at most 1. Otherwise groups are dealt in shuffled order, each whole to the fold that has the
    /// fewest rows so far; with fewer groups than folds each group is a fold. With fewer than `2 * n_folds` rows there are no folds: an error of
    /// one row is no measure. Nor are there any where all rows are together.
    ///
    /// # Errors
    /// [`Error::Shape`] when there is not one group per row.
    pub(crate) fn shuffled(
        rows: &UnitRows,
        groups: Option<&[usize]>,
        n_folds: usize,
        seed: u64,
    ) -> Result<Self> {
        let groups = row_groups(rows, groups)?;
        Ok(Self::of_groups(rows.n_rows(), groups, n_folds, seed))
    }

    /// `groups` has for each row the first of its group; `None` for rows by themselves.
    fn of_groups(n_rows: usize, groups: Option<Vec<usize>>, n_folds: usize, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..n_rows).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let folds = if n_rows < 2 * n_folds {
            Vec::new()
        } else if let Some(groups) = &groups {
            let dealt = deal(&order, groups, n_folds);
            order = dealt.concat();
            let mut start = 0;
            let run = |rows: &Vec<usize>| {
                let end = start + rows.len();
                std::mem::replace(&mut start, end)..end
            };
            match dealt.len() {
                1 => Vec::new(),
                _ => dealt.iter().map(run).collect(),
            }
        } else {
            k_folds(n_rows, n_folds)
        };
        Self {
            order,
            folds,
            groups,
        }
    }

    /// For each row, in the order of the rows, the first row of its group; `None` where every row is by itself.
    pub(crate) fn groups(&self) -> Option<&[usize]> {
        self.groups.as_deref()
    }

    /// The row at each position.
    pub(crate) fn rows(&self) -> &[usize] {
        &self.order
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

/// The rows of each fold: groups in the order of their first rows in `order`, each whole to the first of the smallest folds so far. No fold is empty.
fn deal(order: &[usize], groups: &[usize], n_folds: usize) -> Vec<Vec<usize>> {
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
    let mut drawn = Vec::new();
    for &row in order {
        let group = &mut members[groups[row]];
        if group.is_empty() {
            drawn.push(groups[row]);
        }
        group.push(row);
    }
    let mut folds: Vec<Vec<usize>> = vec![Vec::new(); n_folds.min(drawn.len())];
    for group in drawn {
        if let Some(smallest) = folds.iter_mut().min_by_key(|fold| fold.len()) {
            smallest.append(&mut members[group]);
        }
    }
    folds
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
        let order = FoldOrder::of_groups(11, None, 3, 42);
        assert_eq!(order.folds(), [0..4, 4..8, 8..11]);
        let matrix = Array2::from_shape_fn((11, 2), |(row, column)| 10 * row + column);
        let sorted = order.sorted(matrix.view());
        assert_ne!(sorted, matrix, "shuffled");
        assert_eq!(order.unsorted(sorted.view()), matrix);
        let other = FoldOrder::of_groups(11, None, 3, 43);
        assert_ne!(other.sorted(matrix.view()), sorted, "by the seed");
    }

    #[test]
    fn too_few_rows_have_no_folds() {
        let n_folds = |n_rows, groups| FoldOrder::of_groups(n_rows, groups, 4, 0).folds().len();
        assert_eq!(n_folds(7, None), 0);
        assert_eq!(n_folds(8, None), 4);
        assert_eq!(n_folds(8, Some(vec![0, 0, 0, 0, 4, 4, 6, 6])), 3);
        assert_eq!(n_folds(8, Some(vec![0; 8])), 0, "nothing can be held out");
    }

    #[test]
    fn groups_stay_whole() {
        // 30 rows in groups of 1 to 4.
        let groups: Vec<usize> = (0..30)
            .map(|row| row - [0, 0, 1, 0, 1, 2, 0, 1, 2, 3][row % 10])
            .collect();
        for seed in 0..20 {
            let order = FoldOrder::of_groups(30, Some(groups.clone()), 4, seed);
            let of_fold = |fold: &Range<usize>| -> Vec<usize> {
                order.order[fold.clone()]
                    .iter()
                    .map(|&row| groups[row])
                    .collect()
            };
            let folds: Vec<Vec<usize>> = order.folds().iter().map(of_fold).collect();
            assert_eq!(folds.iter().map(Vec::len).sum::<usize>(), 30);
            for (i, fold) in folds.iter().enumerate() {
                assert!((4..=12).contains(&fold.len()), "{folds:?}");
                let others = folds[..i].iter().flatten();
                assert!(others.into_iter().all(|group| !fold.contains(group)));
            }
            let mut rows = order.order.clone();
            rows.sort_unstable();
            assert!(rows.into_iter().eq(0..30));
        }
    }
}
