//! Writing so that a file or folder gets its name only once it is complete: write beside its place, sync, rename, sync the folder.
//!
//! [`AtomicFile`] and [`write_atomically`] are for one file. For several that belong together, [`temporary_folder`] gives a place beside
//! theirs, [`sync_tree`] makes what was written there durable, and [`replace_folder`] exchanges it for the older folder. The crate `atomic-files`
//! does the work; here are the errors that name the path, and the syncs.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use atomic_files::{TemporaryFile, TemporaryFolder};

pub use atomic_files::{parent, set_aside, sweep, sweep_tree};

use crate::{Error, Result};

/// A file that appears under its name only when it is whole: written beside its place, synced, then renamed.
///
/// Dropped without [`AtomicFile::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    file: BufWriter<TemporaryFile>,
}

impl AtomicFile {
    /// Opens a temporary file in the folder of `path`, creating the folder if necessary.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder or the file cannot be created, or when `path` is a pipe or a device.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        // The finished file would take its place: /dev/stdout would be a file from then on.
        if fs::metadata(&path).is_ok_and(|it| !it.is_file() && !it.is_dir()) {
            let why = io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is a pipe or a device, which no file may replace",
            );
            return Err(Error::io("write", &path)(why));
        }
        let folder = parent(&path);
        create_folder(folder)?;
        let file =
            TemporaryFile::create_in(folder).map_err(Error::io("create a file in", folder))?;
        Ok(Self {
            path,
            file: BufWriter::with_capacity(1 << 20, file),
        })
    }

    /// The path that the finished file will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the bytes durable, then gives the file its name, replacing any older file.
    ///
    /// # Errors
    /// [`Error::Io`] when the disk is full, or the name cannot be taken.
    pub fn commit(self) -> Result<()> {
        let Self { path, file } = self;
        let file = file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .map_err(Error::io("write", &path))?;
        file.as_file()
            .sync_all()
            .map_err(Error::io("sync", &path))?;
        file.persist(&path)
            .map_err(Error::io("rename a finished file to", &path))?;
        // The rename itself is data of the folder: without this a power cut could undo it.
        sync(parent(&path))
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Writes a whole file atomically.
///
/// # Errors
/// [`Error::Io`] as for [`AtomicFile`].
pub fn write_atomically(path: impl Into<PathBuf>, bytes: &[u8]) -> Result<()> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)
        .map_err(Error::io("write", file.path()))?;
    file.commit()
}

/// An empty temporary folder inside `folder`, which is created if necessary. It is removed when dropped.
///
/// # Errors
/// [`Error::Io`] when either cannot be created.
pub fn temporary_folder(folder: &Path) -> Result<TemporaryFolder> {
    create_folder(folder)?;
    TemporaryFolder::create_in(folder).map_err(Error::io("create a folder in", folder))
}

/// Puts a folder, which [`sync_tree`] has made durable, in its place, by one exchange with the older folder where there is one. That one is then
/// where the new one was.
///
/// # Errors
/// [`Error::Io`]; the older folder is in its place then.
pub fn replace_folder(new: &Path, place: &Path) -> Result<()> {
    create_folder(parent(place))?;
    atomic_files::replace_folder(new, place)
        .map_err(Error::io("put a finished folder in the place of", place))?;
    // The exchange itself is data of the folder above.
    sync(parent(place))
}

/// Makes a file's bytes, or a folder's list of names, durable. A rename is durable only once its folder is.
///
/// # Errors
/// [`Error::Io`].
pub fn sync(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(Error::io("sync", path))
}

/// Makes a folder and everything in it durable.
///
/// # Errors
/// [`Error::Io`].
pub fn sync_tree(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        // Leaves first: a folder's list is made durable when what it lists is.
        if path.is_dir() {
            sync_tree(&path)?;
        } else {
            sync(&path)?;
        }
    }
    sync(folder)
}

/// Removes a file, if it exists.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_file(path: &Path) -> Result<()> {
    unless_missing(fs::remove_file(path)).map_err(Error::io("remove", path))
}

/// Removes a folder with everything in it, if it exists.
///
/// # Errors
/// [`Error::Io`].
pub fn remove_folder(path: &Path) -> Result<()> {
    unless_missing(fs::remove_dir_all(path)).map_err(Error::io("remove", path))
}

fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))
}

fn unless_missing(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("a/b.txt");
        {
            let mut file = AtomicFile::create(&path).expect("created");
            file.write_all(b"half").expect("written");
        }
        assert!(!path.exists());
        assert_eq!(names(parent(&path)), [""; 0], "nothing is left behind");

        #[cfg(unix)]
        {
            let error = AtomicFile::create("/dev/null").expect_err("a device");
            assert!(error.to_string().contains("/dev/null"), "{error}");
        }

        write_atomically(&path, b"old").expect("written");
        write_atomically(&path, b"new").expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"new");
    }

    #[test]
    fn a_folder_is_filled_beside_its_place_and_then_takes_it() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let place = root.path().join("place");
        for text in ["old", "new"] {
            let staging = temporary_folder(root.path()).expect("created");
            fs::create_dir(staging.path().join("inner")).expect("created");
            fs::write(staging.path().join("inner/file"), text).expect("written");
            sync_tree(staging.path()).expect("synced");
            replace_folder(staging.path(), &place).expect("replaced");
            drop(staging);
            assert_eq!(
                fs::read_to_string(place.join("inner/file")).expect("read"),
                text
            );
            assert_eq!(names(root.path()), ["place"], "the older one is removed");
        }
        drop(temporary_folder(root.path()).expect("created"));
        assert_eq!(names(root.path()), ["place"], "an unused one is removed");

        remove_file(&place.join("inner/file")).expect("removed");
        remove_folder(&place).expect("removed");
        for removed in [
            remove_file(&place.join("inner/file")),
            remove_folder(&place),
        ] {
            removed.expect("what is not there need not be removed");
        }
        assert!(remove_file(root.path()).is_err(), "a folder is not a file");
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("listed");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("listed").file_name();
        entries
            .map(|entry| name(entry).to_string_lossy().into_owned())
            .collect()
    }
}
