use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;

use crate::{
    interval::quantile,
    sum::mean,
    worth::{estimate::Spread, report::GainSettings},
};

/// A variance that is left over from worths before by less than this part is rounding: the gain there is a mixture of the gains before.
const DEPENDENT: f64 = 1e-10;

/// How many standard errors wide, on each side, a band is that holds the gains at all worths together.
///
/// The quantile of `max over v of |D(v)| / se(v)`, where `D` is drawn by the Gaussian multiplier bootstrap (Chernozhukov, Chetverikov and Kato
/// 2013, "Gaussian approximations and multiplier bootstrap for maxima"): each group's deviations times one standard normal number. Given the
/// prompts, `D` over the worths is exactly normal with the covariance of the gains, so it is drawn from that, at `n_worths^2` steps per draw
/// however many prompts there are. Not narrower than one worth's own interval.
///
/// Takes one vector per worth with a gain per prompt, and the number of groups that are judged; NaN for fewer than two.
pub(super) fn critical_value(
    columns: &[&[f64]],
    n_groups: usize,
    spread: &Spread<'_>,
    settings: &GainSettings,
) -> f64 {
    if n_groups < 2 {
        return f64::NAN;
    }
    let factor = cholesky(&correlations(columns, spread));
    let n_worths = factor.nrows();
    let mut largest: Vec<f64> = (0..settings.n_resamples)
        .into_par_iter()
        .map(|resample_idx| {
            // Any draw can be made by itself, on any thread.
            let mut rng = ChaCha8Rng::seed_from_u64(settings.seed);
            rng.set_stream(resample_idx as u64);
            let normal: Vec<f64> = (0..n_worths).map(|_| rng.sample(StandardNormal)).collect();
            (0..n_worths)
                .map(|row| {
                    let drawn: f64 = (0..=row).map(|i| factor[[row, i]] * normal[i]).sum();
                    drawn.abs()
                })
                .fold(0.0, f64::max)
        })
        .collect();
    largest.sort_unstable_by(f64::total_cmp);
    quantile(&largest, settings.level).max(spread.critical_value(n_groups))
}

/// Correlations of the gains at the worths; 0 with a gain that is the same for all prompts.
fn correlations(columns: &[&[f64]], spread: &Spread<'_>) -> Array2<f64> {
    let deviations: Vec<Vec<f64>> = columns
        .iter()
        .map(|gains| {
            let mean =
                mean(gains.iter().copied().filter(|gain| !gain.is_nan())).unwrap_or(f64::NAN);
            // Worths may differ in whom they judge; a prompt that is left out deviates by nothing.
            let deviation = |gain: &f64| if gain.is_nan() { 0.0 } else { gain - mean };
            let of_prompts: Vec<f64> = gains.iter().map(deviation).collect();
            spread.group_sums(&of_prompts)
        })
        .collect();
    let n = deviations.len();
    let products: Vec<f64> = (0..n * n)
        .into_par_iter()
        .map(|cell| {
            let (row, column) = (cell / n, cell % n);
            deviations[row]
                .iter()
                .zip(&deviations[column])
                .map(|(a, b)| a * b)
                .sum()
        })
        .collect();
    let product = |row: usize, column: usize| products[row * n + column];
    Array2::from_shape_fn((n, n), |(row, column)| {
        let scale = (product(row, row) * product(column, column)).sqrt();
        if scale > 0.0 {
            product(row, column) / scale
        } else {
            0.0
        }
    })
}

/// The lower triangle `L` of `L L' = matrix` for a positive semidefinite matrix: columns without a variance of their own are 0.
fn cholesky(matrix: &Array2<f64>) -> Array2<f64> {
    let n = matrix.nrows();
    let mut factor = Array2::zeros((n, n));
    for column in 0..n {
        let explained = |row: usize, factor: &Array2<f64>| -> f64 {
            (0..column)
                .map(|i| factor[[row, i]] * factor[[column, i]])
                .sum()
        };
        let left = matrix[[column, column]] - explained(column, &factor);
        if left <= DEPENDENT {
            continue;
        }
        let pivot = left.sqrt();
        factor[[column, column]] = pivot;
        for row in column + 1..n {
            factor[[row, column]] = (matrix[[row, column]] - explained(row, &factor)) / pivot;
        }
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    const N_PROMPTS: usize = 400;
    const SETTINGS: GainSettings = GainSettings {
        level: 0.95,
        n_resamples: 40_000,
        seed: 42,
    };
    /// Of a 95% quantile of 40,000 draws: the standard error is about .006.
    const CHANCE: f64 = 0.03;

    fn critical(columns: &[Vec<f64>], groups: Option<&[usize]>) -> f64 {
        let spread = Spread {
            groups,
            level: 0.95,
            inflation: 1.0,
        };
        let columns: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
        let n_groups = spread.group_sums(columns[0]).len();
        critical_value(&columns, n_groups, &spread, &SETTINGS)
    }

    /// Signs that are uncorrelated between powers of two.
    fn sign(i: usize, power: usize) -> f64 {
        if (i / power).is_multiple_of(2) {
            1.0
        } else {
            -1.0
        }
    }

    #[test]
    fn a_band_over_independent_worths_is_wider_by_what_is_known() {
        let column = |power| {
            (0..N_PROMPTS)
                .map(|i| 0.3 + sign(i, power))
                .collect::<Vec<f64>>()
        };
        // (2 Phi(c) - 1)^n = .95: c is 2.2365 for two columns and 2.3877 for three, 1.9660 (Student's t) for one.
        let check = |columns: &[Vec<f64>], expected: f64| {
            let found = critical(columns, None);
            assert!((found - expected).abs() < CHANCE, "{found}, not {expected}");
        };
        let [a, b, c] = [1, 2, 4].map(column);
        check(&[a.clone(), b.clone()], 2.2365);
        check(&[a.clone(), b.clone(), c], 2.3877);
        // What is the same, or nothing at all, adds nothing; nor does a mixture of the others add a variance of its own.
        assert_eq!(
            critical(&[a.clone(), a.clone(), vec![0.0; N_PROMPTS]], None),
            critical(std::slice::from_ref(&a), None)
        );
        let mixture: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - 2.0 * b).collect();
        assert!(critical(&[a.clone(), b.clone(), mixture], None) >= critical(&[a, b], None));
        assert!(critical(&[vec![1.0]], None).is_nan());
    }

    #[test]
    fn equals_the_multiplier_bootstrap_drawn_prompt_by_prompt() {
        // Correlated columns, one with prompts that are left out, in groups of four.
        let columns: Vec<Vec<f64>> = (0..4)
            .map(|w| {
                let gain = |i: usize| {
                    ((i * 7 + 3 * w * (i % 5)) % 11) as f64 - 0.1 * i as f64 / (w + 1) as f64
                };
                (0..N_PROMPTS)
                    .map(|i| {
                        if w == 2 && i % 3 == 0 {
                            f64::NAN
                        } else {
                            gain(i)
                        }
                    })
                    .collect()
            })
            .collect();
        let groups: Vec<usize> = (0..N_PROMPTS).map(|i| i % 100).collect();
        let deviations: Vec<Vec<f64>> = columns
            .iter()
            .map(|column| {
                let known: Vec<f64> = column.iter().copied().filter(|x| !x.is_nan()).collect();
                let mean = known.iter().sum::<f64>() / known.len() as f64;
                let mut sums = vec![0.0; 100];
                for (i, x) in column.iter().enumerate().filter(|(_, x)| !x.is_nan()) {
                    sums[groups[i]] += x - mean;
                }
                sums
            })
            .collect();
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut largest: Vec<f64> = (0..20_000)
            .map(|_| {
                let normal: Vec<f64> = (0..100).map(|_| rng.sample(StandardNormal)).collect();
                let of_worth = deviations.iter().map(|sums| {
                    let drawn: f64 = sums.iter().zip(&normal).map(|(a, b)| a * b).sum();
                    drawn.abs() / sums.iter().map(|a| a * a).sum::<f64>().sqrt()
                });
                of_worth.fold(0.0, f64::max)
            })
            .collect();
        largest.sort_unstable_by(f64::total_cmp);
        let (found, expected) = (critical(&columns, Some(&groups)), quantile(&largest, 0.95));
        assert!(
            (found - expected).abs() < 2.0 * CHANCE,
            "{found}, not {expected}"
        );
    }
}
