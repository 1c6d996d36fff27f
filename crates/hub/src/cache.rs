use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process,
};

use hf_hub::Cache;
use tracing::info;

use crate::{
    error::HubError,
    repo::{HubRepo, is_inner_path},
};

/// The folder of one repository in the cache, laid out as Python's `huggingface_hub` does it (`file_download.py`, 2.4.0):
///
/// ```text
/// <cache>/datasets--owner--name/refs/main                    the commit, as text
///                              /snapshots/<commit>/<path>    a link to ../../blobs/<etag>
///                              /blobs/<etag>                 the bytes
/// <cache>/.locks/datasets--owner--name/<etag>.lock
/// ```
///
/// # Deviations
/// A download under way is `blobs/<etag>.incomplete` until it is whole and checked, and the next process goes on with it; there, each
/// process begins a file of its own.
pub(crate) struct RepoCache {
    cache: Cache,
    repo: hf_hub::Repo,
}

/// A blob's lock, held until dropped.
pub(crate) struct Lock {
    /// `None` where the file system has no locks.
    pub(crate) file: Option<File>,
}

impl RepoCache {
    pub(crate) fn new(cache_dir: &Path, repo: &HubRepo) -> Self {
        Self {
            cache: Cache::new(cache_dir.to_owned()),
            repo: repo.layout(),
        }
    }

    /// The commit that the revision was when it was last downloaded.
    pub(crate) fn commit(&self) -> Option<String> {
        let revision = self.repo.revision();
        if let Ok(commit) = fs::read_to_string(self.folder().join("refs").join(revision)) {
            let commit = commit.trim();
            return is_inner_path(commit).then(|| commit.to_owned());
        }
        // A commit has no ref of its own.
        let is_commit = !revision.contains('/') && self.snapshot(revision).is_dir();
        is_commit.then(|| revision.to_owned())
    }

    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.cache.repo(self.repo.clone()).pointer_path(commit)
    }

    pub(crate) fn blob(&self, etag: &str) -> PathBuf {
        self.cache.repo(self.repo.clone()).blob_path(etag)
    }

    /// A file of a snapshot, if it is there and whole.
    pub(crate) fn find(&self, commit: &str, path: &str) -> Option<PathBuf> {
        let path = self.snapshot(commit).join(path);
        path.is_file().then_some(path)
    }

    /// Paths and sizes of the files of a snapshot, by name.
    pub(crate) fn files(&self, commit: &str) -> Vec<(String, u64)> {
        let root = self.snapshot(commit);
        let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let (Ok(inner), Ok(data)) =
                    (path.strip_prefix(&root), fs::metadata(&path))
                {
                    let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
                    files.push((parts.join("/"), data.len()));
                }
            }
        }
        files.sort();
        files
    }

    /// Waits until no other process, Python's included, downloads this blob.
    pub(crate) fn lock(&self, etag: &str, file_name: &str) -> Result<Lock, HubError> {
        let path = self.lock_path(&format!("{etag}.lock"));
        make_parent(&path)?;
        let options = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let file = options.map_err(HubError::io("open the lock", &path))?;
        let locked = match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                info!("another process downloads `{file_name}`; waiting for it");
                file.lock()
            }
            Err(TryLockError::Error(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        match locked {
            Ok(()) => Ok(Lock { file: Some(file) }),
            Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(Lock { file: None }),
            Err(error) => Err(HubError::io("lock", path)(error)),
        }
    }

    /// Makes a blob appear in a snapshot.
    pub(crate) fn link(&self, etag: &str, commit: &str, path: &str) -> Result<PathBuf, HubError> {
        let pointer = self.snapshot(commit).join(path);
        if pointer.is_file() {
            return Ok(pointer);
        }
        make_parent(&pointer)?;
        // A link whose blob someone deleted.
        if pointer.is_symlink() {
            fs::remove_file(&pointer).map_err(HubError::io("replace", &pointer))?;
        }
        // From the file's folder up to the repository's: snapshots, the commit, and the folders in `path`.
        let n_up = path.split('/').count() + 1;
        let target: PathBuf = std::iter::repeat_n("..", n_up)
            .chain(["blobs", etag])
            .collect();
        match symlink(&target, &self.blob(etag), &pointer) {
            // Another process was faster.
            Err(_) if pointer.is_file() => Ok(pointer),
            Err(error) => Err(HubError::io("link", pointer)(error)),
            Ok(()) => Ok(pointer),
        }
    }

    /// Notes which commit the revision is.
    pub(crate) fn set_ref(&self, commit: &str) -> Result<(), HubError> {
        let revision = self.repo.revision();
        if revision == commit || self.commit().as_deref() == Some(commit) {
            return Ok(());
        }
        let path = self.folder().join("refs").join(revision);
        make_parent(&path)?;
        // Beside the locks and not among the refs, each of which Python reads. A killed process's is written over by the next.
        let lock = self.lock("refs", revision)?;
        let part = match lock.file {
            Some(_) => self.lock_path("refs.partial"),
            None => self.lock_path(&format!("refs.{}.partial", process::id())),
        };
        let write = || -> io::Result<()> {
            let mut file = File::create(&part)?;
            file.write_all(commit.as_bytes())?;
            file.sync_all()?;
            fs::rename(&part, &path)
        };
        write().map_err(HubError::io("write", &path))
    }

    fn lock_path(&self, name: &str) -> PathBuf {
        let locks = self.cache.path().join(".locks");
        locks.join(self.repo.folder_name()).join(name)
    }

    fn folder(&self) -> PathBuf {
        self.cache.path().join(self.repo.folder_name())
    }
}

/// Makes the folder that a file will lie in.
pub(crate) fn make_parent(path: &Path) -> Result<&Path, HubError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(HubError::io("make the folder", folder))?;
    Ok(folder)
}

#[cfg(unix)]
fn symlink(target: &Path, _blob: &Path, pointer: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, pointer)
}

/// Links need a right that not all have: Python then moves the blob into the snapshot, where it is found as well.
#[cfg(not(unix))]
fn symlink(_target: &Path, blob: &Path, pointer: &Path) -> io::Result<()> {
    fs::rename(blob, pointer)
}
