use crate::{Error, Result};

/// An estimate and where it may lie.
///
/// The ends are percentiles of the resampled values, as NumPy's `percentile` interpolates them. Nothing is corrected for bias: metrics that
/// take a maximum, such as the peak or a hull's area, come out a little higher in resamples, which may put an estimate near or below the lower
/// end where test prompts are few; see [`crate::metric::Metric::is_in_sample_optimum`].
///
/// What was fitted stays as it is in every resample, so an interval does not contain that another draw of training rows would have given another
/// router: for what a learner does as such, intervals would be 1.1 to 1.2 times as wide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// On the test prompts themselves; NaN where it is not defined.
    pub estimate: f64,
    /// Lower end; NaN where no resample has a value. May be infinite, as may be all three: a cost that is never reached.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// In how many resamples the value is defined. The others are left out, so an interval with far fewer than all says little.
    pub n_defined: usize,
}

impl Interval {
    pub(crate) fn new(estimate: f64, resampled: Vec<f64>, level: f64) -> Self {
        let mut defined = resampled;
        defined.retain(|value| !value.is_nan());
        defined.sort_unstable_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        Self {
            estimate,
            low: quantile(&defined, tail),
            high: quantile(&defined, 1.0 - tail),
            n_defined: defined.len(),
        }
    }
}

/// How much `a` exceeds `b`; equal infinities do not differ.
pub(crate) fn difference(a: f64, b: f64) -> f64 {
    // Two infinite costs are alike; their difference would be NaN.
    if a == b { 0.0 } else { a - b }
}

pub(crate) fn check_level(level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        Ok(())
    } else {
        Err(Error::BadLevel { level })
    }
}

/// The value at a part of the way through sorted values, on a straight line between neighbors; NaN of none.
pub(crate) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else {
        return f64::NAN;
    };
    let position = part * last as f64;
    let before = (position as usize).min(last);
    let (from, to) = (sorted[before], sorted[(before + 1).min(last)]);
    let rest = position - before as f64;
    // There is no line between two infinities, and 0 times infinity is NaN.
    if from == to || rest <= 0.0 {
        from
    } else {
        from + rest * (to - from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAN: f64 = f64::NAN;
    const INFINITY: f64 = f64::INFINITY;

    #[test]
    fn intervals_by_hand() {
        let check = |resampled: &[f64], low: f64, high: f64, n_defined| {
            let found = Interval::new(1.0, resampled.to_vec(), 0.5);
            assert!(
                (found.low == low || (found.low.is_nan() && low.is_nan()))
                    && (found.high == high || (found.high.is_nan() && high.is_nan()))
                    && found.n_defined == n_defined,
                "{resampled:?}: {found:?}"
            );
        };
        // Quarters of the way from position 0 to 4 are positions 1 and 3; to 3 they are .75 and 2.25.
        check(&[4.0, 0.0, 1.0, 3.0, 2.0], 1.0, 3.0, 5);
        check(&[3.0, 0.0, 1.0, 2.0], 0.75, 2.25, 4);
        check(&[7.0], 7.0, 7.0, 1);
        check(&[7.0, NAN, 7.0], 7.0, 7.0, 2);
        check(&[NAN], NAN, NAN, 0);
        check(&[], NAN, NAN, 0);
        check(&[0.0, 1.0, 2.0, INFINITY, INFINITY], 1.0, INFINITY, 5);
        check(&[0.0, 1.0, 2.0, INFINITY], 0.75, INFINITY, 4);
        check(&[INFINITY, INFINITY], INFINITY, INFINITY, 2);
        check(&[-INFINITY, 1.0, 2.0, 3.0, 4.0], 1.0, 3.0, 5);
    }

    #[test]
    fn equal_infinities_do_not_differ() {
        assert_eq!(difference(INFINITY, INFINITY), 0.0);
        assert_eq!(difference(INFINITY, 1.0), INFINITY);
        assert_eq!(difference(1.0, INFINITY), -INFINITY);
        assert!(difference(NAN, NAN).is_nan());
    }

    #[test]
    fn levels_are_checked() {
        assert_eq!(check_level(0.95), Ok(()));
        for level in [0.0, 1.0, 95.0, -0.5] {
            assert_eq!(check_level(level), Err(Error::BadLevel { level }));
        }
        assert!(matches!(check_level(NAN), Err(Error::BadLevel { .. })));
    }
}
