use serde::Serialize;

/// The first bucket ends here, in milliseconds.
const FIRST_MS: f64 = 0.01;
/// Each bucket is so many times as wide as the one before: a quantile is right within 5%.
const GROWTH: f64 = 1.1;
/// The last bucket but one ends at 0.01 ms * 1.1^200, half a month.
const N_BUCKETS: usize = 202;

/// A distribution of times in buckets of growing width, so that it takes the same memory however many there are.
#[derive(Debug, Clone)]
pub(super) struct Latencies {
    counts: [u64; N_BUCKETS],
    n: u64,
}

/// Of requests so far; `None` of none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Quantiles {
    n: u64,
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
}

impl Default for Latencies {
    fn default() -> Self {
        Self {
            counts: [0; N_BUCKETS],
            n: 0,
        }
    }
}

impl Latencies {
    pub(super) fn add(&mut self, ms: f64) {
        // A negative number or NaN becomes 0 by the cast.
        let bucket = ((ms / FIRST_MS).ln() / GROWTH.ln()).ceil() as usize;
        self.counts[bucket.min(N_BUCKETS - 1)] += 1;
        self.n += 1;
    }

    pub(super) fn quantiles(&self) -> Quantiles {
        Quantiles {
            n: self.n,
            p50: self.quantile(0.5),
            p95: self.quantile(0.95),
            p99: self.quantile(0.99),
        }
    }

    /// The middle of the bucket, on a scale of ratios, in which the quantile lies.
    fn quantile(&self, part: f64) -> Option<f64> {
        let rank = (part * self.n as f64).ceil().max(1.0) as u64;
        let mut n_below = 0;
        let bucket = self.counts.iter().position(|count| {
            n_below += count;
            n_below >= rank
        })?;
        Some(FIRST_MS * GROWTH.powf(bucket as f64 - 0.5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_within_a_bucket() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantiles().p50, None);
        for i in 1..=1000 {
            latencies.add(f64::from(i) * 0.2);
        }
        let found = latencies.quantiles();
        for (found, expected) in [(found.p50, 100.0), (found.p95, 190.0), (found.p99, 198.0)] {
            let found = found.expect("a number");
            // Half a bucket is a factor of 1.1^0.5, 1.049.
            assert!(
                (found / expected - 1.0_f64).abs() < 0.05,
                "{found} {expected}"
            );
        }
        assert_eq!(found.n, 1000);
    }

    #[test]
    fn no_time_is_lost() {
        let mut latencies = Latencies::default();
        for ms in [0.0, -1.0, f64::NAN, 1e-9, 1e300, f64::INFINITY] {
            latencies.add(ms);
        }
        assert_eq!(latencies.counts.iter().sum::<u64>(), 6);
        assert_eq!(latencies.counts[0], 4);
    }
}
