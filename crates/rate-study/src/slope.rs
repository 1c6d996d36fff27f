//! The slope of a power law through means of repetitions, with bootstrap intervals.

use dataset::RateInterval;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// How intervals are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Level of the intervals, in (0, 1).
    pub level: f64,
    /// Resamples.
    pub n_resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
}

/// A power law `value = const * n^-exponent` through the means of repetitions at several n.
///
/// ```text
/// minimize  sum over n of w_n (log mean_n + exponent * log n - const)^2,   w_n = (mean_n / standard error of mean_n)^2
/// ```
///
/// w_n is one over the variance of `log mean_n`, to first order. Where a standard error is 0, all weights are 1.
#[derive(Debug, Clone, PartialEq)]
pub struct PowerLaw {
    /// Mean of the repetitions at each n, with the bootstrap's interval.
    pub means: Vec<RateInterval>,
    /// The exponent, fitted on the n from `fit_from` on, with the bootstrap's interval; `None` where a mean is not above 0, or there is one n only.
    pub exponent: Option<RateInterval>,
    /// The weights of those n.
    pub weights: Vec<f64>,
}

/// Fits a power law. `values` has the repetitions for each of `ns`; those of one n are independent of those of another.
///
/// Intervals are percentiles over resamples in which the repetitions of each n are drawn again, with replacement. The weights are those of the
/// repetitions themselves throughout.
pub fn power_law(
    ns: &[usize],
    values: &[Vec<f64>],
    fit_from: usize,
    bootstrap: Bootstrap,
) -> PowerLaw {
    let resampled: Vec<Vec<f64>> = values
        .iter()
        .enumerate()
        .map(|(i, values)| resampled_means(values, i as u64, bootstrap))
        .collect();
    let means: Vec<f64> = values.iter().map(|values| mean(values)).collect();
    let fitted: Vec<usize> = (0..ns.len()).filter(|&i| ns[i] >= fit_from).collect();
    let logs: Vec<f64> = fitted.iter().map(|&i| (ns[i] as f64).ln()).collect();
    let mut weights: Vec<f64> = fitted
        .iter()
        .map(|&i| (means[i] / standard_error(&values[i])).powi(2))
        .collect();
    if !weights
        .iter()
        .all(|weight| weight.is_finite() && *weight > 0.0)
    {
        weights.fill(1.0);
    }
    let of = |mean: &dyn Fn(usize) -> f64| {
        let means: Vec<f64> = fitted.iter().map(|&i| mean(i)).collect();
        exponent(&logs, &means, &weights)
    };
    let exponents = (0..bootstrap.n_resamples).map(|resample| of(&|i| resampled[i][resample]));
    let exponent = of(&|i| means[i])
        .map(|estimate| interval(estimate, exponents.flatten().collect(), bootstrap.level));
    PowerLaw {
        means: means
            .into_iter()
            .zip(resampled)
            .map(|(mean, resampled)| interval(mean, resampled, bootstrap.level))
            .collect(),
        exponent,
        weights,
    }
}

/// Minus the weighted least-squares slope of `log value` over `logs`; `None` for a value that is not above 0, or fewer than two places.
pub(crate) fn exponent(logs: &[f64], values: &[f64], weights: &[f64]) -> Option<f64> {
    if values.iter().any(|&value| value.is_nan() || value <= 0.0) {
        return None;
    }
    let total: f64 = weights.iter().sum();
    let weighted = |of: &dyn Fn(usize) -> f64| {
        (0..logs.len()).map(|i| weights[i] * of(i)).sum::<f64>() / total
    };
    let (x, y) = (weighted(&|i| logs[i]), weighted(&|i| values[i].ln()));
    let covariance = weighted(&|i| (logs[i] - x) * (values[i].ln() - y));
    let variance = weighted(&|i| (logs[i] - x).powi(2));
    (variance > 0.0).then(|| -covariance / variance)
}

fn resampled_means(values: &[f64], stream: u64, bootstrap: Bootstrap) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(bootstrap.seed);
    rng.set_stream(stream);
    let mut resample = || {
        let drawn = (0..values.len()).map(|_| values[rng.random_range(0..values.len())]);
        drawn.sum::<f64>() / values.len() as f64
    };
    (0..bootstrap.n_resamples).map(|_| resample()).collect()
}

/// Percentiles, on a straight line between neighbors; the estimate itself without any value.
fn interval(estimate: f64, mut values: Vec<f64>, level: f64) -> RateInterval {
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    let quantile = |part: f64| {
        let position = part * values.len().saturating_sub(1) as f64;
        let (before, after) = (
            values.get(position as usize),
            values.get(position.ceil() as usize),
        );
        before.zip(after).map_or(estimate, |(before, after)| {
            before + position.fract() * (after - before)
        })
    };
    RateInterval {
        estimate,
        low: quantile(tail),
        high: quantile(1.0 - tail),
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn standard_error(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0) / values.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOOTSTRAP: Bootstrap = Bootstrap {
        level: 0.95,
        n_resamples: 500,
        seed: 1,
    };

    fn sizes() -> Vec<usize> {
        (4..12).map(|log2| 1 << log2).collect()
    }

    #[test]
    fn an_exact_power_law_is_found_exactly() {
        for exponent in [-0.5, 0.0, 0.2, 2.0] {
            let ns = sizes();
            let values: Vec<Vec<f64>> = ns
                .iter()
                .map(|&n| vec![3.0 * (n as f64).powf(-exponent); 4])
                .collect();
            let found = power_law(&ns, &values, 0, BOOTSTRAP)
                .exponent
                .expect("all values are above 0");
            for end in [found.estimate, found.low, found.high] {
                assert!((end - exponent).abs() < 1e-12, "{end} for {exponent}");
            }
        }
    }

    #[test]
    fn only_the_fitted_sizes_count() {
        let ns = sizes();
        let value = |n: usize| if n < 64 { 1.0 } else { (n as f64).powf(-0.7) };
        let values: Vec<Vec<f64>> = ns.iter().map(|&n| vec![value(n); 2]).collect();
        let found = power_law(&ns, &values, 64, BOOTSTRAP);
        assert!((found.exponent.expect("fitted").estimate - 0.7).abs() < 1e-12);
        assert_eq!((found.means.len(), found.weights.len()), (8, 6));
    }

    #[test]
    fn a_noisy_power_law_lies_in_its_interval_as_often_as_promised() {
        const N_TRIALS: usize = 200;
        let ns = sizes();
        let mut n_held = 0;
        for trial in 0..N_TRIALS {
            let mut rng = ChaCha8Rng::seed_from_u64(trial as u64);
            // The noise of later sizes is smaller, so that weights matter.
            let mut draw = |n: usize| {
                (n as f64).powf(-0.4)
                    * (1.0 + (rng.random::<f64>() - 0.5) * 40.0 / (n as f64).sqrt().max(20.0))
            };
            let values: Vec<Vec<f64>> = ns
                .iter()
                .map(|&n| (0..40).map(|_| draw(n)).collect())
                .collect();
            let bootstrap = Bootstrap {
                seed: trial as u64,
                ..BOOTSTRAP
            };
            let found = power_law(&ns, &values, 0, bootstrap)
                .exponent
                .expect("fitted");
            n_held += usize::from(found.holds(0.4));
        }
        // 95%, less what a percentile interval of 40 repetitions loses, give or take four deviations of 200 trials.
        assert!((175..=200).contains(&n_held), "{n_held} of {N_TRIALS}");
    }

    #[test]
    fn no_slope_without_values_or_places() {
        for (ns, values) in [
            (vec![16, 32], vec![vec![1.0, 1.0], vec![0.0, 0.0]]),
            (vec![16], vec![vec![1.0, 2.0]]),
            (vec![], vec![]),
        ] {
            assert_eq!(
                power_law(&ns, &values, 0, BOOTSTRAP).exponent,
                None,
                "{ns:?}"
            );
        }
    }
}
