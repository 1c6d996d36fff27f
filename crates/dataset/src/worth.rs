//! What routing is worth: the utility of an answer in scores, for one who says how many dollars a whole score is worth.
//!
//! ```text
//! utility(v) = score - cost_usd / v          v: the worth of a whole score, in dollars
//! ```
//!
//! This is CARROT's own risk (arXiv 2502.03261) under another name: with `v = (1 - lambda) / (lambda * cost_multiplier)` it is
//! `((1 - lambda) * score - lambda * cost_multiplier * cost_usd) / (1 - lambda)`. In dollars it needs no knob that only the paper knows, and gains at
//! different `v` have one unit, a score, so they can be averaged.

use ndarray::ArrayView2;

/// How many worths a grid has where the LLMs' costs differ.
pub const N_WORTHS: usize = 25;

/// The largest worth over the least. At the least, a whole score is worth just what the dearest LLM costs more than the cheapest; at the
/// largest, costs hardly matter.
pub const WORTH_RANGE: f64 = 200.0;

/// What an answer is worth, as a score: `score - cost_usd / worth_usd`. NaN where a number that it needs is unknown. At an infinite worth
/// costs do not count, and an unknown cost does no harm.
///
/// ```
/// use dataset::worth::utility;
/// assert_eq!(utility(0.75, 0.01, 0.04), 0.5);
/// assert_eq!(utility(0.75, f64::NAN, f64::INFINITY), 0.75);
/// assert!(utility(0.75, f64::NAN, 0.04).is_nan());
/// ```
pub fn utility(score: f64, cost_usd: f64, worth_usd: f64) -> f64 {
    if worth_usd == f64::INFINITY {
        return score;
    }
    score - cost_usd / worth_usd
}

/// The worths that gains are averaged over, in dollars, ascending: [`N_WORTHS`] on a log grid from the spread of the LLMs' mean costs (the
/// largest less the least) to [`WORTH_RANGE`] times it. `mean_costs_usd` has one mean per LLM; what is not finite is left out.
/// The means may be of all
/// prompts, also of those that judge: they say what is measured, not what is chosen, and no score is in them.
///
/// Where costs do not differ (or fewer than two are known), nothing depends on a worth: the grid is one infinite worth.
///
/// ```
/// let worths = dataset::worth::grid(&[0.001, 0.021, f64::NAN]);
/// assert_eq!(worths.len(), 25);
/// assert!((worths[0] - 0.02).abs() < 1e-12 && (worths[24] - 4.0).abs() < 1e-9);
/// assert_eq!(dataset::worth::grid(&[0.5, 0.5]), [f64::INFINITY]);
/// ```
pub fn grid(mean_costs_usd: &[f64]) -> Vec<f64> {
    let known = || {
        mean_costs_usd
            .iter()
            .copied()
            .filter(|cost| cost.is_finite())
    };
    let spread = known().fold(f64::NEG_INFINITY, f64::max) - known().fold(f64::INFINITY, f64::min);
    // Below this the quotient of a cost and a worth is rounding.
    if !(spread.is_finite() && spread > f64::MIN_POSITIVE / f64::EPSILON) {
        return vec![f64::INFINITY];
    }
    let last = (N_WORTHS - 1) as f64;
    (0..N_WORTHS)
        .map(|i| spread * WORTH_RANGE.powf(i as f64 / last))
        .collect()
}

/// Each LLM's mean over the rows where it is known, one number per column; NaN where it is known in none. `takes` says which rows count.
///
/// ```
/// use dataset::worth::means;
/// use ndarray::array;
/// let costs = array![[1.0, f64::NAN], [3.0, f64::NAN], [9.0, f64::NAN]];
/// let found = means(costs.view(), |row| row < 2);
/// assert!(found[0] == 2.0 && found[1].is_nan());
/// ```
pub fn means(values: ArrayView2<'_, f64>, takes: impl Fn(usize) -> bool) -> Vec<f64> {
    weighted_means(values, None, takes)
}

/// [`means`] of values that stand for as many as their weights, of the same shape, say: one over the probability with which an LLM was asked, 0 where
/// it was not. Without weights each stands for itself.
///
/// ```
/// use dataset::worth::weighted_means;
/// use ndarray::array;
/// let (scores, weights) = (array![[1.0], [0.0]], array![[4.0], [1.0]]);
/// assert_eq!(weighted_means(scores.view(), Some(weights.view()), |_| true), [0.8]);
/// ```
pub fn weighted_means(
    values: ArrayView2<'_, f64>,
    weights: Option<ArrayView2<'_, f64>>,
    takes: impl Fn(usize) -> bool,
) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); values.ncols()];
    for (i, row) in (values.outer_iter().enumerate()).filter(|(row, _)| takes(*row)) {
        for (model_idx, ((sum, total), &value)) in sums.iter_mut().zip(row).enumerate() {
            let weight = weights.map_or(1.0, |weights| weights[[i, model_idx]]);
            if !value.is_nan() && weight > 0.0 {
                *sum += weight * value;
                *total += weight;
            }
        }
    }
    sums.into_iter().map(|(sum, total)| sum / total).collect()
}

/// The LLM that gets every prompt where nobody routes: the first of those with the largest utility of the means. Means are of train prompts,
/// one of each per LLM; an LLM with an unknown one is passed over, and `None` is the answer where none is left.
///
/// ```
/// use dataset::worth::best_constant;
/// let (scores, costs) = ([0.5, 0.75, f64::NAN], [0.001, 0.011, 0.001]);
/// assert_eq!(best_constant(&scores, &costs, 0.02), Some(0));
/// assert_eq!(best_constant(&scores, &costs, 1.0), Some(1));
/// ```
///
/// # Panics
/// When there are not as many scores as costs.
pub fn best_constant(mean_scores: &[f64], mean_costs_usd: &[f64], worth_usd: f64) -> Option<usize> {
    assert_eq!(
        mean_scores.len(),
        mean_costs_usd.len(),
        "one score and one cost per LLM"
    );
    let mut best: Option<(usize, f64)> = None;
    for (model_idx, (&score, &cost)) in mean_scores.iter().zip(mean_costs_usd).enumerate() {
        let utility = utility(score, cost, worth_usd);
        if utility.is_finite() && best.is_none_or(|(_, largest)| utility > largest) {
            best = Some((model_idx, utility));
        }
    }
    best.map(|(model_idx, _)| model_idx)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_needs_two_costs_that_differ() {
        for costs in [&[][..], &[1.0], &[f64::NAN, 2.0], &[3.0, 3.0, 3.0]] {
            assert_eq!(grid(costs), [f64::INFINITY], "{costs:?}");
        }
        let worths = grid(&[0.0, 2.0, 1.0]);
        assert!(worths.windows(2).all(|pair| pair[0] < pair[1]));
        let step = worths[1] / worths[0];
        assert!(
            (worths[24] / worths[23] - step).abs() < 1e-9,
            "equal steps of the log"
        );
    }

    #[test]
    fn the_first_of_equals_gets_the_prompts() {
        assert_eq!(best_constant(&[0.5, 0.5], &[0.1, 0.1], 1.0), Some(0));
        assert_eq!(best_constant(&[f64::NAN], &[0.1], 1.0), None);
        assert_eq!(best_constant(&[0.5, 0.9], &[0.1, f64::NAN], 1.0), Some(0));
        assert_eq!(
            best_constant(&[0.5, 0.9], &[0.1, f64::NAN], f64::INFINITY),
            Some(1)
        );
    }
}
