use std::time::Duration;

use crate::{Answer, Body};

/// What a request to the [`Hub`](super::Hub) is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The files of a repository: `/api/...`.
    Listing,
    /// `HEAD` of a file: its ETag, size and commit.
    Metadata,
    /// `GET` of a large file at the hub, which redirects to the storage host.
    Redirect,
    /// The bytes of a file, from the hub or the storage host.
    Content,
}

/// One line of a fault script: which requests go wrong, and how. By default the next one of its stage, whatever the file.
#[derive(Debug, Clone)]
pub struct Fault {
    stage: Stage,
    path: String,
    n_skipped: usize,
    n_times: usize,
    wrong: Wrong,
}

/// How an answer goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// Another status, with a header or two if need be (`retry-after`).
    Status(u16, Vec<(&'static str, String)>),
    /// The connection is closed without an answer.
    Hangup,
    /// The connection is closed after this many bytes of the body.
    Cut(usize),
    /// A wait before each piece of 16 KiB.
    Slow(Duration),
    /// A wait before the first byte.
    Late(Duration),
    /// A body that ends too soon, and says so in `content-length`.
    Short,
    /// A body of the right length with a wrong first byte.
    Altered,
    /// All of the file, status 200, whatever range was asked for.
    WholeFile,
    /// Another body, with the right status and headers.
    Instead(Vec<u8>),
    /// One header more, or one instead of that of the same name.
    Header(&'static str, String),
}

impl Fault {
    /// The next request of a stage goes wrong.
    pub fn new(stage: Stage, wrong: Wrong) -> Self {
        Self {
            stage,
            path: String::new(),
            n_skipped: 0,
            n_times: 1,
            wrong,
        }
    }

    /// A bare status.
    pub fn status(stage: Stage, status: u16) -> Self {
        Self::new(stage, Wrong::Status(status, Vec::new()))
    }

    /// Only requests whose path contains this.
    #[must_use]
    pub fn of(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Not yet the next `n` requests that fit.
    #[must_use]
    pub fn after(mut self, n: usize) -> Self {
        self.n_skipped = n;
        self
    }

    /// This many requests, not one.
    #[must_use]
    pub fn times(mut self, n: usize) -> Self {
        self.n_times = n;
        self
    }

    /// Every request from now on.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }
}

/// The first fault of the script that fits a request; its count goes down.
pub(super) fn next(script: &mut [Fault], stage: Stage, path: &str) -> Option<Wrong> {
    let fits = |fault: &&mut Fault| {
        fault.n_times > 0 && fault.stage == stage && path.contains(&fault.path)
    };
    for fault in script.iter_mut().filter(fits) {
        if fault.n_skipped > 0 {
            fault.n_skipped -= 1;
        } else {
            fault.n_times -= 1;
            return Some(fault.wrong.clone());
        }
    }
    None
}

/// A correct answer, spoiled.
pub(super) fn spoil(mut answer: Answer, wrong: Wrong) -> Answer {
    let mut bytes = match answer.body {
        Body::Whole(bytes) => bytes,
        other => {
            answer.body = other;
            return answer;
        }
    };
    answer.body = match wrong {
        Wrong::Status(status, headers) => {
            answer.status = status;
            let named = headers.into_iter();
            answer.headers = named
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            Body::Whole(Vec::new())
        }
        Wrong::Hangup => Body::Hangup,
        Wrong::Cut(n) => Body::Cut {
            n: n.min(bytes.len()),
            bytes,
        },
        Wrong::Slow(pause) => Body::Slow { bytes, pause },
        Wrong::Late(delay) => {
            answer.delay = delay;
            Body::Whole(bytes)
        }
        Wrong::Short => {
            bytes.truncate(bytes.len() / 2);
            Body::Whole(bytes)
        }
        Wrong::Altered => {
            if let Some(byte) = bytes.first_mut() {
                *byte ^= 1;
            }
            Body::Whole(bytes)
        }
        Wrong::Instead(other) => Body::Whole(other),
        Wrong::Header(name, value) => {
            answer.headers.retain(|(other, _)| other != name);
            answer.headers.push((name.to_owned(), value));
            Body::Whole(bytes)
        }
        // The answer was made without the range.
        Wrong::WholeFile => Body::Whole(bytes),
    };
    answer
}
