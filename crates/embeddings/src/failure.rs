use std::{
    error::Error as _,
    time::{Duration, SystemTime},
};

use reqwest::{
    StatusCode,
    header::{HeaderMap, LOCATION},
};
use secrets::shown_address_and_path;

use crate::{
    Endpoint, Error, answer,
    error::RequestName,
    limits::Retry,
    rate::{self, Rates},
};

/// An attempt that brought no answer.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    pub(crate) message: String,
    pub(crate) rates: Rates,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No other request would do better.
    Refused(u16),
    /// Something about this request's texts, their number, or the form of the request; others may do better.
    Content(u16),
    QuotaUsedUp,
    Limited(Option<Duration>),
    Unavailable(u16, Option<Duration>),
    /// No whole answer.
    Broken {
        /// It took too long, perhaps because it is so much.
        is_late: bool,
    },
    /// TLS: whoever answers cannot show that it is the server.
    Untrusted,
    BadAnswer,
}

impl Failure {
    /// No answer, or only part of one.
    pub(crate) fn broken(error: reqwest::Error) -> Self {
        let is_late = error.is_timeout() && !error.is_connect();
        let mut message = describe(error);
        let is_untrusted = ["certificate", "UnknownIssuer"]
            .iter()
            .any(|word| message.contains(word));
        let kind = if is_untrusted {
            message += ". If your network has a certificate authority of its own, name its PEM file in `SSL_CERT_FILE`";
            Kind::Untrusted
        } else {
            Kind::Broken { is_late }
        };
        Self {
            kind,
            message,
            rates: Rates::default(),
        }
    }

    /// What a status other than success means; `body` is the server's explanation.
    pub(crate) fn refused(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        rates: Rates,
        endpoint: &Endpoint,
    ) -> Self {
        let (mut message, code) = answer::refusal(body);
        let asked = rate::asked_wait(headers, SystemTime::now());
        let kind = match status.as_u16() {
            429 if code.as_deref() == Some("insufficient_quota") => Kind::QuotaUsedUp,
            429 => Kind::Limited(asked),
            // Time-outs and conflicts at the server's, which OpenAI's own client retries too.
            // 424 is how TEI says that its own backend failed.
            status @ (408 | 409 | 424 | 500..) => Kind::Unavailable(status, asked),
            status @ (400 | 413 | 415 | 422) => Kind::Content(status),
            status => Kind::Refused(status),
        };
        let hint = match status.as_u16() {
            404 | 405 => endpoint.not_found(),
            407 => {
                "a proxy wants a user and a password, in `HTTPS_PROXY` or `HTTP_PROXY`".to_owned()
            }
            300..400 => match headers.get(LOCATION) {
                Some(place) => {
                    let place = String::from_utf8_lossy(place.as_bytes());
                    // Often only a path.
                    let url = endpoint.embeddings_url().ok();
                    let whole = url.and_then(|url| url.join(&place).ok());
                    format!(
                        "it has moved to `{}`; set `OPENAI_BASE_URL` to what comes before `/embeddings`",
                        shown_address_and_path(whole.as_ref().map_or(&*place, |url| url.as_str()))
                    )
                }
                None => String::new(),
            },
            _ => String::new(),
        };
        if !hint.is_empty() {
            let said = answer::shorten(&message);
            message = format!("{said} ({hint})");
        }
        Self {
            kind,
            message,
            rates,
        }
    }

    /// Whether the server says that it does not take `encoding_format` or its value.
    pub(crate) fn names_format(&self) -> bool {
        let message = self.message.to_lowercase();
        let is_named = ["encoding_format", "encoding format", "base64"]
            .iter()
            .any(|word| message.contains(word));
        is_named && (matches!(self.kind, Kind::Content(_)) || self.kind.is_internal())
    }

    /// Whether the server speaks of texts or requests that are too long.
    pub(crate) fn names_tokens(&self) -> bool {
        let message = self.message.to_lowercase();
        [
            "token",
            "context length",
            "too long",
            "maximum length",
            "sequence length",
        ]
        .iter()
        .any(|word| message.contains(word))
    }
}

impl Kind {
    /// The wait that the server asks for before another attempt.
    pub(crate) fn asked_wait(self) -> Option<Duration> {
        match self {
            Self::Limited(asked) | Self::Unavailable(_, asked) => asked,
            _ => None,
        }
    }

    /// A fault of the server's that a text may bring about, every time.
    pub(crate) fn is_internal(self) -> bool {
        matches!(self, Self::Unavailable(424 | 500 | 501, _))
    }

    /// The error that ends a request after this number of attempts, if it is to end.
    pub(crate) fn end(
        self,
        message: &str,
        name: &RequestName,
        n_attempts: u32,
        retry: &Retry,
    ) -> Option<Error> {
        let (request, message) = (name.clone(), message.to_owned());
        let limit = retry.max_asked_delay;
        let is_last = n_attempts >= retry.max_attempts;
        match self {
            Self::Refused(status) | Self::Content(status) => Some(Error::Refused {
                request,
                status,
                message,
            }),
            Self::QuotaUsedUp => Some(Error::QuotaUsedUp { request, message }),
            Self::Untrusted => Some(Error::Untrusted {
                request,
                problem: message,
            }),
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
            Self::Broken { .. } if is_last => Some(Error::Broken {
                request,
                n_attempts,
                problem: message,
            }),
            Self::Limited(_) | Self::Unavailable(..) | Self::Broken { .. } => None,
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

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    #[test]
    fn where_a_server_has_moved_is_shown_whole_and_without_secrets() {
        for (place, expected) in [
            ("/v2/embeddings", "`http://h:1/v2/embeddings`"),
            (
                "https://me:secret@i/v1/embeddings?key=secret",
                "`https://i/v1/embeddings`",
            ),
        ] {
            let headers = HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(place))]);
            let status = StatusCode::PERMANENT_REDIRECT;
            let endpoint = Endpoint::at("http://h:1/v1");
            let failure = Failure::refused(status, &headers, b"", Rates::default(), &endpoint);
            assert!(failure.message.contains(expected), "{}", failure.message);
            assert!(!failure.message.contains("secret"));
        }
    }
}
