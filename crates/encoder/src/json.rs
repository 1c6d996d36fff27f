//! JSON that other programs wrote.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;
use untrusted_files::Mistaken;

use crate::{Error, Result};

/// Reads a file; a byte order mark, as some editors write it, is skipped.
///
/// # Errors
/// [`Error::Mistaken`] for a file of another kind, or [`Error::Dataset`].
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(dataset::Error::io("read", path))?;
    parse(path, &bytes)
}

/// The same for a file that was read.
///
/// # Errors
/// As [`read`].
pub(crate) fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T> {
    if let Some(found) = Mistaken::recognize(bytes) {
        return Err(Error::Mistaken {
            path: path.to_owned(),
            found,
        });
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    Ok(serde_json::from_slice(text).map_err(dataset::Error::json(path))?)
}
