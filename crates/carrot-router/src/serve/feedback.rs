//! `POST /v1/feedback`: a score for the answer to an earlier request, which becomes a line of the log.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
    num::NonZeroUsize,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use decision_log::{FeedbackLine, Line, LogPlace};
use serde::Deserialize;

/// Of a log that is there at the start so much is read, from its end, to know its latest decisions again.
const TAIL_BYTES: u64 = 32 << 20;

/// The decisions that feedback may name: the latest ones. Takes at most some 100 bytes for each.
#[derive(Debug)]
pub(crate) struct FeedbackBook {
    capacity: NonZeroUsize,
    /// Ids are known by a hash of 64 bits: among a million, two collide with a probability of 3e-8.
    hasher: RandomState,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Which LLM answered, where one did.
    decisions: HashMap<u64, Option<Arc<str>>>,
    /// The oldest first.
    order: VecDeque<u64>,
    /// Each name once.
    names: HashMap<String, Arc<str>>,
}

/// What a client sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    decision_id: String,
    score: f64,
}

/// Feedback that is to be written to the log.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Given {
    /// The line.
    pub(crate) line: FeedbackLine,
    /// The LLM whose answer it is about, where one answered.
    pub(crate) model: Option<Arc<str>>,
}

/// Why feedback is refused. For a client: no text of a request is in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FeedbackError {
    /// Not the object that is expected: status 400.
    #[error("expected {{\"decision_id\": \"...\", \"score\": 0.5}}: line {line}, column {column}")]
    Body {
        /// Where in the body.
        line: usize,
        /// Where in the line.
        column: usize,
    },
    /// A score that is none: status 400.
    #[error("`score` is `{0}`, expected a number from 0 to 1")]
    Score(String),
    /// No such decision, or one that is too long ago: status 404.
    #[error(
        "no decision has this id; it is in the header `x-carrot-decision-id`, and only the latest decisions take feedback"
    )]
    Unknown,
}

impl FeedbackError {
    /// The HTTP status.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Body { .. } | Self::Score(_) => 400,
            Self::Unknown => 404,
        }
    }

    /// The `code` of the error in OpenAI's form.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Body { .. } => "invalid_request",
            Self::Score(_) => "invalid_score",
            Self::Unknown => "decision_not_found",
        }
    }

    /// Its `param`.
    pub(crate) fn param(&self) -> Option<&'static str> {
        match self {
            Self::Body { .. } => None,
            Self::Score(_) => Some("score"),
            Self::Unknown => Some("decision_id"),
        }
    }
}

impl FeedbackBook {
    /// Takes feedback for the latest so many decisions, none of which has been made yet.
    pub(crate) fn new(capacity: NonZeroUsize) -> Self {
        Self {
            capacity,
            hasher: RandomState::new(),
            state: Mutex::default(),
        }
    }

    /// The same, knowing the latest decisions of a log from before, so that a restart loses no feedback.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) fn of_log(capacity: NonZeroUsize, place: &LogPlace) -> decision_log::Result<Self> {
        let this = Self::new(capacity);
        place.for_each_of_tail(TAIL_BYTES, |line| {
            if let Line::Decision(line) = line {
                this.remember(&line.id, line.served.as_deref());
            }
        })?;
        Ok(this)
    }

    /// Notes a decision and who answered. To be called once when an answer begins, since the client then knows the id; a second call renews the LLM.
    pub(crate) fn remember(&self, decision_id: &str, served: Option<&str>) {
        let key = self.key(decision_id);
        let mut state = self.state.lock().expect("nobody panics with the book open");
        let served = served.map(|name| match state.names.get(name) {
            Some(name) => Arc::clone(name),
            None => {
                let shared: Arc<str> = name.into();
                state.names.insert(name.to_owned(), Arc::clone(&shared));
                shared
            }
        });
        if state.decisions.insert(key, served).is_none() {
            state.order.push_back(key);
        }
        if state.order.len() > self.capacity.get()
            && let Some(oldest) = state.order.pop_front()
        {
            state.decisions.remove(&oldest);
        }
    }

    /// Checks what a client sent.
    ///
    /// # Errors
    /// [`FeedbackError`].
    pub(crate) fn check(&self, body: &[u8], now: SystemTime) -> Result<Given, FeedbackError> {
        let Body { decision_id, score } =
            serde_json::from_slice(body).map_err(|error| FeedbackError::Body {
                line: error.line(),
                column: error.column(),
            })?;
        if !(0.0..=1.0).contains(&score) {
            return Err(FeedbackError::Score(score.to_string()));
        }
        let key = self.key(&decision_id);
        let state = self.state.lock().expect("nobody panics with the book open");
        let model = state.decisions.get(&key).ok_or(FeedbackError::Unknown)?;
        Ok(Given {
            model: model.clone(),
            line: FeedbackLine::new(now, decision_id, score),
        })
    }

    fn key(&self, decision_id: &str) -> u64 {
        self.hasher.hash_one(decision_id)
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use decision_log::{DecisionLine, LogWriter, Rotation};

    use super::*;

    fn capacity(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).expect("above 0")
    }

    #[test]
    fn feedback_names_a_decision_and_a_score() {
        let book = FeedbackBook::new(capacity(10));
        book.remember("dec_1", Some("a/b"));
        book.remember("dec_2", None);
        let check = |body: &str| book.check(body.as_bytes(), UNIX_EPOCH);
        let given = check(r#"{"decision_id": "dec_1", "score": 1}"#).expect("known");
        assert_eq!(given.model.as_deref(), Some("a/b"));
        let expected = FeedbackLine::new(UNIX_EPOCH, "dec_1".to_owned(), 1.0);
        assert_eq!(given.line, expected);
        let given = check(r#"{"score": 0.25, "decision_id": "dec_2"}"#).expect("known");
        assert_eq!((given.model, given.line.score), (None, 0.25));

        for (body, status, code) in [
            ("", 400, "invalid_request"),
            ("[]", 400, "invalid_request"),
            (r#"{"decision_id": "dec_1"}"#, 400, "invalid_request"),
            (
                r#"{"decision_id": "dec_1", "score": "1"}"#,
                400,
                "invalid_request",
            ),
            (
                r#"{"decision_id": "dec_1", "score": 1, "x": 1}"#,
                400,
                "invalid_request",
            ),
            (
                r#"{"decision_id": "dec_1", "score": 1e999}"#,
                400,
                "invalid_request",
            ),
            (
                r#"{"decision_id": "dec_1", "score": 1.5}"#,
                400,
                "invalid_score",
            ),
            (
                r#"{"decision_id": "dec_1", "score": -1}"#,
                400,
                "invalid_score",
            ),
            (
                r#"{"decision_id": "dec_3", "score": 1}"#,
                404,
                "decision_not_found",
            ),
        ] {
            let error = check(body).expect_err(body);
            assert_eq!((error.status(), error.code()), (status, code), "{body}");
        }
    }

    #[test]
    fn only_the_latest_decisions_take_feedback() {
        let book = FeedbackBook::new(capacity(100));
        for i in 0..1000 {
            book.remember(&format!("dec_{i}"), Some("a"));
            book.remember(&format!("dec_{i}"), Some("b"));
        }
        let check = |i: usize| {
            let body = format!(r#"{{"decision_id": "dec_{i}", "score": 0}}"#);
            book.check(body.as_bytes(), UNIX_EPOCH)
        };
        assert_eq!(check(899), Err(FeedbackError::Unknown));
        assert_eq!(check(900).expect("known").model.as_deref(), Some("b"));
        let state = book.state.lock().expect("not poisoned");
        assert_eq!((state.decisions.len(), state.order.len()), (100, 100));
    }

    #[test]
    fn a_restart_knows_the_decisions_of_the_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = LogPlace::new(&folder.path().join("decisions.jsonl")).expect("a place");
        {
            let (log, _) = LogWriter::open(&place, Rotation::NEVER).expect("opened");
            let mut line = DecisionLine::begin("dec_1".to_owned(), UNIX_EPOCH, "/x", "carrot");
            line.served = Some("a".to_owned());
            log.write(&Line::Decision(line.into())).expect("written");
        }
        let book = FeedbackBook::of_log(capacity(10), &place).expect("read");
        let body = br#"{"decision_id": "dec_1", "score": 0.5}"#;
        let given = book.check(body, UNIX_EPOCH).expect("known");
        assert_eq!(given.model.as_deref(), Some("a"));
    }
}
