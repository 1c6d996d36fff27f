use serde::Serialize;

use crate::{sum::Sum, worth::student};

/// What the standard error of out-of-fold rows is multiplied by, for what it does not see: the rows that judge one fold chose the best constant
/// and the LLMs of the other folds.
///
/// ```text
/// sqrt(1 + (K - 1) * 2 / (pi * sqrt(2 K - 3)))      K folds: 1.28 of 2, 1.40 of 5, 1.55 of 10; 1 where rows judge no fit of another fold
/// ```
///
/// Derived for a choice between two policies of the same worth: with `X_k` the mean difference of the two in fold
/// `k`, iid normal, the estimate is the mean of `X_k sign(sum of the others)`. The covariance of two of its terms is, by Stein's identity, four
/// times the joint density at 0 of their two sums, which have variance `K - 1` and covariance `K - 2`: `2 / (pi sqrt(2 K - 3))` of the variance
/// of `X_k`. It is no upper bound:
/// among 20 LLMs of the same worth the simulated factor is 1.09, 1.40 and 1.65 for 2, 5 and 10 folds. Where one policy is clearly
/// better, folds agree and the factor nears 1: intervals are then wider than they need be. Repeats average two of its terms alike, so the factor
/// stays (simulated: 1.4 to 1.5).
pub fn folds_inflation(n_folds: usize) -> f64 {
    if n_folds < 2 {
        return 1.0;
    }
    let folds = n_folds as f64;
    let covariance = 2.0 / (std::f64::consts::PI * (2.0 * folds - 3.0).sqrt());
    (1.0 + (folds - 1.0) * covariance).sqrt()
}

/// A mean over prompts with its interval and p-values.
///
/// ```text
/// se^2     = folds_inflation^2 * G / (G - 1) * sum over groups of (sum of deviations of the group's prompts)^2 / n^2
/// interval = estimate -+ t * se                t: Student's with G - 1 degrees of freedom
/// ```
///
/// `folds_inflation` is that of cross-fitted routers, and 1 of a router that was fitted beforehand. A group is a prompt, or prompts that belong
/// together. With fewer than two groups standard error, interval and p-values are unknown. Where all prompts say the same the standard error is
/// 0 and p is the sign test's, `2^-G`; unless that same is 0, it takes enough groups to be sure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The probability of an estimate as high or higher if the truth were 0, one-sided.
    pub p_above: f64,
    /// The probability of an estimate as low or lower if the truth were 0, one-sided. Neither p-value has a smallest one, as those of a
    /// bootstrap have.
    pub p_below: f64,
}

/// How a mean over prompts becomes an [`Estimate`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread<'a> {
    /// Each prompt's group; `None`: each is its own.
    pub(super) groups: Option<&'a [usize]>,
    /// Level of confidence.
    pub(super) level: f64,
    /// See [`folds_inflation`].
    pub(super) inflation: f64,
}

impl Estimate {
    /// Nothing is known.
    pub(super) const UNKNOWN: Self = Self {
        value: f64::NAN,
        standard_error: f64::NAN,
        low: f64::NAN,
        high: f64::NAN,
        p_above: f64::NAN,
        p_below: f64::NAN,
    };
}

impl Spread<'_> {
    /// The mean of one number per prompt; those that are NaN are left out.
    pub(super) fn of_mean(&self, of_prompts: &[f64]) -> Estimate {
        let known: Vec<f64> = of_prompts.iter().copied().filter(|x| !x.is_nan()).collect();
        let Some(value) = crate::sum::mean(known.iter().copied()) else {
            return Estimate::UNKNOWN;
        };
        let deviations: Vec<f64> = of_prompts.iter().map(|x| x - value).collect();
        // The mean of equal numbers rounds; there is no spread among them.
        if known.iter().all(|&x| x == known[0]) {
            return self.of_equal(known[0], self.group_sums(&deviations).len());
        }
        self.of_deviations(value, &deviations)
    }

    /// A number whose deviation from the truth is, up to second order, the mean of one number per prompt with mean 0; those that are NaN are
    /// left out.
    pub(super) fn of_deviations(&self, value: f64, deviations: &[f64]) -> Estimate {
        let sums = self.group_sums(deviations);
        let n_groups = sums.len() as f64;
        if sums.len() < 2 {
            return Estimate {
                value,
                ..Estimate::UNKNOWN
            };
        }
        let n = deviations.iter().filter(|x| !x.is_nan()).count() as f64;
        let squares: Sum = sums.iter().map(|sum| sum * sum).collect();
        let variance = n_groups / (n_groups - 1.0) * squares.value() / (n * n);
        let standard_error = self.inflation * variance.sqrt();
        if standard_error == 0.0 {
            return self.of_equal(value, sums.len());
        }
        let (t, half_width) = (
            value / standard_error,
            self.critical_value(sums.len()) * standard_error,
        );
        Estimate {
            value,
            standard_error,
            low: value - half_width,
            high: value + half_width,
            p_above: student::upper_tail(t, n_groups - 1.0),
            p_below: student::upper_tail(-t, n_groups - 1.0),
        }
    }

    /// The mean of numbers that are all the same. 0 is what a router gains that never leaves the best constant, and certain. Anything else is as
    /// improbable as the signs: by the sign test `2^-G`, and where that is above what the level leaves, nothing is known of the spread.
    fn of_equal(&self, value: f64, n_groups: usize) -> Estimate {
        let sign_test = 0.5_f64.powf(n_groups as f64);
        let (p_above, p_below) = match value.total_cmp(&0.0) {
            _ if value == 0.0 => (1.0, 1.0),
            std::cmp::Ordering::Greater => (sign_test, 1.0),
            _ => (1.0, sign_test),
        };
        if n_groups < 2 {
            return Estimate {
                value,
                ..Estimate::UNKNOWN
            };
        }
        let is_known = value == 0.0 || sign_test <= (1.0 - self.level) / 2.0;
        let or_unknown = |number: f64| if is_known { number } else { f64::NAN };
        Estimate {
            value,
            standard_error: or_unknown(0.0),
            low: or_unknown(value),
            high: or_unknown(value),
            p_above,
            p_below,
        }
    }

    /// How many standard errors wide an interval is on each side.
    pub(super) fn critical_value(&self, n_groups: usize) -> f64 {
        student::upper_quantile((1.0 - self.level) / 2.0, n_groups as f64 - 1.0)
    }

    /// The sum of each group's numbers, in the order of the groups; a group without a known one is left out.
    pub(super) fn group_sums(&self, of_prompts: &[f64]) -> Vec<f64> {
        let Some(groups) = self.groups else {
            return of_prompts.iter().copied().filter(|x| !x.is_nan()).collect();
        };
        let n_groups = groups.iter().max().map_or(0, |largest| largest + 1);
        let mut sums: Vec<Option<Sum>> = vec![None; n_groups];
        for (&group, &x) in groups.iter().zip(of_prompts) {
            if !x.is_nan() {
                sums[group].get_or_insert_default().add(x);
            }
        }
        sums.into_iter().flatten().map(Sum::value).collect()
    }
}

/// Groups numbered from 0, in the order of their numbers.
pub(super) fn dense(groups: &[usize]) -> Vec<usize> {
    let mut distinct = groups.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    groups
        .iter()
        .map(|group| distinct.partition_point(|other| other < group))
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    use super::*;

    #[test]
    fn the_factor_of_folds_is_that_of_two_equal_policies() {
        let mut rng = ChaCha8Rng::seed_from_u64(42);
        for n_folds in [2, 5, 10] {
            let n = 40_000;
            let squares: f64 = (0..n)
                .map(|_| {
                    let of_folds: Vec<f64> =
                        (0..n_folds).map(|_| rng.sample(StandardNormal)).collect();
                    let total: f64 = of_folds.iter().sum();
                    let chosen = of_folds.iter().map(|x| x * (total - x).signum());
                    (chosen.sum::<f64>() / n_folds as f64).powi(2)
                })
                .sum();
            // Without the choice a mean over the folds has a standard deviation of 1 / sqrt(K).
            let factor = (squares / f64::from(n) * n_folds as f64).sqrt();
            let expected = folds_inflation(n_folds);
            // The relative error of a standard deviation from 40,000 draws is .4%, with the tails here a little more.
            assert!(
                (factor / expected - 1.0).abs() < 0.03,
                "{n_folds}: {factor}, not {expected}"
            );
        }
        assert_eq!(folds_inflation(1), 1.0);
    }
}
