//! Functions of single values, as exact as what rounds their results to 8 bits can use.

/// Where [`gelu`]'s polynomial ends: beyond, the normal distribution's Phi is taken as 0 or 1.
const END: f32 = 4.25;

/// `x Phi(x)` to 6e-5 on [-30, 30], with the normal distribution's `Phi(x) = 1/2 + x P(x^2)` on [-4.25, 4.25]. P's coefficients were fitted for the smallest largest
/// error, and scaled so that Phi(-4.25) = 0.
#[inline(always)]
pub(super) fn gelu(x: f32) -> f32 {
    // Comparisons, which hand on what is no number.
    let z = if x < -END { -END } else { x };
    let z = if z > END { END } else { z };
    let square = z * z;
    let mut polynomial = 4.547_143e-11_f32;
    for coefficient in [
        -4.515_372e-9,
        1.986_188_5e-7,
        -5.147_589e-6,
        8.849_041e-5,
        -0.001_079_093_2,
        0.009_718_914_5,
        -0.066_191_2,
        0.398_824_75,
    ] {
        polynomial = polynomial.mul_add(square, coefficient);
    }
    x * z.mul_add(polynomial, 0.5)
}

/// `2^x` for x <= 0 to 3e-6 of the result; below 2^-126 it is near that.
#[inline(always)]
pub(super) fn exp2(x: f32) -> f32 {
    /// Added, it leaves a whole number in the last bits.
    const ROUND: f32 = 12_582_912.; // 1.5 * 2^23
    let x = if x < -126. { -126. } else { x };
    let shifted = x + ROUND;
    let rest = x - (shifted - ROUND);
    let mut polynomial = 0.009_570_116_f32;
    for coefficient in [0.055_917_937, 0.240_247_46, 0.693_121_8, 0.999_999_3] {
        polynomial = polynomial.mul_add(rest, coefficient);
    }
    // 127 is the exponent of 1; the bits of `ROUND` itself fall off at the left.
    let power = (shifted.to_bits() << 23).wrapping_add(127 << 23);
    polynomial * f32::from_bits(power)
}

#[cfg(test)]
mod tests {
    use super::{super::super::elementwise::gelu_of, *};

    #[test]
    fn functions_are_as_exact_as_they_say() {
        for i in -12_000..=12_000 {
            let x = i as f32 / 1_000.;
            let error = (gelu(x) - gelu_of(x)).abs();
            assert!(error < 6e-5, "gelu({x}) is off by {error}");
            let exact = f64::from(-x.abs() * 10.).exp2();
            let error = f64::from(exp2(-x.abs() * 10.)) / exact - 1.;
            assert!(error.abs() < 3e-6, "exp2({x}) is off by {error}");
        }
        // Phi is 0 or 1 but for a rounding, which x multiplies.
        assert!(gelu(-30.).abs() < 6e-5 && (gelu(30.) - 30.).abs() < 6e-5);
        assert!(exp2(-1e9) < 2e-38 && exp2(f32::NEG_INFINITY) < 2e-38);
        assert!(gelu(f32::NAN).is_nan() && exp2(f32::NAN).is_nan());
    }
}
