//! Streams of events: where one ends, and what it says.

use bytes::{Bytes, BytesMut};

use super::{json::Object, request::Format, usage::Usage};

/// The data of the event that ends a stream of chat completions.
const DONE: &str = "[DONE]";

/// Cuts a stream of bytes into events, each with the empty line that ends it.
///
/// Lines end as the HTML standard says, but for a carriage return alone, which no server of LLMs sends.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    buffer: BytesMut,
    /// What has been looked through.
    seen: usize,
    /// Where the line that `seen` is in begins.
    line: usize,
}

/// An event as it came, or comments that keep a connection alive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// To the byte.
    pub(crate) bytes: Bytes,
}

/// What an event is.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Said {
    /// Whether it is the last one.
    pub(crate) is_done: bool,
    /// Whether it says that something went wrong.
    pub(crate) is_error: bool,
    /// Whether the answer, or its part in this stream, is complete with it, though `[DONE]` may follow.
    pub(crate) is_finished: bool,
    pub(crate) usage: Option<Usage>,
    /// Bytes of answer in it.
    pub(crate) n_bytes: usize,
}

impl Splitter {
    /// Adds bytes as they come.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next event that is complete.
    pub(crate) fn next(&mut self) -> Option<Event> {
        while let Some(n) = self.buffer[self.seen..]
            .iter()
            .position(|byte| *byte == b'\n')
        {
            let end = self.seen + n;
            let line = &self.buffer[self.line..end];
            let is_empty = matches!(line, b"" | b"\r");
            self.seen = end + 1;
            self.line = end + 1;
            if is_empty {
                let bytes = self.buffer.split_to(end + 1).freeze();
                (self.seen, self.line) = (0, 0);
                return Some(Event { bytes });
            }
        }
        self.seen = self.buffer.len();
        None
    }

    /// What has come, and is no event yet.
    pub(crate) fn into_rest(self) -> BytesMut {
        self.buffer
    }

    /// Bytes of an event that is not complete.
    pub(crate) fn n_waiting(&self) -> usize {
        self.buffer.len()
    }
}

impl Event {
    /// Its data: that of all `data:` lines, joined by line breaks. `None` for comments alone.
    pub(crate) fn data(&self) -> Option<String> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        let mut lines = text.lines().filter_map(|line| field(line, "data"));
        let first = lines.next()?.to_owned();
        Some(lines.fold(first, |data, line| data + "\n" + line))
    }

    /// Its name.
    fn name(&self) -> Option<&str> {
        let text = std::str::from_utf8(&self.bytes).ok()?;
        text.lines()
            .filter_map(|line| field(line, "event"))
            .next_back()
    }

    /// The event with other data, which has no line break in it, in place of its own.
    pub(crate) fn with_data(&self, data: &str) -> Self {
        let text = String::from_utf8_lossy(&self.bytes);
        let mut new = String::with_capacity(text.len() + data.len());
        let mut is_written = false;
        for line in text.split_inclusive('\n') {
            let bare = line.trim_end_matches(['\n', '\r']);
            if field(bare, "data").is_none() {
                new += line;
            } else if !is_written {
                is_written = true;
                new = new + "data: " + data + &line[bare.len()..];
            }
        }
        Self { bytes: new.into() }
    }

    /// What it says, in a format's terms; nothing for comments.
    pub(crate) fn said(&self, format: Format) -> Said {
        let Some(data) = self.data() else {
            return Said::default();
        };
        if data.trim() == DONE {
            return Said {
                is_done: true,
                is_finished: true,
                ..Said::default()
            };
        }
        let is_named_error = self.name() == Some("error");
        let Ok(object) = Object::of(&data) else {
            return Said {
                is_error: is_named_error,
                ..Said::default()
            };
        };
        let kind = object.string("type").unwrap_or_default();
        let mut said = Said {
            is_error: is_named_error || object.has("error") || kind == "error",
            ..Said::default()
        };
        match format {
            Format::Chat => {
                said.usage = object.raw("usage").and_then(Usage::of);
                said.is_finished = is_finished(&data);
                said.n_bytes = object.raw("choices").map_or(0, answer_bytes);
            }
            Format::Responses => {
                let response = object.object("response");
                let usage = response.as_ref().and_then(|it| it.raw("usage"));
                said.usage = usage.and_then(Usage::of);
                said.is_error |= kind == "response.failed";
                said.is_done = matches!(&*kind, "response.completed" | "response.incomplete");
                said.is_finished = said.is_done;
                said.n_bytes = object.string("delta").map_or(0, |delta| delta.len());
            }
            Format::Messages => {
                let message = object.object("message");
                let usage = message.as_ref().and_then(|it| it.raw("usage"));
                said.usage = usage.or_else(|| object.raw("usage")).and_then(Usage::of);
                said.is_done = kind == "message_stop";
                said.is_finished = said.is_done;
                let delta = object.object("delta");
                said.n_bytes = delta.map_or(0, |delta| {
                    let texts = ["text", "partial_json", "thinking"];
                    texts
                        .iter()
                        .filter_map(|key| delta.string(key))
                        .map(|it| it.len())
                        .sum()
                });
            }
        }
        said
    }
}

/// The value of a line with this field's name.
fn field<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let value = line.strip_prefix(name)?.strip_prefix(':')?;
    Some(value.strip_prefix(' ').unwrap_or(value))
}

/// Whether a chunk has a `finish_reason` other than null. Within a text of the answer the quotes would be escaped.
fn is_finished(data: &str) -> bool {
    let mut rest = data;
    while let Some((_, after)) = rest.split_once("\"finish_reason\"") {
        let value = after.trim_start().strip_prefix(':').map(str::trim_start);
        if value.is_some_and(|value| !value.starts_with("null")) {
            return true;
        }
        rest = after;
    }
    false
}

/// Bytes of text and of calls of tools in the choices of a chunk.
fn answer_bytes(choices: &str) -> usize {
    let of_choice = |choice: &&str| {
        let delta = Object::of(choice).ok()?.object("delta")?;
        let texts = ["content", "reasoning_content", "reasoning", "refusal"];
        let texts = texts
            .iter()
            .filter_map(|key| delta.string(key))
            .map(|it| it.len());
        let calls = delta.raw("tool_calls").map_or(0, str::len);
        Some(texts.sum::<usize>() + calls)
    };
    super::json::elements(choices)
        .iter()
        .filter_map(of_choice)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = ": hello\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\\n\"},\"finish_reason\":null}]}\r\n\r\nevent: x\ndata:1\ndata: 2\n\ndata: [DONE]\n\n";

    fn usage(input: u64, output: u64, cached: Option<u64>) -> Usage {
        Usage {
            input: Some(input),
            output: Some(output),
            cached,
        }
    }

    fn events(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<Event> {
        let mut splitter = Splitter::default();
        let mut events = Vec::new();
        for piece in pieces {
            splitter.push(&piece);
            while let Some(event) = splitter.next() {
                events.push(event);
            }
        }
        assert_eq!(splitter.n_waiting(), 0);
        events
    }

    #[test]
    fn events_are_the_same_however_the_bytes_arrive() {
        let whole = events([STREAM.as_bytes().to_vec()].into_iter());
        assert_eq!(whole.len(), 4);
        for len in 1..20 {
            let pieces = STREAM.as_bytes().chunks(len).map(<[u8]>::to_vec);
            assert_eq!(events(pieces), whole, "pieces of {len}");
        }
        let all: Vec<u8> = whole
            .iter()
            .flat_map(|event| event.bytes.to_vec())
            .collect();
        assert_eq!(all, STREAM.as_bytes());
        assert_eq!(whole[0].data(), None);
        assert_eq!(whole[2].data().as_deref(), Some("1\n2"));
        assert_eq!(whole[2].name(), Some("x"));
        assert!(whole[3].said(Format::Chat).is_done);
        let said = whole[1].said(Format::Chat);
        assert_eq!(
            (said.n_bytes, said.is_finished, said.is_error),
            (2, false, false)
        );
        let half = &mut Splitter::default();
        half.push(b"data: x\n");
        assert!(half.next().is_none());
        assert_eq!(half.n_waiting(), 8);
    }

    #[test]
    fn data_is_replaced_in_place() {
        let event = Event {
            bytes: Bytes::from_static(b"id: 1\r\ndata: a\r\ndata: b\r\n\r\n"),
        };
        let new = event.with_data("{}");
        assert_eq!(new.bytes, "id: 1\r\ndata: {}\r\n\r\n");
    }

    #[test]
    fn errors_ends_and_usage_are_told_apart_in_every_format() {
        let said = |format, text: &str| {
            let bytes = Bytes::copy_from_slice(text.as_bytes());
            Event { bytes }.said(format)
        };
        use Format::{Chat, Messages, Responses};
        assert!(said(Chat, "data: {\"error\":{\"message\":\"x\"}}\n\n").is_error);
        assert!(!said(Chat, "data: {\"error\":null}\n\n").is_error);
        assert!(
            !said(
                Chat,
                "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"finish_reason\\\":1\"}}]}\n\n"
            )
            .is_finished
        );
        assert!(
            said(
                Chat,
                "data: {\"choices\":[{\"finish_reason\" : \"stop\"}]}\n\n"
            )
            .is_finished
        );
        let found = said(
            Chat,
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n",
        )
        .usage;
        assert_eq!(found, Some(usage(3, 4, None)));
        assert!(
            said(
                Messages,
                "event: error\ndata: {\"type\":\"error\",\"error\":{}}\n\n"
            )
            .is_error
        );
        assert!(
            said(
                Messages,
                "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
            )
            .is_done
        );
        let start = "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5,\"output_tokens\":1,\"cache_read_input_tokens\":2}}}\n\n";
        assert_eq!(said(Messages, start).usage, Some(usage(7, 1, Some(2))));
        assert!(
            said(
                Responses,
                "data: {\"type\":\"response.failed\",\"response\":{}}\n\n"
            )
            .is_error
        );
        let end = "data: {\"type\":\"response.completed\",\"response\":{\"usage\":{\"input_tokens\":5,\"output_tokens\":6}}}\n\n";
        let said = said(Responses, end);
        assert!(said.is_done && said.usage == Some(usage(5, 6, None)));
    }
}
