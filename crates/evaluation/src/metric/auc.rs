/// Area under the ROC curve, by the rank sum.
///
/// ```text
/// AUC = (sum of ranks of the positives - n_pos (n_pos + 1) / 2) / (n_pos * n_neg)
///   ranks  of the predictions from 1, tied ones share their mean rank
/// ```
///
/// Takes finite predictions, each with whether it is of a positive. `None` where all are of one class.
pub(crate) fn auc(mut labeled: Vec<(f64, bool)>) -> Option<f64> {
    labeled.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let n_positive = labeled
        .iter()
        .filter(|(_, is_positive)| *is_positive)
        .count();
    let n_negative = labeled.len() - n_positive;
    if n_positive == 0 || n_negative == 0 {
        return None;
    }
    // By ranks (Mann and Whitney): one sort, where comparing all pairs would be quadratic. Ties count half, as in scikit-learn.
    let (mut n_before, mut rank_sum) = (0, 0.0);
    for tied in labeled.chunk_by(|a, b| a.0 == b.0) {
        // Ranks n_before + 1 to n_before + n share n_before + (n + 1) / 2.
        let rank = n_before as f64 + (tied.len() + 1) as f64 / 2.0;
        let n_positive = tied.iter().filter(|(_, is_positive)| *is_positive).count();
        rank_sum += rank * n_positive as f64;
        n_before += tied.len();
    }
    let (n_positive, n_negative) = (n_positive as f64, n_negative as f64);
    let least = n_positive * (n_positive + 1.0) / 2.0;
    Some((rank_sum - least) / (n_positive * n_negative))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(positives: &[f64], negatives: &[f64], expected: Option<f64>) {
        let positive = positives.iter().map(|&value| (value, true));
        let negative = negatives.iter().map(|&value| (value, false));
        assert_eq!(
            auc(positive.chain(negative).collect()),
            expected,
            "{positives:?} {negatives:?}"
        );
    }

    #[test]
    fn aucs_by_hand() {
        check(&[0.8, 0.9], &[0.1, 0.2], Some(1.0));
        check(&[0.1, 0.2], &[0.8, 0.9], Some(0.0));
        // Of the 4 pairs .9 wins two and .3 wins one.
        check(&[0.3, 0.9], &[0.1, 0.5], Some(0.75));
        // .5 against .5 counts half: (1 + 1 + .5 + 1) / 4.
        check(&[0.5, 0.9], &[0.1, 0.5], Some(0.875));
        check(&[0.4, 0.4, 0.4], &[0.4, 0.4], Some(0.5));
        check(&[0.0], &[-0.0], Some(0.5));
        check(&[0.4], &[], None);
        check(&[], &[0.4], None);
        check(&[], &[], None);
    }
}
