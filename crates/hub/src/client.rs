use std::{thread, time::Duration};

use tracing::warn;
use ureq::{
    Agent, Body,
    http::{HeaderMap, Response, Uri},
};

use crate::{error::HubError, hub::Hub, repo::HubRepo};

/// Requests of one kind that may fail in a row.
const MAX_ATTEMPTS: u32 = 6;
const MAX_WAIT: Duration = Duration::from_secs(30);
/// The hub counts requests over windows of five minutes, and so asks for no longer wait.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);
const MAX_REDIRECTS: usize = 8;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Characters of a server's message that are passed on.
const MAX_MESSAGE: usize = 200;

/// Speaks HTTP with the hub: redirects by hand, so that the token goes to the hub and to no other host, and refusals by their reasons.
pub(crate) struct Client<'a> {
    hub: &'a Hub,
    agent: Agent,
}

/// What is to be asked.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask {
    Get,
    /// Bytes from here on.
    GetFrom(u64),
    /// Only the headers, of the hub itself: a redirect to another host is not followed.
    Head,
}

/// How often a request may still fail before it is given up.
pub(crate) struct Patience {
    n_failed: u32,
    max_attempts: u32,
    first_wait: Duration,
}

impl<'a> Client<'a> {
    pub(crate) fn new(hub: &'a Hub) -> Self {
        let config = Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            // Ranges count the bytes of what is sent, which must therefore be the file as it is.
            .accept_encoding("identity")
            .user_agent(concat!("carrot/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(hub.read_timeout))
            .timeout_per_read(Some(hub.read_timeout));
        Self {
            hub,
            agent: config.build().into(),
        }
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience {
            n_failed: 0,
            max_attempts: MAX_ATTEMPTS,
            first_wait: self.hub.first_wait,
        }
    }

    /// One answer with a status of success (or, for `Head`, the redirect to another host; for `GetFrom`, a 416), after redirects.
    pub(crate) fn ask(
        &self,
        repo: &HubRepo,
        url: &str,
        ask: Ask,
    ) -> Result<Response<Body>, HubError> {
        let mut url = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.ask_once(repo, &url, ask)?;
            let status = response.status().as_u16();
            if response.status().is_redirection() {
                let location = response.headers().get("location");
                let location = location.and_then(|location| location.to_str().ok());
                let next = location.and_then(|location| resolve(&url, location));
                let next = next.ok_or_else(|| malformed(repo, "a redirect to nowhere"))?;
                let leaves = origin(&next) != origin(&url);
                if matches!(ask, Ask::Head)
                    && (leaves || response.headers().contains_key("x-linked-etag"))
                {
                    return Ok(response);
                }
                url = next;
                continue;
            }
            let is_past_end = matches!(ask, Ask::GetFrom(_)) && status == 416;
            if response.status().is_success() || is_past_end {
                return Ok(response);
            }
            return Err(self.refusal(repo, response));
        }
        Err(malformed(repo, "redirects without end"))
    }

    fn ask_once(&self, repo: &HubRepo, url: &str, ask: Ask) -> Result<Response<Body>, HubError> {
        let mut request = match ask {
            Ask::Head => self.agent.head(url),
            Ask::Get | Ask::GetFrom(_) => self.agent.get(url),
        };
        if let Some(token) = &self.hub.token
            && origin(url).is_some_and(|at| Some(at) == origin(&self.hub.endpoint))
        {
            if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(HubError::BadToken);
            }
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Ask::GetFrom(start) = ask {
            request = request.header("range", format!("bytes={start}-"));
        }
        request
            .call()
            .map_err(|source| unreachable(repo, url, source))
    }

    fn refusal(&self, repo: &HubRepo, response: Response<Body>) -> HubError {
        let status = response.status().as_u16();
        let header = |name| text(response.headers(), name);
        let code = header("x-error-code").unwrap_or_default();
        let message: String = header("x-error-message")
            .unwrap_or_default()
            .chars()
            .take(MAX_MESSAGE)
            .collect();
        let (repo, page) = (Box::new(repo.clone()), repo.page(&self.hub.endpoint));
        let has_token = self.hub.token.is_some();
        match (code, status) {
            ("GatedRepo", _) => HubError::Gated {
                repo,
                page,
                has_token,
            },
            ("RevisionNotFound", _) => HubError::NoRevision { repo },
            ("RepoNotFound", _) => HubError::NoRepo {
                repo,
                page,
                has_token,
            },
            (_, 401) if has_token && message.starts_with("Invalid credentials") => {
                HubError::BadToken
            }
            (_, 401 | 403) => HubError::Refused {
                repo,
                page,
                status,
                message,
            },
            // Of a file: the caller knows its name. Of a listing: servers without these codes say no more.
            (_, 404) => HubError::NoRepo {
                repo,
                page,
                has_token,
            },
            (_, 408 | 429 | 500..) => HubError::Busy {
                retry_after: retry_after(response.headers()),
                repo,
                status,
                message,
            },
            _ => HubError::Unexpected {
                repo,
                status,
                message,
            },
        }
    }
}

impl Patience {
    /// Fails at the first failure.
    pub(crate) fn none() -> Self {
        Self {
            n_failed: 0,
            max_attempts: 1,
            first_wait: Duration::ZERO,
        }
    }

    /// Something succeeded: the count of failures starts again.
    pub(crate) fn reset(&mut self) {
        self.n_failed = 0;
    }

    /// Waits until the next attempt, or gives up with the error.
    pub(crate) fn after(&mut self, error: HubError) -> Result<(), HubError> {
        self.n_failed += 1;
        if !error.is_transient() || self.n_failed >= self.max_attempts {
            return Err(error);
        }
        let wait = self.wait(&error, jitter());
        warn!("{error}; trying again in {:.1} s", wait.as_secs_f64());
        thread::sleep(wait);
        Ok(())
    }

    /// Twice as long after each failure, plus up to as much again; what the hub asks for is obeyed.
    fn wait(&self, error: &HubError, jitter: f64) -> Duration {
        let doubled = self.first_wait * 2_u32.pow(self.n_failed.min(16) - 1);
        let backoff = doubled.min(MAX_WAIT).mul_f64(1.0 + jitter);
        match error {
            HubError::Busy {
                retry_after: Some(asked),
                ..
            } => backoff.max((*asked).min(MAX_RETRY_AFTER)),
            _ => backoff,
        }
    }

    /// The result of the first attempt that goes well.
    pub(crate) fn until<T>(
        mut self,
        mut attempt: impl FnMut() -> Result<T, HubError>,
    ) -> Result<T, HubError> {
        loop {
            match attempt() {
                Ok(value) => return Ok(value),
                Err(error) => self.after(error)?,
            }
        }
    }
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

pub(crate) fn malformed(repo: &HubRepo, problem: impl Into<String>) -> HubError {
    HubError::Malformed {
        repo: repo.clone().into(),
        problem: problem.into(),
    }
}

pub(crate) fn unreachable(repo: &HubRepo, url: &str, source: ureq::Error) -> HubError {
    HubError::Unreachable {
        repo: repo.clone().into(),
        // No more than that: a storage host's query holds a signature.
        host: origin(url).map_or_else(String::new, |(scheme, host, port)| {
            format!("{scheme}://{host}:{port}")
        }),
        source: Box::new(source),
    }
}

/// Between 0 and 1. Processes that failed together must not come back together.
fn jitter() -> f64 {
    rand::random()
}

/// Seconds in `retry-after`, or `t=` in the hub's `ratelimit: "api";r=0;t=55`.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = text(headers, "retry-after").or_else(|| {
        let mut fields = text(headers, "ratelimit")?.split(';');
        fields.find_map(|field| field.trim().strip_prefix("t="))
    })?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// Scheme, host and port.
fn origin(url: &str) -> Option<(String, String, u16)> {
    let url: Uri = url.parse().ok()?;
    let scheme = url.scheme_str()?.to_owned();
    let port = url
        .port_u16()
        .unwrap_or(if scheme == "https" { 443 } else { 80 });
    Some((scheme, url.host()?.to_lowercase(), port))
}

/// Where a `location` leads to from `url`.
fn resolve(url: &str, location: &str) -> Option<String> {
    if location.contains("://") {
        return Some(location.to_owned());
    }
    let (scheme, rest) = url.split_once("://")?;
    if let Some(host) = location.strip_prefix("//") {
        return Some(format!("{scheme}://{host}"));
    }
    let host = rest.split('/').next()?;
    if location.starts_with('/') {
        return Some(format!("{scheme}://{host}{location}"));
    }
    let path = rest.split('?').next()?;
    let folder = path.rsplit_once('/').map_or(path, |(folder, _)| folder);
    Some(format!("{scheme}://{folder}/{location}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_where_they_say() {
        let url = "http://hub:1/a/b/c?x=/y";
        for (location, expected) in [
            ("https://cdn/x?s=1", "https://cdn/x?s=1"),
            ("//cdn/x", "http://cdn/x"),
            ("/x/y", "http://hub:1/x/y"),
            ("x", "http://hub:1/a/b/x"),
        ] {
            assert_eq!(resolve(url, location).as_deref(), Some(expected));
        }
    }

    #[test]
    fn another_port_scheme_or_host_is_another_origin() {
        let hub = origin("https://hub.co/x");
        for (url, is_same) in [
            ("https://hub.co:443/y", true),
            ("https://HUB.co", true),
            ("http://hub.co", false),
            ("https://hub.co:8443", false),
            ("https://hub.co.evil.com", false),
            ("https://hub.co@evil.com", false),
            ("nonsense", false),
        ] {
            assert_eq!(origin(url) == hub, is_same, "{url}");
        }
    }

    #[test]
    fn waits_double_and_obey_the_hub() {
        let busy = |seconds: Option<u64>| HubError::Busy {
            repo: HubRepo::model("a/b").into(),
            status: 429,
            message: String::new(),
            retry_after: seconds.map(Duration::from_secs),
        };
        let wait = |n_failed, asked, jitter| {
            let patience = Patience {
                n_failed,
                max_attempts: 9,
                first_wait: Duration::from_secs(1),
            };
            patience.wait(&busy(asked), jitter).as_secs_f64()
        };
        for (n_failed, asked, jitter, expected) in [
            (1, None, 0.0, 1.0),
            (2, None, 0.0, 2.0),
            (3, None, 0.5, 6.0),
            (20, None, 0.0, 30.0),
            (1, Some(7), 0.0, 7.0),
            (4, Some(7), 0.0, 8.0),
            (1, Some(86_400), 0.0, 300.0),
        ] {
            assert_eq!(
                wait(n_failed, asked, jitter),
                expected,
                "{n_failed} {asked:?}"
            );
        }
    }

    #[test]
    fn the_wait_asked_for_is_read_from_either_header() {
        for (name, value, expected) in [
            ("retry-after", "3", Some(3)),
            ("ratelimit", "\"api\";r=0;t=55", Some(55)),
            ("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT", None),
            ("x-other", "3", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a value"));
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs));
        }
    }
}
