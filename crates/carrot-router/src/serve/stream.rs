//! The rest of a stream, once its first event is on the way to the client. From here on nothing can be made good by another LLM; what is left
//! is never to end silently.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::body;
use bytes::Bytes;
use futures_util::stream::unfold;
use http_body_util::BodyExt as _;
use reqwest::Body;
use tokio::time::timeout;

use super::{
    error::error_event,
    json::{Edit, Object, edited, quoted},
    record::Outcome,
    request::Format,
    sse::{Event, Splitter},
    ticket::Ticket,
};

/// For the end of a stream whose last event has come, so that its connection can be used again.
const AFTER_DONE: Duration = Duration::from_millis(500);

/// What is changed in a stream.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    /// What `model` says then.
    pub(crate) model: Option<String>,
    /// The decision as JSON, for the last event before `[DONE]`.
    pub(crate) metadata: Option<String>,
}

/// A stream on its way.
pub(crate) struct EventStream {
    format: Format,
    splitter: Splitter,
    /// `None` once it has ended or was dropped.
    rest: Option<Body>,
    stall: Duration,
    max_event: usize,
    changes: Changes,
    ready: VecDeque<Bytes>,
    /// The latest event with data, where the decision may have to go into it.
    held: Option<Event>,
    is_done: bool,
    is_finished: bool,
    ticket: Ticket,
}

impl EventStream {
    pub(crate) fn new(
        format: Format,
        head: Vec<Event>,
        splitter: Splitter,
        rest: Body,
        changes: Changes,
        ticket: Ticket,
    ) -> Self {
        let forward = &ticket.generation.config.forward;
        let mut stream = Self {
            format,
            splitter,
            rest: Some(rest),
            stall: forward.stall_seconds,
            max_event: forward.max_answer_mib << 20,
            changes,
            ready: VecDeque::new(),
            held: None,
            is_done: false,
            is_finished: false,
            ticket,
        };
        head.into_iter().for_each(|event| stream.take(event));
        stream
    }

    /// As the body of an answer. When the client goes away the server drops it, and with it the connection to the upstream.
    pub(crate) fn into_body(self) -> body::Body {
        let events = unfold(self, |mut stream| async move {
            let bytes = stream.next().await?;
            Some((Ok::<_, Infallible>(bytes), stream))
        });
        body::Body::from_stream(events)
    }

    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            while let Some(event) = self.splitter.next() {
                self.take(event);
            }
            if !self.ready.is_empty() {
                continue;
            }
            let wait = if self.is_done { AFTER_DONE } else { self.stall };
            let max_event = self.max_event;
            let rest = self.rest.as_mut()?;
            match timeout(wait, rest.frame()).await {
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data() {
                        self.splitter.push(&data);
                    }
                    if self.splitter.n_waiting() > max_event {
                        self.cut(
                            "upstream_error",
                            "an event of the LLM's stream is too large",
                        );
                    }
                }
                Ok(Some(Err(_))) => {
                    self.cut(
                        "upstream_error",
                        "the connection to the LLM broke within its answer",
                    );
                }
                Ok(None) => self.close(),
                Err(_) => {
                    let message = format!("nothing came from the LLM for {} s", wait.as_secs_f64());
                    self.cut("upstream_timeout", &message);
                }
            }
        }
    }

    /// Puts an event into the queue, or what becomes of it.
    fn take(&mut self, event: Event) {
        if self.is_done || self.rest.is_none() {
            return;
        }
        let said = event.said(self.format);
        self.ticket.add_usage(said.usage);
        self.ticket.n_answer_bytes += said.n_bytes;
        self.is_finished |= said.is_finished;
        let Some(data) = event.data() else {
            // Comments keep connections alive, and so do not wait.
            self.ready.push_back(event.bytes);
            return;
        };
        if said.is_error {
            // The upstream says itself what went wrong. Nothing may follow that looks like a good end.
            self.flush();
            self.ready.push_back(event.bytes);
            self.ticket.end(Outcome::Cut);
            self.ticket.line.cause = Some("upstream_error".to_owned());
            self.rest = None;
            return;
        }
        if said.is_done && self.format == Format::Chat {
            self.add_metadata();
            self.flush();
            self.ready.push_back(event.bytes);
            self.done();
            return;
        }
        let event = match &self.changes.model {
            Some(model) => with_model(event, &data, model),
            None => event,
        };
        self.flush();
        match self.changes.metadata {
            Some(_) => self.held = Some(event),
            None => self.ready.push_back(event.bytes),
        }
        if said.is_done {
            self.add_metadata();
            self.flush();
            self.done();
        }
    }

    fn done(&mut self) {
        self.is_done = true;
        self.ticket.end(Outcome::Ok);
    }

    fn flush(&mut self) {
        self.ready.extend(self.held.take().map(|event| event.bytes));
    }

    fn add_metadata(&mut self) {
        let (Some(event), Some(metadata)) = (&self.held, self.changes.metadata.take()) else {
            return;
        };
        let data = event.data().unwrap_or_default();
        if let Ok(object) = Object::of(&data) {
            let edit = object.addition("carrot_metadata", &metadata);
            let data = edited(data.as_bytes(), vec![edit]);
            self.held = Some(event.with_data(&String::from_utf8_lossy(&data)));
        }
    }

    /// The upstream has ended the stream.
    fn close(&mut self) {
        if self.is_done {
            self.rest = None;
        } else if self.is_finished && self.splitter.n_waiting() == 0 {
            self.add_metadata();
            self.flush();
            self.ticket.end(Outcome::Ok);
            self.rest = None;
        } else {
            self.cut(
                "upstream_error",
                "the LLM's stream ended before its answer was whole",
            );
        }
    }

    /// Something went wrong after the first byte.
    fn cut(&mut self, code: &str, message: &str) {
        // Dropping it closes the connection.
        self.rest = None;
        if self.is_done {
            return;
        }
        self.flush();
        self.ready
            .push_back(error_event(self.format, code, message).into());
        let outcome = match code {
            "upstream_timeout" => Outcome::TimedOut,
            _ => Outcome::Cut,
        };
        self.ticket.end(outcome);
        self.ticket.line.cause = Some(code.to_owned());
    }
}

/// Another `model` in an event's data, where the format has it.
fn with_model(event: Event, data: &str, model: &str) -> Event {
    match renamed(data.as_bytes(), model) {
        Some(data) => event.with_data(&String::from_utf8_lossy(&data)),
        None => event,
    }
}

/// Another `model` in an answer or a part of one; `None` where it has none.
pub(crate) fn renamed(text: &[u8], model: &str) -> Option<Vec<u8>> {
    let object = Object::parse(text).ok()?;
    let mut at = object.span("model");
    for key in ["response", "message"] {
        if at.is_none()
            && let (Some(outer), Some(inner)) = (object.span(key), object.object(key))
        {
            let within = inner.span("model");
            at = within.map(|within| outer.start + within.start..outer.start + within.end);
        }
    }
    let with = quoted(model);
    Some(edited(text, vec![Edit { at: at?, with }]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_renamed_where_each_format_has_it() {
        for (text, expected) in [
            (r#"{"id":1,"model":"a"}"#, Some(r#"{"id":1,"model":"b"}"#)),
            (
                r#"{"type":"message_start","message":{"model":"a","x":1}}"#,
                Some(r#"{"type":"message_start","message":{"model":"b","x":1}}"#),
            ),
            (
                r#"{"response":{"model":"a"}}"#,
                Some(r#"{"response":{"model":"b"}}"#),
            ),
            (r#"{"choices":[{"model":"a"}]}"#, None),
            ("a", None),
        ] {
            let found = renamed(text.as_bytes(), "b");
            assert_eq!(found.as_deref(), expected.map(str::as_bytes), "{text}");
        }
    }
}
