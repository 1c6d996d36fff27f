use std::{
    env, fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use hf_hub::{
    Cache, Repo,
    api::sync::{ApiBuilder, ApiRepo},
};
use tracing::warn;

/// Retries of one file after a failed request, each after twice the wait.
const MAX_RETRIES: usize = 5;

/// The Hugging Face hub, through the cache that Python's `huggingface_hub` uses too.
#[derive(Clone)]
pub struct Hub {
    /// The cache; `None` for the usual place.
    pub cache_dir: Option<PathBuf>,
    /// Where the hub answers; `None` for the public one.
    pub endpoint: Option<String>,
    /// What opens gated repositories; `None` for the token that `hf auth login` stored, if there is one.
    pub token: Option<String>,
    /// Never asks the hub.
    pub is_offline: bool,
    /// Shows a progress bar for each file.
    pub shows_progress: bool,
}

/// A file of a repository that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedFile<'a> {
    /// Its path in the repository.
    pub name: &'a str,
    /// Whether a repository without it will not do.
    pub is_required: bool,
}

/// Whether a name has the form of a hub id, `owner/name`, and so may be asked for at the hub when no such folder is there.
pub fn is_hub_id(name: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && part
                .chars()
                .all(|char| char.is_ascii_alphanumeric() || "-_.".contains(char))
    };
    name.split_once('/')
        .is_some_and(|(owner, name)| is_part(owner) && is_part(name))
}

impl Hub {
    /// The hub as the environment describes it: `HF_TOKEN`, `HF_HOME`, `HF_HUB_CACHE`, `HF_ENDPOINT` and `HF_HUB_OFFLINE`.
    pub fn from_env(shows_progress: bool) -> Self {
        let set = |name| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let home = || set("HF_HOME").map(|home| Path::new(&home).join("hub"));
        Self {
            cache_dir: set("HF_HUB_CACHE").map(PathBuf::from).or_else(home),
            endpoint: set("HF_ENDPOINT"),
            token: set("HF_TOKEN").map(|token| token.trim().to_owned()),
            // The values that `huggingface_hub` takes for true.
            is_offline: set("HF_HUB_OFFLINE").is_some_and(|value| {
                ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str())
            }),
            shows_progress,
        }
    }

    /// The folder of the cache that holds the wanted files of a model repository; what the cache lacks is downloaded first.
    ///
    /// When the hub cannot be reached and the cache has all that is required, the cache will do, with a warning.
    ///
    /// # Errors
    /// When a required file can be had from neither. The token is never named.
    pub fn model_folder(&self, repo: &str, wanted: &[WantedFile<'_>]) -> anyhow::Result<PathBuf> {
        if self.is_offline {
            return self.cached_folder(repo, wanted)?.with_context(|| {
                let cache = self.cache();
                format!(
                    "`{repo}` is not in the cache `{}`, and HF_HUB_OFFLINE is set",
                    cache.path().display()
                )
            });
        }
        match self.download(repo, wanted) {
            Ok(folder) => Ok(folder),
            Err(error) => match self.cached_folder(repo, wanted)? {
                Some(folder) => {
                    warn!("using `{repo}` from the cache: {error:#}");
                    Ok(folder)
                }
                None => Err(error),
            },
        }
    }

    fn download(&self, repo: &str, wanted: &[WantedFile<'_>]) -> anyhow::Result<PathBuf> {
        let api = self.api(repo)?;
        let info = api.info().with_context(|| {
            format!(
                "cannot list the files of `{repo}` on the hub (HF_TOKEN opens gated repositories)"
            )
        })?;
        let mut folder = None;
        for file in wanted {
            if info
                .siblings
                .iter()
                .any(|sibling| sibling.rfilename == file.name)
            {
                let path = api
                    .get(file.name)
                    .with_context(|| format!("cannot get `{}` of `{repo}`", file.name))?;
                folder.get_or_insert_with(|| folder_of(&path, file.name));
            } else if file.is_required {
                bail!("`{repo}` on the hub has no file `{}`", file.name);
            }
        }
        folder.with_context(|| format!("`{repo}` on the hub has none of the files wanted"))
    }

    /// The cached folder, if it has all that is required.
    fn cached_folder(
        &self,
        repo: &str,
        wanted: &[WantedFile<'_>],
    ) -> anyhow::Result<Option<PathBuf>> {
        let cached = self.cache().repo(Repo::model(repo.to_owned()));
        let mut folder = None;
        for file in wanted.iter().filter(|file| file.is_required) {
            let Some(path) = cached.get(file.name) else {
                return Ok(None);
            };
            folder = Some(folder_of(&path, file.name));
        }
        Ok(folder)
    }

    fn cache(&self) -> Cache {
        self.cache_dir
            .clone()
            .map_or_else(Cache::default, Cache::new)
    }

    fn api(&self, repo: &str) -> anyhow::Result<ApiRepo> {
        let mut builder = ApiBuilder::from_cache(self.cache())
            .with_progress(self.shows_progress)
            .with_retries(MAX_RETRIES);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint.trim_end_matches('/').to_owned());
        }
        if let Some(token) = &self.token {
            builder = builder.with_token(Some(token.clone()));
        }
        Ok(builder
            .build()
            .context("cannot set up a client for the hub")?
            .model(repo.to_owned()))
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("cache_dir", &self.cache_dir)
            .field("endpoint", &self.endpoint)
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("is_offline", &self.is_offline)
            .finish_non_exhaustive()
    }
}

/// The snapshot folder that a file lies in, at whatever depth.
fn folder_of(path: &Path, name: &str) -> PathBuf {
    let depth = Path::new(name).components().count();
    path.ancestors().nth(depth).unwrap_or(path).to_owned()
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

    #[test]
    fn the_token_is_never_shown() {
        let hub = Hub {
            token: Some("hf_secret".to_owned()),
            ..Hub::from_env(false)
        };
        assert!(!format!("{hub:?}").contains("secret"));
    }
}
