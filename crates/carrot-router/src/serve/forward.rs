//! One attempt to have a request answered by an LLM, up to the point from which there is no way back: the whole answer, or the first event of
//! a stream.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use reqwest::{Body, Client, Request, Url};
use tokio::time::timeout;

use super::{
    brain::chain,
    config::ForwardConfig,
    error::ApiError,
    json::Object,
    request::Format,
    sse::{Event, Splitter},
};

const MIB: usize = 1 << 20;
/// Of a stream that begins with an error so much is read, and for so long, to be passed on.
const ERROR_BYTES: usize = MIB;
const ERROR_TIME: Duration = Duration::from_secs(5);

/// An upstream's answer, of which the client has seen nothing yet.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: AnswerBody,
}

#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// All of it.
    Whole(Bytes),
    /// What has come of a stream, up to its first event with data, and the rest.
    Stream {
        head: Vec<Event>,
        splitter: Splitter,
        rest: Body,
    },
}

/// An attempt that another LLM may make good.
#[derive(Debug)]
pub(crate) struct Failure {
    /// In a word, for the log and for metrics.
    pub(crate) reason: String,
    /// What the upstream said, to be passed on if no other LLM answers.
    pub(crate) own: Option<Answer>,
    /// What is said otherwise.
    pub(crate) error: ApiError,
    /// How long the upstream asks to be left alone.
    pub(crate) wait: Option<Duration>,
}

/// What is sent, and where.
pub(crate) struct Asking {
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) format: Format,
    pub(crate) is_stream: bool,
}

impl Failure {
    fn new(reason: impl Into<String>, error: ApiError) -> Self {
        Self {
            reason: reason.into(),
            own: None,
            error,
            wait: None,
        }
    }
}

impl Asking {
    /// Asks. An answer that is an error which no other attempt would cure is an answer.
    pub(crate) async fn ask(
        self,
        client: &Client,
        config: &ForwardConfig,
    ) -> Result<Answer, Failure> {
        let limit = match self.is_stream {
            true => config.first_event_seconds,
            false => config.answer_seconds,
        };
        let asked = timeout(limit, self.ask_in_time(client, config)).await;
        asked.unwrap_or_else(|_| {
            let message = format!("no answer within {} s", limit.as_secs_f64());
            Err(Failure::new("timeout", ApiError::timeout(message)))
        })
    }

    async fn ask_in_time(self, client: &Client, config: &ForwardConfig) -> Result<Answer, Failure> {
        let mut request = Request::new(Method::POST, self.url);
        *request.headers_mut() = self.headers;
        *request.body_mut() = Some(self.body.into());
        let sent = client.execute(request).await;
        let response = sent.map_err(unreached)?;
        let (parts, body) = Response::<Body>::from(response).into_parts();
        let (status, headers) = (parts.status, parts.headers);
        if status.is_success() && is_event_stream(&headers) && is_plain(&headers) {
            return peek(status, headers, body, self.format, config).await;
        }
        let max = config.max_answer_mib * MIB;
        let body = collect(body, max).await.map_err(|error| match error {
            Unread::TooLarge => Failure::new(
                "too_large",
                ApiError::upstream(format!("the answer is larger than {max} bytes")),
            ),
            Unread::Broken => Failure::new(
                "cut",
                ApiError::upstream("the connection to the LLM broke before its answer was whole"),
            ),
        })?;
        let wait = asked_wait(&headers);
        // Some servers put an error into an answer that looks well.
        let is_hidden = status.is_success() && is_plain(&headers) && is_error(&body);
        let is_retryable = is_hidden || may_retry(status, &headers);
        let answer = Answer {
            status,
            headers,
            body: AnswerBody::Whole(body),
        };
        if !is_retryable {
            return Ok(answer);
        }
        let reason = match is_hidden {
            true => "error_in_200".to_owned(),
            false => status.as_u16().to_string(),
        };
        Err(Failure {
            own: Some(answer),
            wait,
            ..Failure::new(reason, ApiError::upstream("the LLM's server failed"))
        })
    }
}

/// Reads a stream up to its first event with data: an error there can still be made good by another LLM.
async fn peek(
    status: StatusCode,
    headers: HeaderMap,
    mut body: Body,
    format: Format,
    config: &ForwardConfig,
) -> Result<Answer, Failure> {
    let max = config.max_answer_mib * MIB;
    let (mut splitter, mut head) = (Splitter::default(), Vec::new());
    loop {
        while let Some(event) = splitter.next() {
            let has_data = event.data().is_some();
            let is_error = has_data && event.said(format).is_error;
            head.push(event);
            if is_error {
                let wait = asked_wait(&headers);
                let bytes = rest_of_error(head, splitter, body).await;
                let own = Answer {
                    status,
                    headers,
                    body: AnswerBody::Whole(bytes),
                };
                let error = ApiError::upstream("the LLM's stream began with an error");
                return Err(Failure {
                    own: Some(own),
                    wait,
                    ..Failure::new("first_event", error)
                });
            }
            if has_data {
                let body = AnswerBody::Stream {
                    head,
                    splitter,
                    rest: body,
                };
                return Ok(Answer {
                    status,
                    headers,
                    body,
                });
            }
        }
        if splitter.n_waiting() > max {
            let message = format!("an event of the stream is larger than {max} bytes");
            return Err(Failure::new("too_large", ApiError::upstream(message)));
        }
        match body.frame().await {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    splitter.push(&data);
                }
            }
            Some(Err(_)) | None => {
                let error = ApiError::upstream("the LLM's stream ended before its first event");
                return Err(Failure::new("cut", error));
            }
        }
    }
}

/// All bytes of a stream that begins with an error.
async fn rest_of_error(head: Vec<Event>, splitter: Splitter, body: Body) -> Bytes {
    let mut bytes: Vec<u8> = head.iter().flat_map(|event| event.bytes.to_vec()).collect();
    bytes.extend(splitter.into_rest());
    if let Ok(Ok(rest)) = timeout(ERROR_TIME, collect(body, ERROR_BYTES)).await {
        bytes.extend_from_slice(&rest);
    }
    bytes.into()
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unread {
    TooLarge,
    Broken,
}

async fn collect(body: Body, max: usize) -> Result<Bytes, Unread> {
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(Unread::TooLarge),
        Err(_) => Err(Unread::Broken),
    }
}

/// No answer at all. What the client sees names no address, and the log no key.
fn unreached(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    let (reason, message) = match error.is_connect() {
        true => ("connect", "the LLM's server cannot be reached"),
        false => ("cut", "the connection to the LLM broke before its answer"),
    };
    tracing::debug!("{message}: {}", chain(&error));
    Failure::new(reason, ApiError::upstream(message))
}

pub(crate) fn is_event_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.trim_start()
        .to_ascii_lowercase()
        .starts_with("text/event-stream")
}

/// Whether the bytes are what they seem.
pub(crate) fn is_plain(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_ENCODING)
        .is_none_or(|encoding| encoding == "identity")
}

fn is_error(body: &[u8]) -> bool {
    Object::parse(body).is_ok_and(|object| object.has("error"))
}

/// What OpenAI's own clients ask again after, unless the server says what it thinks of that.
fn may_retry(status: StatusCode, headers: &HeaderMap) -> bool {
    if !status.is_client_error() && !status.is_server_error() {
        return false;
    }
    match headers.get("x-should-retry").map(|value| value.as_bytes()) {
        Some(b"true") => true,
        Some(b"false") => false,
        _ => matches!(status.as_u16(), 408 | 409 | 429 | 500..),
    }
}

/// How long a server asks to wait, as OpenAI's clients read it.
fn asked_wait(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    if let Some(ms) = number("retry-after-ms") {
        return Duration::try_from_secs_f64(ms / 1e3).ok();
    }
    if let Some(seconds) = number("retry-after") {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(text("retry-after")?).ok()?;
    date.duration_since(SystemTime::now()).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let all = all.iter();
        all.map(|&(name, value)| {
            let name = axum::http::HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        })
        .collect()
    }

    #[test]
    fn servers_say_whether_and_when_to_ask_again() {
        for (status, said, expected) in [
            (200, &[][..], false),
            (200, &[("x-should-retry", "true")], false),
            (400, &[], false),
            (404, &[], false),
            (400, &[("x-should-retry", "true")], true),
            (408, &[], true),
            (409, &[], true),
            (429, &[], true),
            (429, &[("x-should-retry", "false")], false),
            (500, &[], true),
            (529, &[], true),
            (503, &[("x-should-retry", "false")], false),
        ] {
            let code = StatusCode::from_u16(status).expect("a status");
            assert_eq!(
                may_retry(code, &headers(said)),
                expected,
                "{status} {said:?}"
            );
        }
        let wait = |said: &[(&'static str, &'static str)]| asked_wait(&headers(said));
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("retry-after", "2")]), Some(Duration::from_secs(2)));
        let both = [("retry-after", "2"), ("retry-after-ms", "150")];
        assert_eq!(wait(&both), Some(Duration::from_millis(150)));
        assert_eq!(wait(&[("retry-after", "-1")]), None);
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        let past = [("retry-after", "Tue, 01 Dec 2020 00:00:00 GMT")];
        assert_eq!(wait(&past), None);
        let later = SystemTime::now() + Duration::from_secs(7_200);
        let mut as_date = HeaderMap::new();
        let later = HeaderValue::try_from(httpdate::fmt_http_date(later));
        as_date.insert("retry-after", later.expect("a date"));
        let found = asked_wait(&as_date).expect("a wait").as_secs();
        assert!((7_100..=7_200).contains(&found), "{found}");
    }

    #[test]
    fn streams_and_hidden_errors_are_recognized() {
        assert!(is_event_stream(&headers(&[(
            "content-type",
            "text/event-stream; charset=utf-8"
        )])));
        assert!(!is_event_stream(&headers(&[(
            "content-type",
            "application/json"
        )])));
        assert!(is_error(br#"{"error":{"message":"x"}}"#));
        assert!(!is_error(br#"{"error":null,"id":1}"#));
        assert!(!is_error(b"error"));
    }
}
