use std::{
    error::Error as _,
    time::{Duration, SystemTime},
};

use reqwest::{
    StatusCode,
    header::{HeaderMap, LOCATION},
};

use crate::{
    Error, answer,
    error::RequestName,
    limits::Retry,
    rate::{self, Rates},
};

/// An attempt that brought no answer.
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) rates: Rates,
}

pub(crate) enum Kind {
    /// No other attempt would do better.
    Refused(u16),
    QuotaUsedUp,
    Limited(Option<Duration>),
    Unavailable(u16, Option<Duration>),
    /// No whole answer.
    Broken,
    BadAnswer,
}

impl Failure {
    /// No answer, or only part of one.
    pub(crate) fn broken(error: reqwest::Error) -> Self {
        Self {
            kind: Kind::Broken,
            message: describe(error),
            rates: Rates::default(),
        }
    }

    /// What a status other than success means; `body` is the server's explanation.
    pub(crate) fn refused(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        rates: Rates,
    ) -> Self {
        let (mut message, code) = answer::refusal(body);
        let asked = rate::asked_wait(headers, SystemTime::now());
        let kind = match status.as_u16() {
            429 if code.as_deref() == Some("insufficient_quota") => Kind::QuotaUsedUp,
            429 => Kind::Limited(asked),
            // Time-outs and conflicts at the server's, which OpenAI's own client retries too.
            status @ (408 | 409 | 500..) => Kind::Unavailable(status, asked),
            status => Kind::Refused(status),
        };
        if let Some(place) = headers.get(LOCATION).filter(|_| status.is_redirection()) {
            let place = String::from_utf8_lossy(place.as_bytes());
            message = format!(
                "it has moved to `{place}`; set `OPENAI_BASE_URL` to what comes before `/embeddings`"
            );
        }
        Self {
            kind,
            message,
            rates,
        }
    }
}

impl Kind {
    /// The wait that the server asks for before another attempt.
    pub(crate) fn asked_wait(&self) -> Option<Duration> {
        match *self {
            Self::Limited(asked) | Self::Unavailable(_, asked) => asked,
            _ => None,
        }
    }

    /// The error that ends a request after this number of attempts, if it is to end.
    pub(crate) fn end(
        &self,
        message: &str,
        name: &RequestName,
        n_attempts: u32,
        retry: &Retry,
    ) -> Option<Error> {
        let (request, message) = (name.clone(), message.to_owned());
        let limit = retry.max_asked_delay;
        let is_last = n_attempts >= retry.max_attempts;
        match *self {
            Self::Refused(status) => Some(Error::Refused {
                request,
                status,
                message,
            }),
            Self::QuotaUsedUp => Some(Error::QuotaUsedUp { request, message }),
            Self::BadAnswer => Some(Error::BadAnswer {
                request,
                problem: message,
            }),
            Self::Limited(Some(wait)) | Self::Unavailable(_, Some(wait)) if wait > limit => {
                Some(Error::LongWait {
                    request,
                    wait,
                    limit,
                    message,
                })
            }
            Self::Limited(_) if is_last => Some(Error::Unavailable {
                request,
                n_attempts,
                status: StatusCode::TOO_MANY_REQUESTS.as_u16(),
                message,
            }),
            Self::Unavailable(status, _) if is_last => Some(Error::Unavailable {
                request,
                n_attempts,
                status,
                message,
            }),
            Self::Broken if is_last => Some(Error::Broken {
                request,
                n_attempts,
                problem: message,
            }),
            Self::Limited(_) | Self::Unavailable(..) | Self::Broken => None,
        }
    }
}

/// The whole chain of causes, without the address, which a proxy's may hold a password in.
pub(crate) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}
