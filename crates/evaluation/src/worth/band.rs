use ndarray::Array2;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;

use crate::{
    interval::quantile,
    worth::{estimate::Spread, prompt_gains::PromptGains, report::GainSettings},
};

/// A variance that is left over from worths before by less than this part is rounding: the gain there is a mixture of the gains before.
const DEPENDENT: f64 = 1e-10;

/// How many standard errors wide, on each side, a band is that holds the gains at all worths together.
///
/// The quantile of `max over v of |D(v)| / se(v)`, where `D` is drawn by the Gaussian multiplier bootstrap (Chernozhukov, Chetverikov and Kato
/// 2013, "Gaussian approximations and multiplier bootstrap for maxima"): each group's deviations times one standard normal number. Given the
/// prompts, `D` over the worths is exactly normal with the covariance of the gains, so it is drawn from that, at `n_worths^2` steps per draw
/// however many prompts there are. Not narrower than one worth's own interval.
pub(super) fn critical_value(
    gains: &PromptGains,
    spread: &Spread<'_>,
    settings: &GainSettings,
) -> f64 {
    let factor = cholesky(&correlations(gains, spread));
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
    let n_groups = spread.group_sums(&gains.over_worths()).len();
    if n_groups < 2 {
        return f64::NAN;
    }
    quantile(&largest, settings.level).max(spread.critical_value(n_groups))
}

/// Correlations of the gains at the worths; 0 with a gain that is the same for all prompts.
pub(super) fn correlations(gains: &PromptGains, spread: &Spread<'_>) -> Array2<f64> {
    let deviations: Vec<Vec<f64>> = gains
        .columns()
        .iter()
        .map(|column| {
            let mean = column.gain().unwrap_or(f64::NAN);
            // Worths may differ in whom they judge; a prompt that is left out deviates by nothing.
            let of_prompts: Vec<f64> = column
                .gain
                .iter()
                .map(|gain| if gain.is_nan() { 0.0 } else { gain - mean })
                .collect();
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
