//! The decision log of `carrot-router serve`: a line of JSON for each request, and one for each score that someone gave an answer later.
//!
//! Holds what a line says ([`DecisionLine`], [`FeedbackLine`]), the writer ([`LogWriter`]) and the reader ([`LogFiles`]). In come lines, out come
//! files `<log>.jsonl` with older ones `<log>.000001.jsonl` beside it, and lines again with the feedback joined to the decisions. A line is
//! written by one call, so that whoever reads meanwhile, or after the server was killed, finds whole lines and at most one half line at the
//! end, which readers pass over and the next writer removes.
//! Must not know how a decision is made, what a request looks like, or what the numbers are used for.
//!
//! No key ever gets into a line, and a prompt's text only if it was put there: [`DecisionLine::prompt`] is the only place for it.

mod error;
mod files;
mod line;
mod moment;
mod writer;

pub use crate::{
    error::{Error, Result, with_causes},
    files::{LogFiles, LogPlace, is_log_line},
    line::{
        AmountSource, DecisionLine, FallBack, FeedbackLine, LOG_FORMAT_VERSION, Line, ModelLine,
        Outcome, Usage, known, new_decision_id, prompt_sha256,
    },
    moment::{day, rfc3339},
    writer::{LogWriter, Repaired, Rotation},
};
