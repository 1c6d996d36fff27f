use std::{env, fmt};

use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};

use crate::{Error, Result};

const OPENAI_URL: &str = "https://api.openai.com/v1";
const OPENAI_HOST: &str = "api.openai.com";

/// Where embeddings come from, and who asks.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The address before `/embeddings`, such as `https://api.openai.com/v1`.
    pub base_url: String,
    /// The key, if the server wants one. OpenAI's does, servers at home mostly do not.
    pub api_key: Option<ApiKey>,
    /// Which of the key's organizations is billed.
    pub organization: Option<String>,
}

/// A secret that prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

impl ApiKey {
    /// White space around the key, such as the line end of a file, is dropped.
    pub fn new(key: &str) -> Self {
        Self(key.trim().to_owned())
    }

    /// A text of the server's, without the key if it was echoed.
    pub(crate) fn redact(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        text.replace(&self.0, "***")
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Endpoint {
    /// Reads `OPENAI_API_KEY`, `OPENAI_BASE_URL` (OpenAI's own address if unset) and `OPENAI_ORG_ID`. An empty variable counts as unset.
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
        Ok(Self {
            base_url: get("OPENAI_BASE_URL")?.unwrap_or_else(|| OPENAI_URL.to_owned()),
            api_key: get("OPENAI_API_KEY")?.map(|key| ApiKey::new(&key)),
            organization: get("OPENAI_ORG_ID")?,
        })
    }

    /// The address that requests go to: `/embeddings` is added to the path, a query stays.
    pub(crate) fn embeddings_url(&self) -> Result<Url> {
        let bad = |expected| Error::BadSetting {
            name: "OPENAI_BASE_URL",
            found: self.base_url.clone(),
            expected,
        };
        let mut url = Url::parse(&self.base_url)
            .map_err(|_| bad("an address such as `https://api.openai.com/v1`"))?;
        if url.password().is_some() || !url.username().is_empty() {
            return Err(Error::BadSetting {
                name: "OPENAI_BASE_URL",
                found: "***".to_owned(),
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
    pub(crate) fn headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.api_key {
            let mut value =
                HeaderValue::from_str(&format!("Bearer {}", key.0)).map_err(|_| Error::BadKey)?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if let Some(organization) = &self.organization {
            let value = HeaderValue::from_str(organization).map_err(|_| Error::BadSetting {
                name: "OPENAI_ORG_ID",
                found: organization.clone(),
                expected: "an organization's id, such as `org-abc`",
            })?;
            headers.insert("openai-organization", value);
        }
        Ok(headers)
    }

    /// OpenAI's own address wants a key, whatever the path.
    pub(crate) fn check_key(&self) -> Result<()> {
        let is_openai = self.embeddings_url()?.host_str() == Some(OPENAI_HOST);
        let has_key = self.api_key.as_ref().is_some_and(|key| !key.0.is_empty());
        if is_openai && !has_key {
            return Err(Error::NoKey {
                base_url: self.base_url.clone(),
            });
        }
        Ok(())
    }

    pub(crate) fn redact(&self, text: &str) -> String {
        match &self.api_key {
            Some(key) => key.redact(text),
            None => text.to_owned(),
        }
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
        assert!(!nothing.headers().unwrap().contains_key(AUTHORIZATION));

        let all = from(&[
            ("OPENAI_API_KEY", "sk-secret\n"),
            ("OPENAI_ORG_ID", "org-1"),
        ]);
        let headers = all.headers().unwrap();
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
    fn no_secret_is_shown() {
        let mut endpoint = from(&[("OPENAI_API_KEY", "sk-secret")]);
        assert!(!format!("{endpoint:?}").contains("sk-"));
        assert!(!format!("{:?}", endpoint.headers().unwrap()).contains("sk-"));
        assert_eq!(endpoint.redact("bad key sk-secret!"), "bad key ***!");

        endpoint.base_url = "http://me:sk-secret@h/v1".to_owned();
        let error = endpoint.embeddings_url().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sk-"));

        endpoint.api_key = Some(ApiKey::new("sk-\u{1}secret"));
        let error = endpoint.headers().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    }
}
