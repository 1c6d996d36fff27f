//! What is done to values one by one, or to the values of one row.
//!
//! Plain loops that the compiler turns into vectors of each instruction set. No multiplication is fused with an addition, and sums run in
//! [`LANES`] parts in a fixed order, so that all processors agree in every bit.

use super::processor::Processor;

/// Running sums of a row.
const LANES: usize = 16;

/// `x Phi(x)` of every value, with the normal distribution's Phi.
pub(crate) fn gelu(processor: Processor, values: &mut [f32]) {
    each(processor, values, gelu_of);
}

/// Its approximation by the hyperbolic tangent, `x / 2 (1 + tanh(sqrt(2 / pi) (x + .044715 x^3)))`.
pub(crate) fn gelu_tanh(processor: Processor, values: &mut [f32]) {
    each(processor, values, gelu_tanh_of);
}

/// `max(x, 0)` of every value.
pub(crate) fn relu(processor: Processor, values: &mut [f32]) {
    each(processor, values, relu_of);
}

/// Adds one row to every row.
pub(crate) fn add_row(processor: Processor, rows: &mut [f32], row: &[f32]) {
    processor.run(
        #[inline(always)]
        || {
            for values in rows.chunks_exact_mut(row.len().max(1)) {
                for (value, term) in values.iter_mut().zip(row) {
                    *value += term;
                }
            }
        },
    );
}

/// Turns scores into weights, `exp(scale (x - max))`, row by row; `totals` takes each row's sum, by which [`divide`] makes shares of what becomes of
/// the weights.
pub(crate) fn softmax(
    processor: Processor,
    rows: &mut [f32],
    n_columns: usize,
    scale: f32,
    totals: &mut Vec<f32>,
) {
    totals.clear();
    totals.resize(rows.len() / n_columns.max(1), 0.);
    processor.run(
        #[inline(always)]
        || {
            let rows = rows.chunks_exact_mut(n_columns.max(1));
            for (row, total) in rows.zip(totals.iter_mut()) {
                let max = max(row);
                for value in row.iter_mut() {
                    *value = exp(scale * (*value - max));
                }
                *total = sum(row, |x| x);
            }
        },
    );
}

/// Divides each row by a number of its own.
pub(crate) fn divide(processor: Processor, rows: &mut [f32], by: &[f32]) {
    let n_columns = rows.len() / by.len().max(1);
    processor.run(
        #[inline(always)]
        || {
            let rows = rows.chunks_exact_mut(n_columns.max(1));
            for (row, by) in rows.zip(by) {
                for value in row {
                    *value /= *by;
                }
            }
        },
    );
}

/// Brings a row to mean 0 and variance 1, then scales and shifts it.
pub(crate) fn layer_norm(
    processor: Processor,
    row: &mut [f32],
    weight: &[f32],
    bias: &[f32],
    eps: f32,
) {
    processor.run(
        #[inline(always)]
        || {
            let n = row.len() as f32;
            let mean = sum(row, |x| x) / n;
            let variance = sum(row, |x| (x - mean) * (x - mean)) / n;
            let scale = 1. / (variance + eps).sqrt();
            for ((value, weight), bias) in row.iter_mut().zip(weight).zip(bias) {
                *value = (*value - mean) * scale * weight + bias;
            }
        },
    );
}

/// The dot product of two rows.
pub(crate) fn dot(processor: Processor, a: &[f32], b: &[f32]) -> f32 {
    processor.run(
        #[inline(always)]
        || {
            let mut sums = [0.; LANES];
            let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
            let rest: f32 = a
                .remainder()
                .iter()
                .zip(b.remainder())
                .map(|(a, b)| a * b)
                .sum();
            for (a, b) in a.zip(b) {
                for lane in 0..LANES {
                    sums[lane] += a[lane] * b[lane];
                }
            }
            folded(sums) + rest
        },
    )
}

#[inline(always)]
fn each(processor: Processor, values: &mut [f32], f: impl Fn(f32) -> f32) {
    processor.run(
        #[inline(always)]
        || {
            for value in values.iter_mut() {
                *value = f(*value);
            }
        },
    );
}

#[inline(always)]
fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|x| term(*x)).sum();
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += term(chunk[lane]);
        }
    }
    folded(sums) + rest
}

#[inline(always)]
fn max(row: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut maxima = [f32::NEG_INFINITY; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks
        .remainder()
        .iter()
        .fold(f32::NEG_INFINITY, |a, b| larger(a, *b));
    for chunk in chunks {
        for lane in 0..LANES {
            maxima[lane] = larger(maxima[lane], chunk[lane]);
        }
    }
    maxima.into_iter().fold(rest, larger)
}

/// Halves added to halves, which a processor with vectors does in four steps.
#[inline(always)]
fn folded(mut sums: [f32; LANES]) -> f32 {
    let mut n = LANES / 2;
    while n > 0 {
        for lane in 0..n {
            sums[lane] += sums[lane + n];
        }
        n /= 2;
    }
    sums[0]
}

/// `exp(x)` to 2 units in the last place: `2^n exp(r)` with `|r| <= ln(2) / 2` and Taylor's polynomial of degree 7. Results below the smallest
/// normal number are 0 or near it, above the largest they are large; what is no number stays none.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Added, it leaves a whole number in the last bits.
    const ROUND: f32 = 12_582_912.; // 1.5 * 2^23
    /// ln(2) in two parts, of which the first has few bits, so that its multiples are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = if x < -87. { -87. } else { x };
    let x = if x > 88. { 88. } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2[0] - n * LN_2[1];
    let mut polynomial = 1. / 5_040.;
    for coefficient in [1. / 720., 1. / 120., 1. / 24., 1. / 6., 0.5, 1., 1.] {
        polynomial = polynomial * r + coefficient;
    }
    // 127 is the exponent of 1; the bits of `ROUND` itself fall off at the left.
    let power = (shifted.to_bits() << 23).wrapping_add(127 << 23);
    polynomial * f32::from_bits(power)
}

/// `x Phi(x)`, as `max(x, 0) - |x| Q(|x|)` with the upper tail of the normal distribution
///
/// ```text
/// Q(z) = exp(-z^2 / 2) (b_1 t + b_2 t^2 + ... + b_7 t^7),   t = 1 / (1 + .2316419 z)
/// ```
///
/// to 2.4e-9. The form is 26.2.17 of Abramowitz and Stegun 1964, which has five terms and 7.5e-8; these seven coefficients were fitted for the
/// smallest largest error on [0, 6.5].
#[inline(always)]
pub(super) fn gelu_of(x: f32) -> f32 {
    let z = x.abs();
    let t = 1. / (1. + 0.231_641_9 * z);
    let mut polynomial = -0.147_968_86;
    for coefficient in [
        0.745_965_3,
        -1.029_058_7,
        1.004_547_4,
        -0.364_717_87,
        0.212_252_73,
        0.078_980_01,
    ] {
        polynomial = polynomial * t + coefficient;
    }
    let tail = polynomial * t * exp(-0.5 * z * z);
    let kept = if x < 0. { 0. } else { x };
    kept - z * tail
}

#[inline(always)]
pub(super) fn gelu_tanh_of(x: f32) -> f32 {
    let inner = 0.797_884_6 * (x + 0.044_715 * x * x * x);
    // (1 + tanh z) / 2 = 1 / (1 + exp(-2 z))
    x / (1. + exp(-2. * inner))
}

#[inline(always)]
pub(super) fn relu_of(x: f32) -> f32 {
    // A comparison, which hands on what is no number; `max` would not.
    if x < 0. { 0. } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Phi(x) in float64, by its series around 0 or the continued fraction of its tail.
    fn phi(x: f64) -> f64 {
        let density = (-0.5 * x * x).exp() / (2. * std::f64::consts::PI).sqrt();
        let z = x.abs();
        if z < 3. {
            let (mut term, mut total) = (x, x);
            for n in 1..120 {
                term *= x * x / f64::from(2 * n + 1);
                total += term;
            }
            return 0.5 + density * total;
        }
        let fraction = (1..120).rev().fold(z, |below, n| z + f64::from(n) / below);
        let tail = density / fraction;
        if x > 0. { 1. - tail } else { tail }
    }

    /// Compares with float64 at many places, on every processor, relative to the result where that is above 1.
    fn check(f: impl Fn(Processor, &mut [f32]), exact: impl Fn(f64) -> f64, bound: f64) {
        let places: Vec<f32> = (-12_000..=12_000).map(|i| i as f32 / 1_000.).collect();
        for processor in Processor::all() {
            let mut values = places.clone();
            f(processor, &mut values);
            for (x, y) in places.iter().zip(&values) {
                let exact = exact(f64::from(*x));
                let difference = (f64::from(*y) - exact).abs() / exact.abs().max(1.);
                assert!(difference < bound, "{processor:?} {x} {y} {exact}");
            }
        }
    }

    #[test]
    fn gelu_is_that_of_the_error_function() {
        assert!((phi(1.) - 0.841_344_746_068_542_9).abs() < 1e-15);
        assert!((phi(-4.) - 3.167_124_183_311_986e-5).abs() < 1e-15);
        check(gelu, |x| x * phi(x), 1.3e-7);
    }

    #[test]
    fn gelu_by_tanh_is_its_formula() {
        let exact = |x: f64| {
            let inner = (2. / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            0.5 * x * (1. + inner.tanh())
        };
        check(gelu_tanh, exact, 5e-7);
    }

    #[test]
    fn relu_keeps_what_is_above_zero() {
        check(relu, |x| x.max(0.), 1e-9);
    }

    fn shares(processor: Processor, mut rows: Vec<f32>, n_columns: usize, scale: f32) -> Vec<f32> {
        let mut totals = vec![7.];
        softmax(processor, &mut rows, n_columns, scale, &mut totals);
        divide(processor, &mut rows, &totals);
        rows
    }

    #[test]
    fn softmax_gives_shares() {
        for processor in Processor::all() {
            for n in [1, 3, 16, 37] {
                let scores: Vec<f32> = (0..2 * n).map(|i| (i as f32 * 1.7).sin() * 9.).collect();
                let rows = shares(processor, scores.clone(), n, 0.5);
                for (row, scores) in rows.chunks(n).zip(scores.chunks(n)) {
                    let weight = |x: &f32| f64::from(0.5 * x).exp();
                    let total: f64 = scores.iter().map(weight).sum();
                    for (share, score) in row.iter().zip(scores) {
                        let exact = weight(score) / total;
                        assert!((f64::from(*share) - exact).abs() < 3e-7, "{share} {exact}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_normalized_row_has_mean_0_and_variance_1() {
        for processor in Processor::all() {
            for n in [2_usize, 16, 37] {
                let mut row: Vec<f32> = (0..n).map(|i| (i as f32 * 1.7).sin() + 5.).collect();
                layer_norm(processor, &mut row, &vec![2.; n], &vec![1.; n], 0.);
                let standard: Vec<f64> = row.iter().map(|x| (f64::from(*x) - 1.) / 2.).collect();
                let mean = standard.iter().sum::<f64>() / n as f64;
                let variance = standard.iter().map(|x| x * x).sum::<f64>() / n as f64;
                assert!(
                    mean.abs() < 1e-5 && (variance - 1.).abs() < 1e-4,
                    "{mean} {variance}"
                );
            }
        }
    }

    #[test]
    fn all_processors_agree_in_every_bit() {
        let values: Vec<f32> = (0..99).map(|i| (i as f32 * 1.7).sin() * 3.).collect();
        let all = |processor| {
            let shares = shares(processor, values.clone(), 33, 0.3);
            let mut rows = [values.clone(), shares, values.clone()];
            gelu(processor, &mut rows[0]);
            layer_norm(processor, &mut rows[2], &values, &values, 1e-5);
            (rows, dot(processor, &values, &values))
        };
        let expected = all(Processor::detect());
        for processor in Processor::all() {
            assert_eq!(all(processor), expected, "{processor:?}");
        }
    }

    #[test]
    fn what_is_no_number_stays_none() {
        for f in [gelu, gelu_tanh, relu] {
            let mut values = [f32::NAN; 3];
            f(Processor::detect(), &mut values);
            assert!(values.iter().all(|x| x.is_nan()), "{values:?}");
        }
        let row = shares(Processor::detect(), vec![1., f32::NAN, 3.], 3, 1.);
        assert!(row.iter().all(|x| x.is_nan()), "{row:?}");
    }
}
