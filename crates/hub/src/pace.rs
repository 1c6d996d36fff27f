use std::time::{Duration, Instant};

/// Less than this is no download: a proxy may keep a connection alive by a byte now and then.
const MIN_BYTES_PER_SECOND: f64 = 1_000.0;
/// Times of waiting for one byte over which the pace is measured: long enough for a pause.
const N_TIMEOUTS: u32 = 6;

/// Whether bytes arrive fast enough. A connection that sends something before each time-out would else never end, and nobody would hear of it.
pub(crate) struct Pace {
    window: Duration,
    start: Instant,
    n_bytes: usize,
}

impl Pace {
    /// From now on; `read_timeout` is how long one byte may take.
    pub(crate) fn new(read_timeout: Duration, now: Instant) -> Self {
        Self {
            window: read_timeout.saturating_mul(N_TIMEOUTS),
            start: now,
            n_bytes: 0,
        }
    }

    /// Counts bytes that arrived; returns whether they were too few for their time.
    pub(crate) fn is_too_slow(&mut self, n_bytes: usize, now: Instant) -> bool {
        self.n_bytes = self.n_bytes.saturating_add(n_bytes);
        let elapsed = now.saturating_duration_since(self.start);
        if elapsed < self.window {
            return false;
        }
        let pace = self.n_bytes as f64 / elapsed.as_secs_f64();
        (self.start, self.n_bytes) = (now, 0);
        pace < MIN_BYTES_PER_SECOND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drip_is_too_slow_and_a_pause_is_not() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        for (arrivals, expected) in [
            // A byte before each time-out.
            ((1..9).map(|i| (9 * i, 1)).collect::<Vec<_>>(), true),
            // Nothing for half of the time, and then a few pieces.
            (vec![(30, 65_536), (31, 65_536), (61, 10)], false),
            (vec![(60, 60_000)], false),
            (vec![(60, 59_999)], true),
            // Fast once does not make up for slow ever after.
            (vec![(60, 10_000_000), (120, 100)], true),
            (vec![(59, 0)], false),
        ] {
            let mut pace = Pace::new(Duration::from_secs(10), start);
            let found = arrivals
                .iter()
                .any(|&(seconds, n_bytes)| pace.is_too_slow(n_bytes, after(seconds)));
            assert_eq!(found, expected, "{arrivals:?}");
        }
        let mut pace = Pace::new(Duration::MAX, start);
        assert!(!pace.is_too_slow(0, after(1_000_000)));
    }
}
