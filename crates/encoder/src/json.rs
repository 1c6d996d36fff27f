//! JSON that other programs wrote.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::{Result, model_file::read_model_file};

/// Reads a file; a byte order mark, as some editors write it, is skipped.
///
/// # Errors
/// [`crate::Error::Mistaken`] for a file of another kind, or [`crate::Error::Dataset`].
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = read_model_file(path)?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(serde_json::from_slice(text).map_err(dataset::Error::json(path))?)
}
