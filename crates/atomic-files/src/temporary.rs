use std::{
    fs::{File, TryLockError},
    io::{self, Write},
    path::Path,
};

use tempfile::{NamedTempFile, TempDir};

use crate::{
    interruption::{Listed, listed, uninterrupted},
    is_at,
};

/// Begins the name of whatever is not whole yet. Listings skip hidden names, so a leftover of a killed program is never taken for data.
pub(crate) const PREFIX: &str = ".partial-";
/// Letters and digits that follow.
pub(crate) const N_RANDOM: usize = 6;
/// Another process may take a new file for a leftover in the moment before it is locked; so often in a row it cannot.
const MAX_TRIES: usize = 100;

/// A file without its final name, locked by this process. Dropped, it is removed.
#[derive(Debug)]
pub struct TemporaryFile {
    file: NamedTempFile,
    // After the file, which must be gone before it is no longer listed.
    _listed: Listed,
}

impl TemporaryFile {
    /// Creates an empty file in a folder, as readable as any other file.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn create_in(folder: &Path) -> io::Result<Self> {
        let builder = builder(0o666);
        let create = || listed(|| builder.tempfile_in(folder), NamedTempFile::path);
        let (file, listed) = claimed(create, |(file, _)| is_claimed(file.as_file(), file.path()))?;
        Ok(Self {
            file,
            _listed: listed,
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The open file.
    pub fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Gives the file its final name, replacing any other file of that name.
    ///
    /// # Errors
    /// When the system refuses; the temporary file is removed then.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        let Self { file, _listed } = self;
        // What is left of the file where that fails is dropped, and so removed, while it is still listed.
        uninterrupted(|| file.persist(path)).map_err(|error| error.error)?;
        Ok(())
    }

    /// The same, but fails with [`io::ErrorKind::AlreadyExists`] if there is such a file.
    ///
    /// # Errors
    /// When there is one, or the system refuses.
    pub fn persist_noclobber(self, path: &Path) -> io::Result<()> {
        let Self { file, _listed } = self;
        uninterrupted(|| file.persist_noclobber(path)).map_err(|error| error.error)?;
        Ok(())
    }
}

impl Write for TemporaryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A folder without its final name, locked by this process. Dropped, whatever is in its place then is removed.
#[derive(Debug)]
pub struct TemporaryFolder {
    folder: TempDir,
    _lock: Option<File>,
    _listed: Listed,
}

impl TemporaryFolder {
    /// Creates an empty folder in a folder, as readable as any other.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn create_in(folder: &Path) -> io::Result<Self> {
        let builder = builder(0o777);
        let create = || {
            let (folder, listed) = listed(|| builder.tempdir_in(folder), TempDir::path)?;
            // Not every system can open a folder. Where none can, none takes it for a leftover either.
            let lock = File::open(folder.path()).ok();
            Ok(Self {
                folder,
                _lock: lock,
                _listed: listed,
            })
        };
        claimed(create, |this: &Self| match &this._lock {
            Some(lock) => is_claimed(lock, this.path()),
            // Without a lock because it cannot be opened, or because it is gone.
            None => Ok(this.path().is_dir()),
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Creates until what was created could be locked.
fn claimed<T>(
    create: impl Fn() -> io::Result<T>,
    is_claimed: impl Fn(&T) -> io::Result<bool>,
) -> io::Result<T> {
    for _ in 0..MAX_TRIES {
        let created = create()?;
        if is_claimed(&created)? {
            return Ok(created);
        }
    }
    Err(io::Error::other(
        "another process removes each temporary file as soon as it is created",
    ))
}

/// Locks a new file or folder; false if another process took it for a leftover and is removing it.
fn is_claimed(file: &File, path: &Path) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => is_at(file, path),
        Err(TryLockError::WouldBlock) => Ok(false),
        // On a file system without locks no process can lock it, and each that sweeps leaves it alone.
        Err(TryLockError::Error(_)) => Ok(true),
    }
}

fn builder(mode: u32) -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).rand_bytes(N_RANDOM);
    #[cfg(unix)]
    {
        // What is temporary is private by default; what takes its place should be as readable as any other.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = mode;
    builder
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sweep;

    #[test]
    fn what_is_temporary_is_hidden_and_removed_unless_it_is_finished() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let (path, other) = (root.path().join("file"), root.path().join("other"));
        let n_entries = || fs::read_dir(root.path()).expect("listed").count();
        let write = |text: &str| {
            let mut file = TemporaryFile::create_in(root.path()).expect("created");
            file.write_all(text.as_bytes()).expect("written");
            let name = file.path().file_name().map(|name| name.to_owned());
            let name = name.expect("a name");
            assert!(name.to_string_lossy().starts_with(PREFIX));
            file
        };
        drop(write("never finished"));
        drop(TemporaryFolder::create_in(root.path()).expect("created"));
        assert_eq!(n_entries(), 0);
        write("1").persist(&path).expect("renamed");
        write("2").persist(&path).expect("renamed");
        let error = write("3").persist_noclobber(&path).expect_err("it exists");
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        write("4").persist_noclobber(&other).expect("renamed");
        let texts = [path, other].map(|path| fs::read_to_string(path).expect("read"));
        assert_eq!((texts, n_entries()), (["2".into(), "4".into()], 2));
    }

    #[test]
    fn threads_that_create_and_threads_that_sweep_do_not_disturb_each_other() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let path = root.path();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    for i in 0..100 {
                        sweep(path);
                        let mut file = TemporaryFile::create_in(path).expect("created");
                        let folder = TemporaryFolder::create_in(path).expect("created");
                        write!(file, "{i}").expect("written");
                        fs::write(folder.path().join("file"), "x").expect("not removed");
                        file.persist(&path.join(format!("{thread}-{i}")))
                            .expect("not removed");
                    }
                });
            }
        });
        assert_eq!(fs::read_dir(path).expect("listed").count(), 400);
    }
}
