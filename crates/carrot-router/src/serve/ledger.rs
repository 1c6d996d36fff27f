//! What is written down of every request, in one place: the decision log, the metrics, the page's numbers, and which decisions feedback may name.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use decision_log::{Line, LogWriter, with_causes};
use tracing::error;

use super::{
    caps::SpendCaps,
    feedback::{FeedbackBook, FeedbackError},
    metrics::Metrics,
    page::Stats,
    record::DecisionLine,
};

/// Of lines that cannot be written the first is an error in the program's log, and then each of so many.
const TELL_EVERY: u64 = 1000;

/// The books of a server.
#[derive(Debug)]
pub(crate) struct Ledger {
    log: Option<LogWriter>,
    metrics: Metrics,
    stats: Stats,
    feedback: FeedbackBook,
    caps: Option<Arc<SpendCaps>>,
    n_lost: AtomicU64,
}

impl Ledger {
    /// Books of the pool's LLMs. Without a log feedback counts on the page alone.
    pub(crate) fn new(
        models: &[String],
        log: Option<LogWriter>,
        feedback: FeedbackBook,
        caps: Option<Arc<SpendCaps>>,
        now: SystemTime,
    ) -> Self {
        Self {
            log,
            metrics: Metrics::new(models),
            stats: Stats::new(models, now),
            feedback,
            caps,
            n_lost: AtomicU64::new(0),
        }
    }

    /// Notes that the client now knows a decision's id, as its answer begins, so that feedback may come before the end of a stream.
    pub(crate) fn begin_answer(&self, decision_id: &str, served: Option<&str>) {
        self.feedback.remember(decision_id, served);
    }

    /// Writes a request down that has ended, however it ended. To be called exactly once for each. Writes one line to the log, some microseconds.
    pub(crate) fn finish(&self, line: DecisionLine, now: SystemTime) {
        self.metrics.observe(&line);
        self.stats.observe(&line, now);
        self.feedback.remember(&line.id, line.served.as_deref());
        self.write(&Line::Decision(line.into()));
    }

    /// Takes the body of `POST /v1/feedback`.
    ///
    /// # Errors
    /// [`FeedbackError`].
    pub(crate) fn take_feedback(&self, body: &[u8], now: SystemTime) -> Result<(), FeedbackError> {
        let given = self.feedback.check(body, now)?;
        if let Some(model) = &given.model {
            self.stats.feedback(model, given.line.score);
        }
        self.write(&Line::Feedback(given.line));
        Ok(())
    }

    /// The text of `GET /metrics`, of type [`Metrics::CONTENT_TYPE`].
    pub(crate) fn metrics_text(&self) -> String {
        self.metrics.text()
    }

    /// The JSON of `GET /stats`.
    pub(crate) fn stats_json(&self, now: SystemTime) -> String {
        self.stats.json(self.caps.as_deref(), now)
    }

    /// A disk that is full costs the line and not the request.
    fn write(&self, line: &Line) {
        let Some(log) = &self.log else { return };
        if let Err(error) = log.write(line) {
            let n_lost = self.n_lost.fetch_add(1, Ordering::Relaxed);
            if n_lost.is_multiple_of(TELL_EVERY) {
                error!(
                    "the decision log lacks {} lines: {}",
                    n_lost + 1,
                    with_causes(&error)
                );
            }
        }
    }
}
