use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use secrets::{Secret, Secrets, shown_address};
use ureq::{
    Agent, Body, Proxy,
    http::{Response, Uri},
    tls::TlsConfig,
};

use crate::{
    address::{origin, resolve, retry_after, text},
    error::HubError,
    hub::Hub,
    pace::Pace,
    patience::Patience,
    repo::HubRepo,
    trust,
};

const MAX_REDIRECTS: usize = 8;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For all of a listing or of the headers of a file. The file itself may take any time, as long as bytes arrive.
const SHORT_TIMEOUT: Duration = Duration::from_secs(300);
/// Characters of what a server says that are passed on.
const MAX_MESSAGE: usize = 200;

/// Speaks HTTP with the hub: redirects by hand, so that the token goes to the hub and to no other host, and refusals by their reasons.
pub(crate) struct Client<'a> {
    hub: &'a Hub,
    /// What must not be in any message.
    secrets: Secrets,
    /// One for each proxy, with TLS or without. An agent keeps its connections.
    agents: Mutex<Vec<(Option<Proxy>, bool, Agent)>>,
}

/// What is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// The files of a repository.
    Listing,
    /// A file.
    Get,
    /// Its bytes from here on.
    GetFrom(u64),
    /// Only the headers, of the hub itself: a redirect to another host is not followed.
    Head,
}

impl<'a> Client<'a> {
    pub(crate) fn new(hub: &'a Hub) -> Self {
        let mut secrets = Secrets::from_env();
        secrets.add_address(&hub.endpoint);
        if let Some(token) = &hub.token {
            secrets.add(&Secret::new(token));
        }
        Self {
            hub,
            secrets,
            agents: Mutex::default(),
        }
    }

    pub(crate) fn patience(&self) -> Patience {
        Patience::new(self.hub.first_wait)
    }

    pub(crate) fn pace(&self) -> Pace {
        Pace::new(self.hub.read_timeout, Instant::now())
    }

    /// One answer with a status of success (or, for `Head`, the redirect to another host; for `GetFrom`, a 416), after redirects.
    pub(crate) fn ask(
        &self,
        repo: &HubRepo,
        url: &str,
        ask: Ask,
    ) -> Result<Response<Body>, HubError> {
        // Paths are added to it. What may hide a password in another place than that of one is no address either.
        let endpoint = &self.hub.endpoint;
        if endpoint.contains(['?', '#']) || shown_address(endpoint).contains('*') {
            return Err(bad_endpoint(&self.hub.endpoint));
        }
        let mut url = url.to_owned();
        for _ in 0..=MAX_REDIRECTS {
            let response = self.ask_once(repo, &url, ask)?;
            let status = response.status().as_u16();
            if response.status().is_redirection() {
                let location = text(response.headers(), "location");
                let next = location.and_then(|location| resolve(&url, location));
                let next = next.ok_or_else(|| self.malformed(repo, "a redirect to nowhere"))?;
                let leaves = origin(&next) != origin(&url);
                if ask == Ask::Head && (leaves || response.headers().contains_key("x-linked-etag"))
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
        Err(self.malformed(repo, "redirects without end"))
    }

    fn ask_once(&self, repo: &HubRepo, url: &str, ask: Ask) -> Result<Response<Body>, HubError> {
        let at = origin(url).ok_or_else(|| bad_endpoint(url))?;
        let uri: Uri = url.parse().map_err(|_| bad_endpoint(url))?;
        let agent = self.agent(&uri)?;
        let mut request = match ask {
            Ask::Head => agent.head(uri),
            Ask::Listing | Ask::Get | Ask::GetFrom(_) => agent.get(uri),
        };
        if let Some(token) = &self.hub.token
            && origin(&self.hub.endpoint) == Some(at)
        {
            if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(HubError::BadToken);
            }
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Ask::GetFrom(start) = ask {
            request = request.header("range", format!("bytes={start}-"));
        }
        if matches!(ask, Ask::Listing | Ask::Head) {
            let limited = request.config().timeout_global(Some(SHORT_TIMEOUT));
            request = limited.build();
        }
        let answer = request.call();
        answer.map_err(|error| self.unreachable(repo, url, error))
    }

    fn agent(&self, uri: &Uri) -> Result<Agent, HubError> {
        let network = &self.hub.network;
        let proxy = network
            .proxy(uri)
            .map_err(|problem| HubError::BadProxy { problem })?;
        let is_secret = uri.scheme_str() == Some("https");
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let known = agents
            .iter()
            .find(|(through, with_tls, _)| *through == proxy && *with_tls == is_secret);
        if let Some((_, _, agent)) = known {
            return Ok(agent.clone());
        }
        let mut config = Agent::config_builder()
            .max_redirects(0)
            .http_status_as_error(false)
            // Ranges count the bytes of what is sent, which must therefore be the file as it is.
            .accept_encoding("identity")
            .user_agent(concat!("carrot/", env!("CARGO_PKG_VERSION")))
            .proxy(proxy.clone())
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_recv_response(Some(self.hub.read_timeout))
            .timeout_per_read(Some(self.hub.read_timeout));
        // Plain HTTP must work where there are no certificates. A proxy may be asked by TLS as well.
        let through_tls = proxy
            .as_ref()
            .is_some_and(|proxy| proxy.protocol() == ureq::ProxyProtocol::Https);
        if is_secret || through_tls {
            let roots = network
                .roots()
                .map_err(|places| HubError::NoCertificates { places })?;
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        let agent: Agent = config.build().into();
        agents.push((proxy, is_secret, agent.clone()));
        Ok(agent)
    }

    fn refusal(&self, repo: &HubRepo, response: Response<Body>) -> HubError {
        let status = response.status().as_u16();
        let header = |name| text(response.headers(), name).unwrap_or_default();
        let code = header("x-error-code");
        let message = self.said(header("x-error-message"));
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
            (_, 401) if has_token && is_of_token(&message) => HubError::BadToken,
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

    /// What somebody else says, as it may be shown: a line without secrets, control characters and an end that never comes.
    fn said(&self, text: &str) -> String {
        let start: String = text.chars().take(4 * MAX_MESSAGE).collect();
        let shown = self.secrets.blot(&start);
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        shown.chars().take(MAX_MESSAGE).map(plain).collect()
    }

    pub(crate) fn malformed(&self, repo: &HubRepo, problem: impl AsRef<str>) -> HubError {
        HubError::Malformed {
            repo: repo.clone().into(),
            problem: self.said(problem.as_ref()),
        }
    }

    /// Bytes that come too seldom.
    pub(crate) fn too_slow(&self, repo: &HubRepo, url: &str) -> HubError {
        HubError::Unreachable {
            repo: repo.clone().into(),
            host: shown_address(url),
            problem: "less than 1 kB arrives in a second".to_owned(),
            is_final: false,
        }
    }

    /// No answer, for whatever reason.
    pub(crate) fn unreachable(&self, repo: &HubRepo, url: &str, error: ureq::Error) -> HubError {
        // No more than that: a storage host's query holds a signature.
        let host = shown_address(url);
        if let Some((problem, cure)) = trust::refused(&error) {
            return HubError::Certificate {
                host,
                problem,
                cure,
            };
        }
        HubError::Unreachable {
            repo: repo.clone().into(),
            host,
            problem: self.said(&error.to_string()),
            is_final: trust::is_final(&error),
        }
    }
}

/// Whether a 401 is about the token itself. The hub has no code for it.
fn is_of_token(message: &str) -> bool {
    let starts = ["Invalid credentials", "Invalid username or password"];
    let is_expired = message.starts_with("User Access Token") && message.contains("expired");
    is_expired || starts.iter().any(|start| message.starts_with(start))
}

fn bad_endpoint(url: &str) -> HubError {
    HubError::BadEndpoint {
        endpoint: shown_address(url),
    }
}
