//! Writing so that a file or folder gets its name only once it is complete: write beside its place, sync, rename, sync the folder.
//!
//! [`AtomicFile`] and [`write_atomically`] are for one file. For several that belong together, [`temporary_folder`] gives a place beside
//! theirs, [`sync_tree`] makes what was written there durable, and [`rename`] moves it.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::{NamedTempFile, TempDir};

use crate::{Error, Result};

/// Begins the name of whatever is not whole yet. Listings skip hidden names, so a leftover of a killed program is never taken for data.
const PREFIX: &str = ".partial-";

/// A file that appears under its name only when it is whole: written beside its place, synced, then renamed.
///
/// Dropped without [`AtomicFile::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
}

impl AtomicFile {
    /// Opens a temporary file in the folder of `path`, creating the folder if necessary.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder or the file cannot be created.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let folder = parent(&path);
        create_folder(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        {
            // A temporary file is private by default; the finished one should be as readable as any other.
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder
            .tempfile_in(folder)
            .map_err(Error::io("create a file in", folder))?;
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
            .map_err(|error| error.error)
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

/// An empty temporary folder inside `folder`, which is created if necessary. It is removed when dropped, unless it was renamed and
/// [`TempDir::keep`] was called.
///
/// # Errors
/// [`Error::Io`] when either cannot be created.
pub fn temporary_folder(folder: &Path) -> Result<TempDir> {
    create_folder(folder)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    {
        // A temporary folder is private by default; one that takes its place should be as readable as any other.
        use std::os::unix::fs::PermissionsExt as _;
        builder.permissions(fs::Permissions::from_mode(0o777));
    }
    builder
        .tempdir_in(folder)
        .map_err(Error::io("create a folder in", folder))
}

/// Renames a file or folder and makes the new name durable. The folder that it moves to is created if necessary.
///
/// # Errors
/// [`Error::Io`].
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    let folder = parent(to);
    create_folder(folder)?;
    fs::rename(from, to).map_err(Error::io("rename a finished file or folder to", to))?;
    sync(folder)
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

/// The folder that holds `path`; `.` for a bare name.
pub fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
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

        write_atomically(&path, b"old").expect("written");
        write_atomically(&path, b"new").expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"new");
    }

    #[test]
    fn a_folder_is_filled_beside_its_place_and_then_takes_it() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let staging = temporary_folder(root.path()).expect("created");
        fs::create_dir(staging.path().join("inner")).expect("created");
        fs::write(staging.path().join("inner/file"), "x").expect("written");
        sync_tree(staging.path()).expect("synced");
        let place = root.path().join("deep/place");
        rename(staging.path(), &place).expect("renamed");
        _ = staging.keep();
        assert_eq!(fs::read(place.join("inner/file")).expect("read"), b"x");
        assert_eq!(names(root.path()), ["deep"]);

        drop(temporary_folder(root.path()).expect("created"));
        assert_eq!(names(root.path()), ["deep"], "an unused one is removed");

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
