//! Files that other programs wrote.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;
use tokenizers::Tokenizer;
use untrusted_files::{Mistaken, guard};

use crate::{Error, Result};

/// A file's bytes.
///
/// # Errors
/// [`Error::Dataset`], or [`Error::Mistaken`] for a file of another kind.
pub(crate) fn bytes(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(dataset::Error::io("read", path))?;
    match Mistaken::recognize(&bytes) {
        None => Ok(bytes),
        Some(found) => Err(Error::Mistaken {
            path: path.to_owned(),
            found,
        }),
    }
}

/// A JSON file; a byte order mark, as some editors write it, is skipped.
///
/// # Errors
/// As [`bytes`].
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = bytes(path)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(serde_json::from_slice(text).map_err(dataset::Error::json(path))?)
}

/// A tokenizer.json of any model. A file that the tokenizers library would panic on is an error like others.
///
/// # Errors
/// As [`bytes`], or [`Error::Tokenizer`].
pub(crate) fn tokenizer(path: &Path) -> Result<Tokenizer> {
    let bytes = bytes(path)?;
    let read = guard(|| Tokenizer::from_bytes(&bytes));
    let read = read.unwrap_or_else(|panicked| Err(panicked.into()));
    read.map_err(|source| Error::Tokenizer {
        path: path.to_owned(),
        source,
    })
}
