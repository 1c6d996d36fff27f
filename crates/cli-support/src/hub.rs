use std::{env, path::PathBuf};

use anyhow::{Context as _, bail};
use hf_hub::{Cache, Repo, api::sync::ApiBuilder};

/// Retries of one file after a failed request, each after twice the wait.
const MAX_RETRIES: usize = 5;

/// The Hugging Face hub, through the cache that Python's `huggingface_hub` uses too.
///
/// Obeys `HF_TOKEN` (else the token that `hf auth login` stored), `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT` and `HF_HUB_OFFLINE`.
#[derive(Debug)]
pub struct Hub {
    cache: Cache,
    progress: bool,
}

/// Whether a name has the form of a hub id, `owner/name`, and so may be asked for at the hub when no such folder is there.
pub fn is_hub_id(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && part.chars().all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char))
    };
    name.split_once('/').is_some_and(|(owner, name)| is_part(owner) && is_part(name))
}

impl Hub {
    /// The hub as the environment describes it.
    pub fn from_env(quiet: bool) -> Self {
        let cache = env::var_os("HF_HUB_CACHE").map_or_else(Cache::from_env, |path| Cache::new(PathBuf::from(path)));
        Self { cache, progress: !quiet }
    }

    /// A file of a model repository, from the cache or the hub.
    ///
    /// # Errors
    /// When the hub refuses or cannot be reached, or `HF_HUB_OFFLINE` is set and the cache lacks the file. The token is never named.
    pub fn model_file(&self, repo: &str, file: &str) -> anyhow::Result<PathBuf> {
        if let Some(path) = self.cache.repo(Repo::model(repo.to_owned())).get(file) {
            return Ok(path);
        }
        if is_set("HF_HUB_OFFLINE") {
            bail!("`{repo}/{file}` is not in the cache `{}`, and HF_HUB_OFFLINE is set", self.cache.path().display());
        }
        let mut builder =
            ApiBuilder::from_cache(self.cache.clone()).with_progress(self.progress).with_retries(MAX_RETRIES);
        if let Ok(endpoint) = env::var("HF_ENDPOINT") {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/').to_owned());
        }
        if let Ok(token) = env::var("HF_TOKEN") {
            builder = builder.with_token(Some(token.trim().to_owned()));
        }
        let api = builder.build().context("cannot set up a client for the hub")?;
        api.model(repo.to_owned())
            .get(file)
            .with_context(|| format!("cannot get `{file}` of `{repo}` from the hub (HF_TOKEN opens gated ones)"))
    }
}

/// Whether an environment switch is on, by the rule of `huggingface_hub`.
fn is_set(name: &str) -> bool {
    env::var(name).is_ok_and(|value| ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hub_ids_are_owner_and_name() {
        for (name, expected) in [
            ("sentence-transformers/all-MiniLM-L6-v2", true),
            ("minilm", false),
            ("models/a/b", false),
            ("../x", false),
            ("./x", false),
            ("/x", false),
            ("x/", false),
        ] {
            assert_eq!(is_hub_id(name), expected, "{name}");
        }
    }
}
