use std::time::Duration;

use rand::Rng as _;

use crate::{Error, Result};

/// What a server accepts, and how long to keep trying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Texts in one request at most. OpenAI takes 2,048, some servers 10.
    pub max_inputs_per_request: usize,
    /// Tokens in one request at most, by our count; a single longer text goes alone. OpenAI takes 300,000 by its own.
    pub max_tokens_per_request: usize,
    /// Requests under way at a time; as many answers, or 4, may be on their way to the disk. Each holds its body and its answer in memory: 30 MB for
    /// 2,048 embeddings of length 1,536.
    pub max_in_flight: usize,
    /// For one attempt, from the connection to the last byte.
    pub timeout: Duration,
    /// What to do when an attempt fails.
    pub retry: Retry,
}

/// How often and after which waits a request is sent again.
///
/// ```text
/// wait(k) = max(asked, U(0, min(max_delay, base_delay 2^(k-1))))     after attempt k
///   asked   what `retry-after-ms` or `retry-after` says, else 0
///   U       uniform ("full jitter"), so that requests that failed together do not return together
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, at least 1.
    pub max_attempts: u32,
    /// The first wait at most.
    pub base_delay: Duration,
    /// A later wait at most, unless the server asks for more.
    pub max_delay: Duration,
    /// A server that asks for a longer wait ends the run: an account's daily limit, say. So do a request's waits together, and limits that the
    /// server states in its headers.
    pub max_asked_delay: Duration,
    /// Off in tests.
    pub delays: Delays,
}

/// Whether time is really spent on waits between attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delays {
    /// Waits are waited.
    On,
    /// Requests are sent again at once. For tests.
    Off,
}

impl Limits {
    /// What OpenAI's API reference states: 2,048 inputs and 300,000 tokens per request, of which a tenth is left free: its servers count up to a
    /// tenth more tokens in some texts than cl100k_base has. The rest is ours: 16 requests in flight, two minutes
    /// for an answer, eight attempts with waits of half a second to a minute, and at most ten minutes if the server asks for them.
    pub fn openai() -> Self {
        Self {
            max_inputs_per_request: 2_048,
            max_tokens_per_request: 270_000,
            max_in_flight: 16,
            timeout: Duration::from_secs(120),
            retry: Retry {
                max_attempts: 8,
                base_delay: Duration::from_millis(500),
                max_delay: Duration::from_secs(60),
                max_asked_delay: Duration::from_secs(600),
                delays: Delays::On,
            },
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        let counts = [
            ("max-inputs-per-request", self.max_inputs_per_request),
            ("max-tokens-per-request", self.max_tokens_per_request),
            ("max-in-flight", self.max_in_flight),
            ("max-attempts", self.retry.max_attempts as usize),
            ("timeout", usize::from(!self.timeout.is_zero())),
        ];
        match counts.into_iter().find(|(_, count)| *count == 0) {
            Some((name, _)) => Err(Error::BadSetting {
                name,
                found: "0".to_owned(),
                expected: "at least 1",
            }),
            None => Ok(()),
        }
    }
}

impl Retry {
    /// The wait after attempt `n_attempts` (from 1).
    pub(crate) fn delay(&self, n_attempts: u32, asked: Option<Duration>) -> Duration {
        if self.delays == Delays::Off {
            return Duration::ZERO;
        }
        let doubled = self
            .base_delay
            .saturating_mul(1 << n_attempts.saturating_sub(1).min(20));
        #[expect(
            clippy::disallowed_methods,
            reason = "programs that failed together must not come back together; no result depends on it"
        )]
        let mut rng = rand::rng();
        let jitter = rng.random_range(0.0..=1.0);
        let wait = doubled.min(self.max_delay).mul_f64(jitter);
        wait.max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_honor_the_server() {
        let mut retry = Limits::openai().retry;
        for (n_attempts, limit_ms) in [(1, 500), (2, 1_000), (5, 8_000), (8, 60_000), (99, 60_000)]
        {
            let longest = (0..200).map(|_| retry.delay(n_attempts, None)).max();
            let limit = Duration::from_millis(limit_ms);
            let longest = longest.unwrap();
            assert!(longest <= limit && longest > limit / 2, "{longest:?}");
        }
        let asked = Duration::from_secs(90);
        assert_eq!(retry.delay(1, Some(asked)), asked);
        retry.delays = Delays::Off;
        assert_eq!(retry.delay(8, Some(asked)), Duration::ZERO);
    }

    #[test]
    fn useless_limits_are_refused() {
        let check = |change: fn(&mut Limits), name: &str| {
            let mut limits = Limits::openai();
            limits.check().unwrap();
            change(&mut limits);
            let error = limits.check().unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        };
        check(|limits| limits.max_inputs_per_request = 0, "max-inputs");
        check(|limits| limits.max_tokens_per_request = 0, "max-tokens");
        check(|limits| limits.max_in_flight = 0, "max-in-flight");
        check(|limits| limits.retry.max_attempts = 0, "max-attempts");
        check(|limits| limits.timeout = Duration::ZERO, "timeout");
    }
}
