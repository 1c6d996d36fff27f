use std::{fs, path::Path};

use untrusted_files::Mistaken;

use crate::{Error, Result};

/// The bytes of a model's file, which is read whole.
///
/// # Errors
/// [`Error::Dataset`] where it cannot be read; [`Error::Mistaken`] for a file of another kind under this name.
pub fn read_model_file(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(dataset::Error::io("read", path))?;
    match Mistaken::recognize(&bytes) {
        Some(found) => Err(Error::Mistaken {
            path: path.to_owned(),
            found,
        }),
        None => Ok(bytes),
    }
}
