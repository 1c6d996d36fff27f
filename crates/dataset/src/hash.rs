use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// An input file, as a manifest records it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Source {
    /// The file as it was named on the command line, or the hub's `repo/file`.
    pub path: PathBuf,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Its size.
    pub n_bytes: u64,
}

impl Source {
    /// Hashes a file.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be read, or is not a file: what is hashed from a pipe is gone when it is to be read.
    pub fn of(path: &Path) -> Result<Self> {
        let metadata = path.metadata().map_err(Error::io("read", path))?;
        if !metadata.is_file() {
            let what =
                "it is a folder, a pipe or a device; write what comes from a pipe to a file first";
            return Err(Error::io("read", path)(io::Error::other(what)));
        }
        Ok(Self {
            path: path.to_owned(),
            sha256: sha256_file(path)?,
            n_bytes: metadata.len(),
        })
    }

    /// The settings that a program runs with: a file, or the text that is built into the program, under the name that it has in the
    /// repository.
    ///
    /// # Errors
    /// [`Error::Io`] when the file cannot be read.
    pub fn of_settings(path: Option<&Path>, built_in_path: &str, built_in: &str) -> Result<Self> {
        path.map_or_else(
            || {
                Ok(Self {
                    path: built_in_path.into(),
                    sha256: sha256_bytes(built_in.as_bytes()),
                    n_bytes: built_in.len() as u64,
                })
            },
            Self::of,
        )
    }
}

/// SHA-256 of a file's bytes, in lower-case hexadecimal.
///
/// # Errors
/// [`Error::Io`] when it cannot be read.
pub fn sha256_file(path: &Path) -> Result<String> {
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let mut hasher = Sha256::new();
    // Piece by piece: embeddings have gigabytes, and a mapped file could change under the hasher.
    let mut buffer = vec![0; 1 << 20];
    loop {
        let n_read = file.read(&mut buffer).map_err(Error::io("read", path))?;
        if n_read == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..n_read]);
    }
}

/// SHA-256 of bytes in memory, in lower-case hexadecimal.
pub fn sha256_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
