//! The servers of LLMs: where they are, and with which key they are asked.

use std::{env, fmt, time::Duration};

use axum::http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{self, AUTHORIZATION},
};
use reqwest::{Client, Url, redirect::Policy};
use rustls::crypto::ring;

use super::{
    ServeError,
    config::{KeyHeader, UpstreamConfig},
    request::Format,
};

const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const API_KEY: HeaderName = HeaderName::from_static("api-key");
/// Headers that carry a key.
const KEYS: [HeaderName; 3] = [AUTHORIZATION, X_API_KEY, API_KEY];
/// Headers of one connection and not of the request; and those that follow from the body, the address, or are for this server.
const OWN: [HeaderName; 12] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::HOST,
    header::CONTENT_LENGTH,
    header::EXPECT,
    // An answer has to be read for its usage.
    header::ACCEPT_ENCODING,
];
/// Connections that are kept open to a server while nobody uses them.
const MAX_IDLE: usize = 256;

/// A server that is asked.
pub(crate) struct Upstream {
    pub(crate) name: String,
    /// By the position of the format.
    urls: [Option<Url>; 3],
    base: Url,
    key: Option<(HeaderName, HeaderValue)>,
    forward_key: bool,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Upstream {
    /// With its key out of the environment.
    pub(crate) fn new(config: &UpstreamConfig) -> Result<Self, ServeError> {
        let base = Url::parse(&config.base_url).expect("checked with the configuration");
        let url = |format: Format| {
            config
                .formats
                .contains(&format)
                .then(|| below(&base, format.path()))
        };
        let key = match &config.api_key_env {
            None => None,
            Some(variable) => {
                let key = env::var(variable).ok();
                let key = key.as_deref().map(str::trim).filter(|key| !key.is_empty());
                let key = key.ok_or_else(|| ServeError::NoKey {
                    place: format!("upstream `{}`", config.name),
                    variable: variable.clone(),
                })?;
                let (name, text) = match config.key_header {
                    KeyHeader::Bearer => (AUTHORIZATION, format!("Bearer {key}")),
                    KeyHeader::XApiKey => (X_API_KEY, key.to_owned()),
                    KeyHeader::ApiKey => (API_KEY, key.to_owned()),
                };
                let value = HeaderValue::from_str(&text);
                let mut value = value.map_err(|_| ServeError::BadKey {
                    variable: variable.clone(),
                })?;
                value.set_sensitive(true);
                Some((name, value))
            }
        };
        Ok(Self {
            name: config.name.clone(),
            urls: Format::ALL.map(url),
            base,
            key,
            forward_key: config.forward_key,
        })
    }

    /// Whether it speaks a format.
    pub(crate) fn speaks(&self, format: Format) -> bool {
        self.urls[format as usize].is_some()
    }

    /// Where a request goes. What the client wrote behind a question mark goes along.
    pub(crate) fn url(&self, format: Format, query: Option<&str>) -> Option<Url> {
        let url = self.urls[format as usize].clone()?;
        Some(with_query(url, query))
    }

    /// The same for a path of which nothing is known but that it follows the base address.
    pub(crate) fn url_of(&self, path: &str, query: Option<&str>) -> Url {
        with_query(below(&self.base, path), query)
    }

    /// A client's headers as the server gets them. The client's own key is for this server unless it is to be sent on.
    pub(crate) fn headers(&self, client: &HeaderMap, are_keys_ours: bool) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(client.len() + 1);
        let named = named_by_connection(client);
        for (name, value) in client {
            let is_key = KEYS.contains(name);
            let is_ours = OWN.contains(name)
                || named.contains(name)
                || name == header::COOKIE
                || name.as_str().starts_with("x-carrot-")
                || (is_key && (are_keys_ours || !self.forward_key));
            if !is_ours {
                headers.append(name, value.clone());
            }
        }
        if let Some((name, value)) = &self.key {
            headers.insert(name, value.clone());
        }
        headers
    }
}

impl Upstream {
    /// A client's headers in the shadow: all but those of its connection. Its own key goes along unless the server has one here.
    pub(crate) fn headers_as_they_are(&self, client: &HeaderMap) -> HeaderMap {
        let named = named_by_connection(client);
        let mut headers = HeaderMap::with_capacity(client.len() + 1);
        for (name, value) in client {
            let is_hop = OWN.contains(name) && name != header::ACCEPT_ENCODING;
            let is_replaced = self.key.is_some() && KEYS.contains(name);
            if !is_hop && !is_replaced && !named.contains(name) {
                headers.append(name, value.clone());
            }
        }
        if let Some((name, value)) = &self.key {
            headers.insert(name, value.clone());
        }
        headers
    }
}

/// A server's headers as the client gets them.
pub(crate) fn answered_headers(server: &HeaderMap) -> HeaderMap {
    let named = named_by_connection(server);
    let mut headers = HeaderMap::with_capacity(server.len() + 12);
    for (name, value) in server {
        // The length follows from the body, which is sent as it is or is changed.
        if !OWN.contains(name) && !named.contains(name) {
            headers.append(name, value.clone());
        }
    }
    headers
}

/// What `connection` says is of this connection alone.
fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let values = headers.get_all(header::CONNECTION).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let names = texts.flat_map(|text| text.split(','));
    names.filter_map(|name| name.trim().parse().ok()).collect()
}

fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    let path = format!("{}/{path}", base.path().trim_end_matches('/'));
    url.set_path(&path);
    url
}

fn with_query(mut url: Url, query: Option<&str>) -> Url {
    if let Some(query) = query {
        let both = match url.query() {
            Some(own) => format!("{own}&{query}"),
            None => query.to_owned(),
        };
        url.set_query(Some(&both));
    }
    url
}

/// What asks all servers: one pool of connections.
pub(crate) fn client(connect: Duration) -> Result<Client, ServeError> {
    // reqwest is built without a provider. If the program has set one already, that one is taken.
    _ = ring::default_provider().install_default();
    let client = Client::builder()
        .connect_timeout(connect)
        .pool_max_idle_per_host(MAX_IDLE)
        .tcp_nodelay(true)
        // A key must not follow a redirect, nor may a prompt.
        .redirect(Policy::none())
        // Whether to ask again is decided in one place, and counted there.
        .retry(reqwest::retry::never())
        .build();
    client.map_err(|source| ServeError::Client {
        source: Box::new(source),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(base_url: &str, forward_key: bool) -> Upstream {
        let config = UpstreamConfig {
            name: "here".to_owned(),
            base_url: base_url.to_owned(),
            api_key_env: None,
            key_header: KeyHeader::Bearer,
            forward_key,
            formats: vec![Format::Chat, Format::Messages],
        };
        Upstream::new(&config).expect("it can be used")
    }

    #[test]
    fn addresses_keep_their_query() {
        let plain = upstream("http://h/v1/", false);
        let url =
            |upstream: &Upstream, format, query| upstream.url(format, query).map(String::from);
        assert_eq!(
            url(&plain, Format::Chat, None).as_deref(),
            Some("http://h/v1/chat/completions")
        );
        assert_eq!(
            url(&plain, Format::Messages, Some("beta=true")).as_deref(),
            Some("http://h/v1/messages?beta=true")
        );
        assert_eq!(url(&plain, Format::Responses, None), None);
        let azure = upstream("http://h/openai?api-version=1", false);
        assert_eq!(
            url(&azure, Format::Chat, Some("a=b")).as_deref(),
            Some("http://h/openai/chat/completions?api-version=1&a=b")
        );
    }

    #[test]
    fn only_headers_of_the_request_go_on() {
        let mut client = HeaderMap::new();
        for (name, value) in [
            ("host", "me"),
            ("authorization", "Bearer secret"),
            ("x-api-key", "secret"),
            ("connection", "keep-alive, x-hop"),
            ("x-hop", "1"),
            ("x-carrot-debug", "true"),
            ("accept-encoding", "gzip"),
            ("anthropic-version", "2023-06-01"),
            ("openai-beta", "a"),
        ] {
            client.append(name, HeaderValue::from_static(value));
        }
        client.append("openai-beta", HeaderValue::from_static("b"));
        let names = |headers: &HeaderMap| {
            let mut names: Vec<String> = headers.iter().map(|(name, _)| name.to_string()).collect();
            names.sort();
            names
        };
        let plain = upstream("http://h", false).headers(&client, false);
        assert_eq!(
            names(&plain),
            ["anthropic-version", "openai-beta", "openai-beta"]
        );
        let with_key = upstream("http://h", true).headers(&client, false);
        assert!(with_key.contains_key("authorization") && with_key.contains_key("x-api-key"));
        // The key opened this server and must not go anywhere else.
        let ours = upstream("http://h", true).headers(&client, true);
        assert_eq!(names(&ours), names(&plain));
    }
}
