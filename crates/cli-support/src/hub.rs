mod cache;
mod client;
mod download;
mod environment;
mod error;
mod listing;
mod place;
mod repo;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tracing::warn;

use crate::Progress;

pub use self::{
    error::HubError,
    listing::{HubFile, HubListing},
    place::{ModelPlace, PlaceError},
    repo::{HubRepo, RepoKind, is_hub_id},
};

use self::{
    cache::RepoCache,
    client::{Client, Patience},
    download::Download,
    repo::is_inner_path,
};

const PUBLIC_ENDPOINT: &str = "https://huggingface.co";
/// Files under way at a time: enough to hide the round trips of small files, few enough for the hub's limits.
const N_PARALLEL: usize = 4;

/// The Hugging Face hub, through the cache that Python's `huggingface_hub` uses too.
///
/// What is asked for is listed at the hub first, so that all files are of one commit; what the cache lacks of it is downloaded, resumed
/// where an earlier run was cut off, and checked against the hash that the hub gave before it bears a name. Where the hub cannot be asked,
/// the files of the last download serve, with a warning.
///
/// ```no_run
/// use cli_support::{Hub, HubRepo};
///
/// # fn main() -> Result<(), cli_support::HubError> {
/// let hub = Hub::from_env(true);
/// let repo = HubRepo::dataset("CARROT-LLM-Routing/SPROUT");
/// let listing = hub.list(&repo)?;
/// let tables = listing.paths().filter(|path| path.ends_with(".parquet"));
/// let paths = hub.files(&repo, &tables.collect::<Vec<_>>())?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hub {
    /// The cache.
    pub cache_dir: PathBuf,
    /// Where the hub answers, without a slash at the end.
    pub endpoint: String,
    /// What opens gated repositories. It is sent to the endpoint only.
    pub token: Option<String>,
    /// Never asks the hub.
    pub is_offline: bool,
    /// Shows a progress bar of the bytes.
    pub shows_progress: bool,
    /// A connection without a byte for so long is given up.
    pub read_timeout: Duration,
    /// Wait after a first failure; it doubles with each one more.
    pub first_wait: Duration,
}

/// A file of a repository that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedFile<'a> {
    /// Its path in the repository.
    pub name: &'a str,
    /// Whether a repository without it will not do.
    pub is_required: bool,
}

impl<'a> WantedFile<'a> {
    /// A file that a repository must have.
    pub fn required(name: &'a str) -> Self {
        Self {
            name,
            is_required: true,
        }
    }

    /// A file that is downloaded only where a repository has it.
    pub fn optional(name: &'a str) -> Self {
        Self {
            name,
            is_required: false,
        }
    }
}

impl Hub {
    /// The files of a repository. Where the hub cannot be asked: those of its last commit that the cache has, with a warning.
    ///
    /// # Errors
    /// When the repository is not there, or the hub and the cache tell nothing of it.
    pub fn list(&self, repo: &HubRepo) -> Result<HubListing, HubError> {
        self.list_for(repo, &[])
    }

    /// One file, downloaded if the cache lacks it.
    ///
    /// # Errors
    /// When it can be had neither from the hub nor from the cache.
    pub fn file(&self, repo: &HubRepo, path: &str) -> Result<PathBuf, HubError> {
        Ok(self.files(repo, &[path])?.remove(0))
    }

    /// Files of one commit, in the order of `paths`; what the cache lacks is downloaded, a few at a time, under one progress bar.
    ///
    /// # Errors
    /// When one can be had neither from the hub nor from the cache. Those that arrived stay in the cache.
    pub fn files(
        &self,
        repo: &HubRepo,
        paths: &[impl AsRef<str>],
    ) -> Result<Vec<PathBuf>, HubError> {
        let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
        let listing = self.list_for(repo, &paths)?;
        self.fetch(repo, &listing, &paths)
    }

    /// A file of the commit that was last downloaded, if the cache has it. Asks no one.
    pub fn cached_file(&self, repo: &HubRepo, path: &str) -> Option<PathBuf> {
        if repo.check().is_err() || !is_inner_path(path) {
            return None;
        }
        let cache = RepoCache::new(&self.cache_dir, repo);
        cache.find(&cache.commit()?, path)
    }

    /// The folder of the cache that holds the wanted files of a model repository; what the cache lacks is downloaded first.
    ///
    /// # Errors
    /// When a required file can be had neither from the hub nor from the cache.
    pub fn model_folder(&self, id: &str, wanted: &[WantedFile<'_>]) -> Result<PathBuf, HubError> {
        let repo = HubRepo::model(id);
        let required = wanted.iter().filter(|file| file.is_required);
        let required: Vec<&str> = required.map(|file| file.name).collect();
        let listing = self.list_for(&repo, &required)?;
        let is_there =
            |file: &&WantedFile<'_>| file.is_required || listing.file(file.name).is_some();
        let paths: Vec<&str> = wanted
            .iter()
            .filter(is_there)
            .map(|file| file.name)
            .collect();
        let files = self.fetch(&repo, &listing, &paths)?;
        match (files.first(), paths.first(), wanted.first()) {
            (Some(file), Some(path), _) => Ok(folder_of(file, path)),
            (_, _, wanted) => Err(HubError::NoFile {
                repo: repo.into(),
                file: wanted.map_or_else(String::new, |file| file.name.to_owned()),
            }),
        }
    }

    /// The listing for those who want these paths: they decide whether the cache will do.
    fn list_for(&self, repo: &HubRepo, paths: &[&str]) -> Result<HubListing, HubError> {
        repo.check()?;
        let cached = HubListing::cached(&RepoCache::new(&self.cache_dir, repo));
        let serves = |listing: &HubListing| paths.iter().all(|path| listing.file(path).is_some());
        let is_enough = cached.as_ref().is_some_and(serves);
        if self.is_offline {
            return cached.ok_or_else(|| self.offline(repo, "any file"));
        }
        // With a second best at hand nobody wants to wait.
        let client = Client::new(self);
        let patience = if is_enough {
            Patience::none()
        } else {
            client.patience()
        };
        match (
            patience.until(|| HubListing::ask(self, &client, repo)),
            cached,
        ) {
            (Err(error), Some(cached)) if is_enough && error.cache_will_do() => {
                warn!("using what the cache has: {error}");
                Ok(cached)
            }
            (listing, _) => listing,
        }
    }

    /// The files of a listing's commit in the cache, after downloads.
    fn fetch(
        &self,
        repo: &HubRepo,
        listing: &HubListing,
        paths: &[&str],
    ) -> Result<Vec<PathBuf>, HubError> {
        let cache = RepoCache::new(&self.cache_dir, repo);
        let here = |path: &str| cache.find(&listing.commit, path);
        let mut missing: Vec<&HubFile> = Vec::new();
        for &path in paths {
            match listing.file(path) {
                Some(file) if here(path).is_none() => missing.push(file),
                Some(_) => {}
                None if self.is_offline => return Err(self.offline(repo, &format!("`{path}`"))),
                None => {
                    return Err(HubError::NoFile {
                        repo: repo.clone().into(),
                        file: path.to_owned(),
                    });
                }
            }
        }
        missing.dedup();
        if let Err(error) = self.download(repo, listing, &cache, &missing) {
            // The listing is open to all, the files of a gated repository are not; and the line may have broken just now.
            let cached: Option<Vec<PathBuf>> = paths
                .iter()
                .map(|path| self.cached_file(repo, path))
                .collect();
            return match cached {
                Some(cached) if error.cache_will_do() => {
                    warn!("using what the cache has: {error}");
                    Ok(cached)
                }
                _ => Err(error),
            };
        }
        // Only now, so that a commit that did not arrive whole does not hide the one before.
        if !listing.is_cached {
            cache.set_ref(&listing.commit)?;
        }
        let snapshot = cache.snapshot(&listing.commit);
        Ok(paths.iter().map(|path| snapshot.join(path)).collect())
    }

    fn download(
        &self,
        repo: &HubRepo,
        listing: &HubListing,
        cache: &RepoCache,
        files: &[&HubFile],
    ) -> Result<(), HubError> {
        let label = match files {
            [] => return Ok(()),
            [file] => file.path.rsplit('/').next().unwrap_or_default().to_owned(),
            _ => format!("{} files", files.len()),
        };
        let n_bytes = files.iter().filter_map(|file| file.size).sum();
        let bar = Progress::bytes(&label, n_bytes, !self.shows_progress);
        let client = Client::new(self);
        let next = AtomicUsize::new(0);
        let failure: Mutex<Option<(usize, HubError)>> = Mutex::new(None);
        let work = || {
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = files.get(i) else { return };
                let download = Download {
                    client: &client,
                    endpoint: &self.endpoint,
                    cache,
                    repo,
                    commit: &listing.commit,
                    path: &file.path,
                    on_bytes: &|n| bar.add(n),
                };
                if let Err(error) = download.run() {
                    // No new ones after this; those under way end.
                    next.store(files.len(), Ordering::Relaxed);
                    let mut first = failure.lock().unwrap_or_else(PoisonError::into_inner);
                    if first.as_ref().is_none_or(|(earlier, _)| i < *earlier) {
                        *first = Some((i, error));
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..N_PARALLEL.min(files.len()) {
                scope.spawn(work);
            }
        });
        let failure = failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        failure.map_or(Ok(()), |(_, error)| Err(error))
    }

    fn offline(&self, repo: &HubRepo, what: &str) -> HubError {
        HubError::Offline {
            repo: repo.clone().into(),
            what: what.to_owned(),
            cache: self.cache_dir.clone(),
        }
    }
}

/// The snapshot folder that a file lies in, at whatever depth.
fn folder_of(file: &Path, path: &str) -> PathBuf {
    let depth = path.split('/').count();
    file.ancestors().nth(depth).unwrap_or(file).to_owned()
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
