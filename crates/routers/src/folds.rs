//! Which rows are predicted together, by what was learned from all others.

use std::ops::Range;

use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

/// A partition of rows, for cross-validation. Rows of a fold ascend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Folds {
    rows: Vec<Vec<u32>>,
    fold_of_row: Vec<u32>,
}

impl Folds {
    /// Folds of rows drawn without order, as scikit-learn's `KFold(n_folds, shuffle=True)` draws them but for the generator: ChaCha8. All folds
    /// have as many rows as those of [`k_folds`].
    pub(crate) fn shuffled(n_rows: usize, n_folds: usize, seed: u64) -> Self {
        let mut order: Vec<u32> = (0..n_rows as u32).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let mut fold_of_row = vec![0; n_rows];
        let folds = k_folds(n_rows, n_folds).into_iter().enumerate();
        let rows = folds.map(|(fold, range)| {
            let mut rows = order[range].to_vec();
            rows.sort_unstable();
            for &row in &rows {
                fold_of_row[row as usize] = fold as u32;
            }
            rows
        });
        Self {
            rows: rows.collect(),
            fold_of_row,
        }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.fold_of_row.len()
    }

    pub(crate) fn n_folds(&self) -> usize {
        self.rows.len()
    }

    /// The rows of one fold.
    pub(crate) fn rows(&self, fold: usize) -> &[u32] {
        &self.rows[fold]
    }

    /// The fold of one row.
    pub(crate) fn of_row(&self, row: usize) -> usize {
        self.fold_of_row[row] as usize
    }

    /// Rows outside the largest fold: what the smallest training side has.
    pub(crate) fn n_others(&self) -> usize {
        self.n_rows() - self.rows.iter().map(Vec::len).max().unwrap_or(0)
    }
}

/// Rows of each fold of an unshuffled k-fold split, as scikit-learn's `KFold(n_folds)`: consecutive runs, the first `n % n_folds` of them
/// one row longer.
pub(crate) fn k_folds(n: usize, n_folds: usize) -> Vec<Range<usize>> {
    let (short, n_longer) = (n / n_folds, n % n_folds);
    let mut start = 0;
    (0..n_folds)
        .map(|fold| {
            let end = start + short + usize::from(fold < n_longer);
            std::mem::replace(&mut start, end)..end
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_are_consecutive_and_the_first_are_longer() {
        assert_eq!(k_folds(12, 5), [0..3, 3..6, 6..8, 8..10, 10..12]);
        assert_eq!(k_folds(5, 5), [0..1, 1..2, 2..3, 3..4, 4..5]);
    }

    #[test]
    fn shuffled_folds_are_a_partition_drawn_by_the_seed() {
        let folds = Folds::shuffled(103, 4, 42);
        let sizes: Vec<usize> = (0..4).map(|fold| folds.rows(fold).len()).collect();
        assert_eq!(sizes, [26, 26, 26, 25]);
        assert_eq!(folds.n_others(), 77);
        let mut all: Vec<u32> = Vec::new();
        for fold in 0..folds.n_folds() {
            assert!(folds.rows(fold).is_sorted());
            assert!(folds.rows(fold).iter().all(|&row| folds.of_row(row as usize) == fold));
            all.extend(folds.rows(fold));
        }
        all.sort_unstable();
        assert!(all.into_iter().eq(0..103));
        assert_ne!(folds.rows(0), (0..26).collect::<Vec<u32>>(), "not in order");
        assert_eq!(folds, Folds::shuffled(103, 4, 42));
        assert_ne!(folds, Folds::shuffled(103, 4, 43));
        // Fewer rows than folds: some are empty.
        assert_eq!(Folds::shuffled(2, 4, 42).rows(3), []);
    }
}
