use std::{fs, path::Path};

use anyhow::Context as _;
use serde::de::DeserializeOwned;

/// Settings from `path`, or from `built_in`, the text of the file under configs/ that the program was built with.
///
/// # Errors
/// When the file cannot be read, or is not of the expected form; the message has line and column.
pub fn read_toml<T: DeserializeOwned>(path: Option<&Path>, built_in: &str) -> anyhow::Result<T> {
    match path {
        Some(path) => {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read `{}`", path.display()))?;
            toml::from_str(&text)
                .with_context(|| format!("cannot use the settings in `{}`", path.display()))
        }
        None => toml::from_str(built_in).context("cannot use the built-in settings"),
    }
}
