use std::{fs, path::Path};

use serde::de::DeserializeOwned;

use crate::{Error, Result};

/// Reads a JSON file.
///
/// # Errors
/// [`Error::Io`] or [`Error::Json`].
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs::read(path).map_err(|source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&bytes).map_err(|source| Error::Json {
        path: path.to_owned(),
        source,
    })
}
