use std::{env, fmt};

use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use secrets::{Secret, Secrets, is_on_this_machine, shown_address, shown_address_and_path};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

const API_KEY: HeaderName = HeaderName::from_static("api-key");
const OPENAI_URL: &str = "https://api.openai.com/v1";
const OPENAI_HOST: &str = "api.openai.com";
/// Ends of the names of Azure's hosts.
const AZURE_HOSTS: [&str; 3] = [
    ".openai.azure.com",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
];

/// Where embeddings come from, and who asks.
#[derive(Clone)]
pub struct Endpoint {
    /// The address before `/embeddings`, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The key, if the server wants one. OpenAI's does, servers at home mostly do not.
    pub api_key: Option<Secret>,
    /// How the key is sent.
    pub key_header: KeyHeader,
    /// Which of the key's organizations is billed.
    pub organization: Option<String>,
}

/// The header that carries the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyHeader {
    /// `authorization: Bearer KEY`.
    #[default]
    Bearer,
    /// `api-key: KEY`, as Azure's services want it.
    ApiKey,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("base_url", &shown_address(&self.base_url))
            .field("api_key", &self.api_key)
            .field("key_header", &self.key_header)
            .field("organization", &self.organization)
            .finish()
    }
}

impl Endpoint {
    /// An address, without a key.
    pub fn at(base_url: &str) -> Self {
        Self {
            base_url: base_url.to_owned(),
            api_key: None,
            key_header: KeyHeader::default(),
            organization: None,
        }
    }

    /// Reads `OPENAI_API_KEY`, `OPENAI_BASE_URL` (OpenAI's own address if unset) and `OPENAI_ORG_ID`. An empty variable counts as unset.
    ///
    /// The key is sent as Azure wants it if `OPENAI_API_TYPE` is `azure` or the address is one of Azure's; then `AZURE_OPENAI_API_KEY` takes the
    /// place of a missing `OPENAI_API_KEY`.
    ///
    /// A missing key is not an error yet: a plan needs none, nor does a run that finds all its embeddings in the store.
    ///
    /// # Errors
    /// [`Error::BadSetting`] for a variable that is not UTF-8; its value is not shown.
    pub fn from_env() -> Result<Self> {
        Self::from_variables(|name| match env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => Err(Error::BadSetting {
                name,
                found: "***".to_owned(),
                expected: "UTF-8",
            }),
        })
    }

    fn from_variables(get: impl Fn(&'static str) -> Result<Option<String>>) -> Result<Self> {
        let get = |name| {
            let value = get(name)?.map(|value| value.trim().to_owned());
            Ok(value.filter(|value| !value.is_empty()))
        };
        let base_url = get("OPENAI_BASE_URL")?.unwrap_or_else(|| OPENAI_URL.to_owned());
        let host = Url::parse(&base_url).ok();
        let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
        let is_azure = AZURE_HOSTS.iter().any(|end| host.ends_with(end))
            || get("OPENAI_API_TYPE")?.is_some_and(|kind| kind.eq_ignore_ascii_case("azure"));
        let azure_key = if is_azure {
            get("AZURE_OPENAI_API_KEY")?
        } else {
            None
        };
        Ok(Self {
            base_url,
            api_key: get("OPENAI_API_KEY")?
                .or(azure_key)
                .map(|key| Secret::new(&key)),
            key_header: if is_azure {
                KeyHeader::ApiKey
            } else {
                KeyHeader::Bearer
            },
            organization: get("OPENAI_ORG_ID")?,
        })
    }

    /// The address that requests go to: `/embeddings` is added to the path, a query stays.
    pub(crate) fn embeddings_url(&self) -> Result<Url> {
        let bad = |expected| Error::BadSetting {
            name: "OPENAI_BASE_URL",
            found: shown_address(&self.base_url),
            expected,
        };
        let mut url = Url::parse(&self.base_url)
            .map_err(|_| bad("an address such as `https://api.openai.com/v1`"))?;
        if url.password().is_some() || !url.username().is_empty() {
            return Err(Error::BadSetting {
                name: "OPENAI_BASE_URL",
                found: shown_address(&self.base_url),
                expected: "an address without user and password; the key goes into `OPENAI_API_KEY`",
            });
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("an address that begins with `http://` or `https://`"));
        }
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("embeddings");
        }
        Ok(url)
    }

    /// The headers that all requests have in common; the key is marked so that no log of the HTTP client's shows it.
    pub(crate) fn headers(&self, key_header: KeyHeader) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        if let Some(key) = self.api_key.as_ref().filter(|key| !key.is_empty()) {
            let (name, text) = match key_header {
                KeyHeader::Bearer => (AUTHORIZATION, format!("Bearer {}", key.expose())),
                KeyHeader::ApiKey => (API_KEY, key.expose().to_owned()),
            };
            // Beyond ASCII it would be sent: the typographic quotes of a word processor, for which the server only says that the key is wrong.
            let ascii = Some(&text).filter(|text| text.is_ascii());
            let header = ascii.and_then(|text| HeaderValue::from_str(text).ok());
            let mut value = header.ok_or(Error::BadKey)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        if let Some(organization) = &self.organization {
            let value = HeaderValue::from_str(organization).map_err(|_| Error::BadSetting {
                name: "OPENAI_ORG_ID",
                found: organization.escape_debug().to_string(),
                expected: "an organization's id, such as `org-abc`",
            })?;
            headers.insert("openai-organization", value);
        }
        Ok(headers)
    }

    /// What a server's embeddings are known by: where it is, without anything secret, and a hash of its whole address but the query, as
    /// only parts of the path may be shown.
    pub(crate) fn server(&self) -> Result<String> {
        let mut url = self.embeddings_url()?;
        url.set_query(None);
        url.set_fragment(None);
        let hash = Sha256::digest(url.as_str());
        let hash: String = hash[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{} {hash}", shown_address(url.as_str())))
    }

    /// All that must not be shown of what a server or a library says.
    pub(crate) fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::from_env();
        if let Some(key) = &self.api_key {
            secrets.add(key);
        }
        secrets.add_address(&self.base_url);
        secrets
    }

    /// The address asked, and what is wrong with it if a server does not know it.
    pub(crate) fn not_found(&self) -> String {
        let path = shown_address_and_path(&self.base_url);
        let path = path.trim_end_matches('/');
        let cure = if path.ends_with("/embeddings") {
            "; `OPENAI_BASE_URL` must be only what comes before `/embeddings`"
        } else if !path.contains("/v1") {
            "; most servers want `/v1` at the end of `OPENAI_BASE_URL`"
        } else {
            ""
        };
        format!("asked `{path}/embeddings`{cure}")
    }

    /// A key that crosses a network readably is the user's decision, who has to know of it.
    pub(crate) fn warn_of_open_key(&self) {
        let has_key = self.api_key.as_ref().is_some_and(|key| !key.is_empty());
        let is_open = self
            .base_url
            .trim_start()
            .get(..5)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"));
        if has_key && is_open && !is_on_this_machine(&self.base_url) {
            tracing::warn!(
                "the API key goes to `{}` unencrypted; prefer `https`, or unset `OPENAI_API_KEY` if the server wants none",
                shown_address(&self.base_url)
            );
        }
    }

    /// OpenAI's own address wants a key, whatever the path.
    pub(crate) fn check_key(&self) -> Result<()> {
        let is_openai = self.embeddings_url()?.host_str() == Some(OPENAI_HOST);
        let has_key = self.api_key.as_ref().is_some_and(|key| !key.is_empty());
        if is_openai && !has_key {
            return Err(Error::NoKey {
                base_url: shown_address_and_path(&self.base_url),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(variables: &[(&str, &str)]) -> Endpoint {
        let get = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Endpoint::from_variables(|name| Ok(get(name).map(|(_, value)| (*value).to_owned())))
            .unwrap()
    }

    #[test]
    fn reads_the_environment() {
        let nothing = from(&[("OPENAI_BASE_URL", " "), ("OPENAI_API_KEY", "")]);
        assert_eq!(nothing.base_url, OPENAI_URL);
        assert_eq!(nothing.api_key, None);
        assert!(matches!(nothing.check_key(), Err(Error::NoKey { .. })));
        assert!(
            !nothing
                .headers(KeyHeader::Bearer)
                .unwrap()
                .contains_key(AUTHORIZATION)
        );

        let all = from(&[
            ("OPENAI_API_KEY", "sk-secret\n"),
            ("OPENAI_ORG_ID", "org-1"),
        ]);
        let headers = all.headers(KeyHeader::Bearer).unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer sk-secret");
        assert_eq!(headers["openai-organization"], "org-1");
        all.check_key().unwrap();

        from(&[("OPENAI_BASE_URL", "http://localhost:8080/v1")])
            .check_key()
            .expect("a server at home wants no key");
    }

    #[test]
    fn the_path_is_extended() {
        let check = |base_url: &str, expected: &str| {
            let url = from(&[("OPENAI_BASE_URL", base_url)])
                .embeddings_url()
                .unwrap();
            assert_eq!(url.as_str(), expected);
        };
        check("http://h/v1", "http://h/v1/embeddings");
        check("http://h/v1/", "http://h/v1/embeddings");
        check("http://h", "http://h/embeddings");
        check("http://h:1/a?v=2", "http://h:1/a/embeddings?v=2");
        for bad in ["localhost:80", "ftp://h/v1", "", "data:x"] {
            let mut endpoint = from(&[]);
            endpoint.base_url = bad.to_owned();
            assert!(endpoint.embeddings_url().is_err(), "{bad}");
        }
    }

    #[test]
    fn azure_wants_another_header() {
        let azure = from(&[
            ("OPENAI_BASE_URL", "https://me.openai.azure.com/openai/v1/"),
            ("AZURE_OPENAI_API_KEY", "azure-key"),
        ]);
        assert_eq!(azure.key_header, KeyHeader::ApiKey);
        let headers = azure.headers(azure.key_header).unwrap();
        assert_eq!(headers["api-key"], "azure-key");
        assert!(!headers.contains_key(AUTHORIZATION) && headers["api-key"].is_sensitive());
        let url = azure.embeddings_url().unwrap();
        assert_eq!(url.path(), "/openai/v1/embeddings");

        let gateway = from(&[
            ("OPENAI_BASE_URL", "http://gateway/azure?api-version=1"),
            ("OPENAI_API_KEY", "own-key"),
            ("OPENAI_API_TYPE", "Azure"),
        ]);
        assert_eq!(gateway.key_header, KeyHeader::ApiKey);
        let elsewhere = from(&[("AZURE_OPENAI_API_KEY", "azure-key")]);
        assert_eq!(elsewhere.api_key, None);
    }

    #[test]
    fn addresses_that_cannot_be_read_are_not_shown_whole() {
        for (base_url, shown) in [
            ("http://me:sec/ret@h/v1", "http://***"),
            ("http://me:secret@h:port", "http://***"),
            ("me:secret@h/v1", "***"),
            ("ftp://me:secret@h/v1", "ftp://h"),
            ("http://me:secret@h:1/v1", "http://h:1"),
        ] {
            let error = Endpoint::at(base_url).embeddings_url().unwrap_err();
            let shown = format!("`{shown}`");
            assert!(error.to_string().contains(&shown), "{error}");
            assert!(!format!("{error:?}").contains("ret@"));
        }
    }

    #[test]
    fn servers_are_told_apart_and_their_paths_not_shown() {
        let server = |base_url| Endpoint::at(base_url).server().unwrap();
        assert_eq!(server("http://h/v1"), server("http://h/v1/?key=secret"));
        assert_eq!(server("http://H:80/v1"), server("http://h/v1"));
        let all = [
            "http://h/v1",
            "http://h/v2",
            "http://h:8/v1",
            "https://h/v1",
            "http://i/v1",
        ];
        let distinct: std::collections::HashSet<String> = all.map(server).into_iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert!(!server("http://h/my-key/v1").contains("key"));
    }

    #[test]
    fn an_unknown_address_comes_with_what_may_be_wrong() {
        for (base_url, expected) in [
            (
                "http://h:1",
                "asked `http://h:1/embeddings`; most servers want `/v1`",
            ),
            (
                "http://h:1/v1/embeddings/",
                "asked `http://h:1/v1/embeddings/embeddings`; `OPENAI_BASE_URL` must",
            ),
            ("http://h:1/v1", "asked `http://h:1/v1/embeddings`"),
        ] {
            let found = Endpoint::at(base_url).not_found();
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let mut endpoint = from(&[("OPENAI_API_KEY", "sk-secret")]);
        assert!(!format!("{endpoint:?}").contains("sk-"));
        assert!(!format!("{:?}", endpoint.headers(KeyHeader::Bearer).unwrap()).contains("sk-"));
        assert_eq!(
            endpoint.secrets().blot("bad key sk-secret!"),
            "bad key ***!"
        );

        endpoint.base_url = "http://me:sk-secret@h/v1".to_owned();
        let error = endpoint.embeddings_url().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sk-"));

        endpoint.api_key = Some(Secret::new("sk-\u{1}secret"));
        let error = endpoint.headers(KeyHeader::Bearer).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }

    #[test]
    fn a_key_in_typographic_quotes_is_refused_and_not_shown() {
        for key_header in [KeyHeader::Bearer, KeyHeader::ApiKey] {
            let endpoint = from(&[("OPENAI_API_KEY", "“sk-secret”")]);
            let error = endpoint.headers(key_header).unwrap_err();
            assert!(matches!(error, Error::BadKey));
            assert!(!error.to_string().contains("sk-"));
        }
    }
}
