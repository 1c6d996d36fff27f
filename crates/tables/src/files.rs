//! Opening files, and the part files of a folder.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use untrusted_files::Mistaken;

use crate::{Error, Result};

/// Opens a file, with its first bytes.
pub(crate) fn open(path: &Path) -> Result<(File, Vec<u8>)> {
    // Before it is opened: a pipe waits for its writer, and what is read once from it is gone.
    check_is_file(path)?;
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let mut start = Vec::new();
    let mut first = (&mut file).take(Mistaken::N_BYTES as u64);
    first
        .read_to_end(&mut start)
        .map_err(Error::io("read", path))?;
    file.seek(SeekFrom::Start(0))
        .map_err(Error::io("read", path))?;
    match Mistaken::recognize(&start) {
        Some(found) => Err(Error::Mistaken {
            path: path.to_owned(),
            found,
        }),
        None => Ok((file, start)),
    }
}

/// Refuses what is no regular file.
fn check_is_file(path: &Path) -> Result<()> {
    let metadata = fs::metadata(path).map_err(Error::io("read", path))?;
    if metadata.is_file() {
        return Ok(());
    }
    let found = if metadata.is_dir() {
        "a folder"
    } else {
        "a pipe or a device, which can be read only once; write it to a file first"
    };
    Err(Error::NotAFile {
        path: path.to_owned(),
        found,
    })
}
