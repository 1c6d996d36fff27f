use std::time::{Duration, Instant};

use crate::Answer;

/// The limits of one account.
#[derive(Debug)]
pub(super) struct Buckets {
    requests: Bucket,
    tokens: Bucket,
}

#[derive(Debug)]
struct Bucket {
    per_minute: f64,
    level: f64,
    at: Instant,
}

/// A request that must wait.
#[derive(Debug)]
pub(super) struct Limited {
    /// `requests` or `tokens`.
    pub(super) what: &'static str,
    pub(super) per_minute: f64,
    pub(super) wait: Duration,
}

impl Buckets {
    pub(super) fn new(requests_per_minute: u32, tokens_per_minute: u32) -> Self {
        Self {
            requests: Bucket::full(requests_per_minute),
            tokens: Bucket::full(tokens_per_minute),
        }
    }

    /// Takes a request with its tokens, all or nothing.
    pub(super) fn take(&mut self, n_tokens: f64) -> Result<(), Limited> {
        let now = Instant::now();
        self.requests.refill(now);
        self.tokens.refill(now);
        let both = [
            ("requests", &self.requests, 1.0),
            ("tokens", &self.tokens, n_tokens),
        ];
        for (what, bucket, amount) in both {
            let missing = amount - bucket.level;
            if missing > 0.0 {
                return Err(Limited {
                    what,
                    per_minute: bucket.per_minute,
                    wait: Duration::from_secs_f64(missing / bucket.per_minute * 60.0),
                });
            }
        }
        self.requests.level -= 1.0;
        self.tokens.level -= n_tokens;
        Ok(())
    }

    /// With the headers that state the limits.
    pub(super) fn tell(&self, mut answer: Answer) -> Answer {
        for (what, bucket) in [("requests", &self.requests), ("tokens", &self.tokens)] {
            let reset = (bucket.per_minute - bucket.level) / bucket.per_minute * 60.0;
            let values = [
                ("limit", bucket.per_minute.to_string()),
                ("remaining", bucket.level.max(0.0).floor().to_string()),
                ("reset", duration(Duration::from_secs_f64(reset))),
            ];
            for (name, value) in values {
                answer = answer.with_header(&format!("x-ratelimit-{name}-{what}"), value);
            }
        }
        answer
    }
}

impl Bucket {
    fn full(per_minute: u32) -> Self {
        let per_minute = f64::from(per_minute);
        Self {
            per_minute,
            level: per_minute,
            at: Instant::now(),
        }
    }

    fn refill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + seconds * self.per_minute / 60.0).min(self.per_minute);
        self.at = now;
    }
}

/// As Go prints durations, which is where OpenAI's come from: `6ms`, `1.5s`, `1m30s`.
fn duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    if ms < 1_000 {
        return format!("{ms}ms");
    }
    let seconds = (ms % 60_000) as f64 / 1e3;
    match ms / 60_000 {
        0 => format!("{seconds}s"),
        minutes => format!("{minutes}m{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_look_like_openais() {
        let check = |ms, expected| assert_eq!(duration(Duration::from_millis(ms)), expected);
        check(0, "0ms");
        check(6, "6ms");
        check(1_500, "1.5s");
        check(90_000, "1m30s");
        check(432_000, "7m12s");
    }

    #[test]
    fn an_empty_bucket_says_how_long_to_wait() {
        let mut buckets = Buckets::new(2, 600);
        assert!(buckets.take(500.0).is_ok());
        let limited = buckets.take(200.0).expect_err("too much");
        assert_eq!((limited.what, limited.per_minute), ("tokens", 600.0));
        // 100 tokens are missing, at 10 a second.
        assert!((9.0..=10.0).contains(&limited.wait.as_secs_f64()));
        assert!(buckets.take(1.0).is_ok());
        let limited = buckets.take(1.0).expect_err("too many");
        assert_eq!(limited.what, "requests");
    }
}
