//! Student's t distribution, of which intervals and p-values are made.

/// The probability of a value above `t` with so many degrees of freedom.
///
/// ```text
/// P(T > t) = I_x(df / 2, 1 / 2) / 2   for t >= 0,   x = df / (df + t^2)
/// ```
///
/// `I` is the regularized incomplete beta function, from its continued fraction (DLMF 8.17.22).
pub(crate) fn upper_tail(t: f64, degrees_of_freedom: f64) -> f64 {
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    let df = degrees_of_freedom;
    let tail = 0.5 * regularized_beta(df / (df + t * t), df / 2.0, 0.5);
    if t >= 0.0 { tail } else { 1.0 - tail }
}

/// The value that is exceeded with this probability, in (0, 1/2].
pub(crate) fn upper_quantile(probability: f64, degrees_of_freedom: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    while upper_tail(high, degrees_of_freedom) > probability && high < 1e300 {
        low = high;
        high *= 2.0;
    }
    // Bisection to the last bit: it cannot fail, and is done once per report.
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if upper_tail(middle, degrees_of_freedom) > probability {
            low = middle;
        } else {
            high = middle;
        }
    }
}

fn regularized_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    // The fraction converges fast below the mean; above it the symmetry I_x(a, b) = 1 - I_(1-x)(b, a) helps.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - regularized_beta(1.0 - x, b, a);
    }
    let ln_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    ln_front.exp() * beta_fraction(x, a, b) / a
}

/// The continued fraction of the incomplete beta function, by the modified Lentz algorithm.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    // Converges in about sqrt(max(a, b)) steps.
    const MAX_STEPS: usize = 10_000;
    let not_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..MAX_STEPS {
        let m = step as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for numerator in [even, odd] {
            d = 1.0 / not_zero(1.0 + numerator * d);
            c = not_zero(1.0 + numerator / c);
            fraction *= c * d;
        }
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    fraction
}

/// The logarithm of the gamma function at x > 0: Stirling's series (DLMF 5.11.1) above 15, to which the recurrence leads.
fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 6] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1_260.0,
        -1.0 / 1_680.0,
        1.0 / 1_188.0,
        -691.0 / 360_360.0,
    ];
    let (mut x, mut shift) = (x, 0.0);
    while x < 15.0 {
        shift += x.ln();
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = COEFFICIENTS
        .iter()
        .rev()
        .fold(0.0, |sum, c| sum * square + c)
        / x;
    (x - 0.5) * x.ln() - x + 0.5 * std::f64::consts::TAU.ln() + series - shift
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of the logarithms of gamma, whose difference loses digits where there are many degrees of freedom.
    const ROUNDING: f64 = 1e-9;

    #[test]
    fn tails_in_closed_form() {
        // One degree of freedom is Cauchy's: 1/2 - atan(t) / pi. Two: 1/2 - t / (2 sqrt(2 + t^2)).
        for t in [-30.0_f64, -1.0, 0.0, 0.3, 1.0, 4.0, 100.0] {
            let cauchy = 0.5 - t.atan() / std::f64::consts::PI;
            let two = 0.5 - t / (2.0 * (2.0 + t * t).sqrt());
            assert!((upper_tail(t, 1.0) - cauchy).abs() < 1e-14, "{t}");
            assert!((upper_tail(t, 2.0) - two).abs() < 1e-14, "{t}");
        }
        assert_eq!(upper_tail(f64::INFINITY, 3.0), 0.0);
        assert_eq!(upper_tail(f64::NEG_INFINITY, 3.0), 1.0);
    }

    #[test]
    fn quantiles_as_in_tables() {
        // Table of t: 5% and 2.5%, one-sided. With a million degrees of freedom it is the normal quantile 1.959964.
        for (probability, df, expected) in [
            (0.05, 1.0, 6.3138),
            (0.025, 4.0, 2.7764),
            (0.025, 10.0, 2.2281),
            (0.025, 30.0, 2.0423),
            (0.005, 120.0, 2.6174),
            (0.025, 1e6, 1.959_96),
            (0.5, 7.0, 0.0),
        ] {
            let found = upper_quantile(probability, df);
            assert!(
                (found - expected).abs() < 5e-5,
                "{probability} {df}: {found}"
            );
            assert!((upper_tail(found, df) - probability).abs() < ROUNDING);
        }
    }

    #[test]
    fn gammas_of_whole_and_half_numbers() {
        assert!((ln_gamma(5.0) - 24.0_f64.ln()).abs() < 1e-13);
        assert!(ln_gamma(1.0).abs() < 1e-13);
        assert!((ln_gamma(0.5) - 0.5 * std::f64::consts::PI.ln()).abs() < 1e-13);
    }
}
