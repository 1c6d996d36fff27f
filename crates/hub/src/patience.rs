use std::{thread, time::Duration};

use tracing::warn;

use crate::error::HubError;

/// Requests of one kind that may fail in a row.
const MAX_ATTEMPTS: u32 = 6;
const MAX_WAIT: Duration = Duration::from_secs(30);
/// The hub counts requests over windows of five minutes, and so asks for no longer wait.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// How often a request may still fail before it is given up.
pub(crate) struct Patience {
    n_failed: u32,
    max_attempts: u32,
    first_wait: Duration,
}

impl Patience {
    /// For requests of one kind; `first_wait` comes after the first failure.
    pub(crate) fn new(first_wait: Duration) -> Self {
        Self {
            n_failed: 0,
            max_attempts: MAX_ATTEMPTS,
            first_wait,
        }
    }

    /// Fails at the first failure.
    pub(crate) fn none() -> Self {
        Self {
            n_failed: 0,
            max_attempts: 1,
            first_wait: Duration::ZERO,
        }
    }

    /// Something succeeded: the count of failures starts again.
    pub(crate) fn reset(&mut self) {
        self.n_failed = 0;
    }

    /// Waits until the next attempt, or gives up with the error.
    pub(crate) fn after(&mut self, error: HubError) -> Result<(), HubError> {
        self.n_failed += 1;
        if !error.is_transient() || self.n_failed >= self.max_attempts {
            return Err(error);
        }
        let wait = self.wait(&error, jitter());
        warn!("{error}; trying again in {:.1} s", wait.as_secs_f64());
        thread::sleep(wait);
        Ok(())
    }

    /// Twice as long after each failure, plus up to as much again; what the hub asks for is obeyed.
    fn wait(&self, error: &HubError, jitter: f64) -> Duration {
        let doubled = self.first_wait * 2_u32.pow(self.n_failed.min(16) - 1);
        let backoff = doubled.min(MAX_WAIT).mul_f64(1.0 + jitter);
        match error {
            HubError::Busy {
                retry_after: Some(asked),
                ..
            } => backoff.max((*asked).min(MAX_RETRY_AFTER)),
            _ => backoff,
        }
    }

    /// The result of the first attempt that goes well.
    pub(crate) fn until<T>(
        mut self,
        mut attempt: impl FnMut() -> Result<T, HubError>,
    ) -> Result<T, HubError> {
        loop {
            match attempt() {
                Ok(value) => return Ok(value),
                Err(error) => self.after(error)?,
            }
        }
    }
}

/// Between 0 and 1.
#[expect(
    clippy::disallowed_methods,
    reason = "processes that failed together must not come back together; no result depends on it"
)]
fn jitter() -> f64 {
    rand::random()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::HubRepo;

    #[test]
    fn waits_double_and_obey_the_hub() {
        let busy = |seconds: Option<u64>| HubError::Busy {
            repo: HubRepo::model("a/b").into(),
            status: 429,
            message: String::new(),
            retry_after: seconds.map(Duration::from_secs),
        };
        let wait = |n_failed, asked, jitter| {
            let patience = Patience {
                n_failed,
                max_attempts: 9,
                first_wait: Duration::from_secs(1),
            };
            patience.wait(&busy(asked), jitter).as_secs_f64()
        };
        for (n_failed, asked, jitter, expected) in [
            (1, None, 0.0, 1.0),
            (2, None, 0.0, 2.0),
            (3, None, 0.5, 6.0),
            (20, None, 0.0, 30.0),
            (1, Some(7), 0.0, 7.0),
            (4, Some(7), 0.0, 8.0),
            (1, Some(86_400), 0.0, 300.0),
        ] {
            assert_eq!(
                wait(n_failed, asked, jitter),
                expected,
                "{n_failed} {asked:?}"
            );
        }
    }
}
