//! TOML files, with the path, the line and the column in every error.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Reads a file.
///
/// # Errors
/// [`Error::Io`] or [`Error::Toml`].
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    parse(&text, path)
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
