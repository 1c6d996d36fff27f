use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::{Error, Result};

/// A file that appears under its name only when it is whole: written beside its place, synced, then renamed.
///
/// Dropped without [`AtomicFile::commit`], it leaves nothing behind.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    file: BufWriter<NamedTempFile>,
}

impl AtomicFile {
    /// Opens a temporary file in the folder of `path`, which is made if need be.
    ///
    /// # Errors
    /// [`Error::Io`] when the folder or the file cannot be made.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self> {
        let path = path.into();
        let folder = parent(&path);
        fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".partial-");
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

    /// Where the file will stand.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the bytes durable, then gives the file its name, replacing one that is there.
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
        // The rename itself is durable only once its folder is.
        let folder = parent(&path);
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(Error::io("sync the folder", folder))
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

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
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
        assert_eq!(
            fs::read_dir(path.parent().expect("a parent"))
                .expect("listed")
                .count(),
            0,
            "nothing is left behind"
        );

        write_atomically(&path, b"old").expect("written");
        write_atomically(&path, b"new").expect("written");
        assert_eq!(fs::read(&path).expect("read"), b"new");
    }
}
