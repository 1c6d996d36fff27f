//! Who may ask.

use std::env;

use axum::http::{HeaderMap, header::AUTHORIZATION};
use sha2::{Digest as _, Sha256};

use super::{ServeError, config::KeysConfig, error::ApiError};

/// The keys of this server, by their hashes: comparing those tells nobody how much of a key was right.
#[derive(Debug)]
pub(crate) struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// Out of the environment, separated by commas.
    pub(crate) fn read(config: &KeysConfig) -> Result<Self, ServeError> {
        let text = env::var(&config.env).unwrap_or_default();
        let keys: Vec<[u8; 32]> = text
            .split(',')
            .map(str::trim)
            .filter(|key| !key.is_empty())
            .map(hash)
            .collect();
        if keys.is_empty() {
            return Err(ServeError::NoKey {
                place: "keys".to_owned(),
                variable: config.env.clone(),
            });
        }
        Ok(Self(keys))
    }

    /// Whether a request has one of them, as OpenAI's clients send it or as Anthropic's do.
    pub(crate) fn check(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let bearer = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|value| {
            let (scheme, key) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(key)
        });
        let named = headers
            .get("x-api-key")
            .and_then(|value| value.to_str().ok());
        match bearer.or(named).map(|key| hash(key.trim())) {
            Some(found) if self.0.contains(&found) => Ok(()),
            _ => Err(ApiError::unauthorized()),
        }
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_opens_under_either_name() {
        let keys = Keys(vec![hash("one"), hash("two")]);
        let check = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            keys.check(&headers).is_ok()
        };
        assert!(check("authorization", "Bearer two"));
        assert!(check("authorization", "bearer  one"));
        assert!(check("x-api-key", "one"));
        assert!(!check("authorization", "Bearer three"));
        assert!(!check("authorization", "one"));
        assert!(!check("x-api-key", ""));
        assert!(keys.check(&HeaderMap::new()).is_err());
    }
}
