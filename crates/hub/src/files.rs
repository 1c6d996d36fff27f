use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tracing::{info, warn};

use crate::{
    cache::RepoCache,
    client::Client,
    download::Download,
    error::HubError,
    hub::{Hub, OnBytes, WantedFile},
    listing::{HubFile, HubListing},
    needed::Needed,
    patience::Patience,
    repo::{HubRepo, is_inner_path},
};

/// Files under way at a time: enough to hide the round trips of small files, few enough for the hub's limits.
const N_PARALLEL: usize = 4;

impl Hub {
    /// The files of a repository. Where the hub cannot be asked: those of its last commit that the cache has, with a warning.
    ///
    /// # Errors
    /// When the repository does not exist, or the hub cannot be asked and the cache has nothing of it.
    pub fn list(&self, repo: &HubRepo) -> Result<HubListing, HubError> {
        self.list_for(repo, &[])
    }

    /// One file, downloaded if the cache lacks it.
    ///
    /// # Errors
    /// When neither the hub nor the cache has it.
    pub fn file(&self, repo: &HubRepo, path: &str) -> Result<PathBuf, HubError> {
        Ok(self.files(repo, &[path])?.remove(0))
    }

    /// Files of one commit, in the order of `paths`; what the cache lacks is downloaded, a few at a time, and reported as one download.
    ///
    /// # Errors
    /// When neither the hub nor the cache has one of them. Those that arrived stay in the cache.
    pub fn files(
        &self,
        repo: &HubRepo,
        paths: &[impl AsRef<str>],
    ) -> Result<Vec<PathBuf>, HubError> {
        let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
        let listing = self.list_for(repo, &paths)?;
        self.fetch(repo, &listing, &paths)
    }

    /// What the cache lacks of some files of a listing. Downloads nothing, but asks whether the hub would send it: a gated repository can be
    /// listed by anyone.
    ///
    /// # Errors
    /// As [`Hub::files`], for the first of the files that are missing.
    pub fn survey(
        &self,
        repo: &HubRepo,
        listing: &HubListing,
        paths: &[impl AsRef<str>],
    ) -> Result<Needed, HubError> {
        let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
        let cache = RepoCache::new(&self.cache_dir, repo);
        let missing = self.missing(repo, listing, &cache, &paths)?;
        let Some(first) = missing.first() else {
            return Ok(Needed::default());
        };
        let client = Client::new(self);
        match self
            .one(&client, &cache, repo, listing, first)
            .is_available()
        {
            Ok(()) => Ok(Needed::of(&missing, &cache)),
            Err(error) if error.cache_will_do() && self.has_cached(repo, &paths) => {
                Ok(Needed::default())
            }
            Err(error) => Err(error),
        }
    }

    /// Files of a listing, in the order of `paths`, as [`Hub::files`] without asking for the listing again.
    ///
    /// # Errors
    /// As [`Hub::files`].
    pub fn files_of(
        &self,
        repo: &HubRepo,
        listing: &HubListing,
        paths: &[impl AsRef<str>],
    ) -> Result<Vec<PathBuf>, HubError> {
        let paths: Vec<&str> = paths.iter().map(AsRef::as_ref).collect();
        self.fetch(repo, listing, &paths)
    }

    /// A file of the commit that was last downloaded, if the cache has it. Never asks the hub.
    pub fn cached_file(&self, repo: &HubRepo, path: &str) -> Option<PathBuf> {
        if !repo.is_valid() || !is_inner_path(path) {
            return None;
        }
        let cache = RepoCache::new(&self.cache_dir, repo);
        cache.find(&cache.commit()?, path)
    }

    /// The folder of the cache that holds the wanted files of a model repository; what the cache lacks is downloaded first.
    ///
    /// # Errors
    /// When neither the hub nor the cache has a required file.
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

    /// The listing for a caller who wants these paths, which decide whether the cache will do.
    fn list_for(&self, repo: &HubRepo, paths: &[&str]) -> Result<HubListing, HubError> {
        if !repo.is_valid() {
            return Err(HubError::BadName {
                repo: repo.clone().into(),
            });
        }
        let cached = HubListing::cached(&RepoCache::new(&self.cache_dir, repo));
        let serves = |listing: &HubListing| paths.iter().all(|path| listing.file(path).is_some());
        let is_enough = cached.as_ref().is_some_and(serves);
        if self.is_offline {
            return cached.ok_or_else(|| self.offline(repo, "any file"));
        }
        // With a usable copy in the cache nobody wants to wait for retries.
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
        let missing = self.missing(repo, listing, &cache, paths)?;
        if let Err(error) = self.download(repo, listing, &cache, &missing) {
            // The listing is open to all, the files of a gated repository are not; and the connection may have broken since.
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
        // Only now, so that a commit that arrived in part does not hide the complete one before it.
        if !listing.is_cached {
            cache.set_ref(&listing.commit)?;
        }
        let snapshot = cache.snapshot(&listing.commit);
        Ok(paths.iter().map(|path| snapshot.join(path)).collect())
    }

    /// The files that the cache lacks, each once.
    fn missing<'l>(
        &self,
        repo: &HubRepo,
        listing: &'l HubListing,
        cache: &RepoCache,
        paths: &[&str],
    ) -> Result<Vec<&'l HubFile>, HubError> {
        let mut missing: Vec<&HubFile> = Vec::new();
        for &path in paths {
            match listing.file(path) {
                Some(_) if cache.find(&listing.commit, path).is_some() => {}
                Some(file) if missing.iter().any(|other| other.path == file.path) => {}
                Some(file) => missing.push(file),
                None if self.is_offline => return Err(self.offline(repo, &format!("`{path}`"))),
                None => {
                    return Err(HubError::NoFile {
                        repo: repo.clone().into(),
                        file: path.to_owned(),
                    });
                }
            }
        }
        Ok(missing)
    }

    fn has_cached(&self, repo: &HubRepo, paths: &[&str]) -> bool {
        let mut paths = paths.iter();
        paths.all(|path| self.cached_file(repo, path).is_some())
    }

    fn one<'d>(
        &'d self,
        client: &'d Client<'_>,
        cache: &'d RepoCache,
        repo: &'d HubRepo,
        listing: &'d HubListing,
        file: &'d HubFile,
    ) -> Download<'d> {
        Download {
            client,
            endpoint: &self.endpoint,
            cache,
            repo,
            commit: &listing.commit,
            path: &file.path,
            listed_size: file.size,
        }
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
        let needed = Needed::of(files, cache);
        self.check_space(needed)?;
        info!("downloading {needed} of {repo}");
        let n_bytes = files
            .iter()
            .filter_map(|file| file.size)
            .fold(0, u64::saturating_add);
        let on_bytes: OnBytes = match &self.progress {
            Some(start) => start(&label, n_bytes),
            None => Box::new(|_| ()),
        };
        let client = Client::new(self);
        let next = AtomicUsize::new(0);
        let failure: Mutex<Option<(usize, HubError)>> = Mutex::new(None);
        let work = || {
            loop {
                let i = next.fetch_add(1, Ordering::Relaxed);
                let Some(file) = files.get(i) else { return };
                let download = self.one(&client, cache, repo, listing, file);
                if let Err(error) = download.run(&on_bytes) {
                    // No new downloads after this; those under way finish.
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
