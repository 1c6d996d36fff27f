use std::ops::Range;

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
}
