//! TOML files, with the path, the line and the column in every error.

use std::{io, path::Path};

use serde::de::DeserializeOwned;

use crate::{Error, Result, whole_file};

/// Reads a file.
///
/// # Errors
/// [`Error::Io`], [`Error::Mistaken`], [`Error::OverBudget`] or [`Error::Toml`].
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = whole_file::read(path)?;
    let text = String::from_utf8(bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()));
    parse(&text.map_err(Error::io("read", path))?, path)
}

/// The same of a file's text; `path` is only for messages. For files that are built into a program.
///
/// # Errors
/// [`Error::Toml`].
pub fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T> {
    ::toml::from_str(text).map_err(|source| Error::Toml {
        path: path.to_owned(),
        source: Box::new(source),
    })
}
