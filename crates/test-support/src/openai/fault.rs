use std::{io::Write as _, time::Duration};

use flate2::{Compression, write::GzEncoder};

use crate::{Answer, Body};

/// What goes wrong with one request for embeddings.
#[derive(Debug, Clone, PartialEq)]
pub enum EmbeddingFault {
    /// It is refused; see [`EmbeddingFault::refusal`].
    Refusal {
        /// The status.
        status: u16,
        /// The message; `{authorization}` in it is replaced by the header that came.
        message: String,
        /// The code of the error.
        code: Option<String>,
        /// Further headers, such as `retry-after`.
        headers: Vec<(String, String)>,
    },
    /// The connection is closed instead of an answer.
    Hangup,
    /// The connection is closed after this number of bytes of the body.
    Cut(usize),
    /// A wait before each 16 KiB of the body.
    Slow(Duration),
    /// A longer wait before the first byte.
    Late(Duration),
    /// The last embedding is missing.
    OneLess,
    /// The last embedding comes twice, with a new index.
    OneMore,
    /// The last embedding has the index of the first.
    SameIndex,
    /// The last embedding's index is the number of texts.
    IndexTooLarge,
    /// The embeddings come in another order, each with its right index.
    Reversed,
    /// The last embedding's first value is NaN, or null where it is an array.
    NotANumber,
    /// The embeddings of texts with this word in them hold only this value, null where it is NaN in an array.
    Unusable {
        /// The word.
        word: String,
        /// The value.
        value: f32,
    },
    /// The items have no index.
    NoIndex,
    /// `usage` is this JSON.
    Usage(String),
    /// The body is compressed, as the header says; no one asked for it.
    Gzip,
    /// The last embedding has one value less.
    ShortVector,
    /// All embeddings have that many values.
    Dimension(usize),
    /// Status 200 with this body.
    Garbage(String),
}

impl EmbeddingFault {
    /// A refusal with a status and a message.
    pub fn refusal(status: u16, message: &str) -> Self {
        Self::Refusal {
            status,
            message: message.to_owned(),
            code: None,
            headers: Vec::new(),
        }
    }

    /// A refusal with a code, such as `insufficient_quota`. Other faults stay as they are.
    #[must_use]
    pub fn with_code(mut self, new_code: &str) -> Self {
        if let Self::Refusal { code, .. } = &mut self {
            *code = Some(new_code.to_owned());
        }
        self
    }

    /// A refusal with one more header. Other faults stay as they are.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl ToString) -> Self {
        if let Self::Refusal { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_string()));
        }
        self
    }

    /// What it does to an answer that is otherwise done.
    pub(super) fn break_answer(self, mut answer: Answer) -> Answer {
        let Body::Whole(bytes) = answer.body else {
            return answer;
        };
        answer.body = match self {
            Self::Hangup => Body::Hangup,
            Self::Cut(n) => Body::Cut {
                n: n.min(bytes.len().saturating_sub(1)),
                bytes,
            },
            Self::Slow(pause) => Body::Slow { bytes, pause },
            Self::Late(wait) => {
                answer.delay += wait;
                Body::Whole(bytes)
            }
            Self::Garbage(body) => Body::Whole(body.into_bytes()),
            Self::Gzip => {
                let header = ("content-encoding".to_owned(), "gzip".to_owned());
                answer.headers.push(header);
                Body::Whole(gzip(&bytes))
            }
            _ => Body::Whole(bytes),
        };
        answer
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("memory can be written")
}
