use std::{
    fs::{self, File},
    io::{Read as _, Seek as _},
    path::Path,
};

use sha1::{Digest, Sha1};
use sha2::Sha256;
use tracing::warn;

use crate::error::HubError;

/// Of files that are read or written piece by piece.
pub(crate) const BUFFER: usize = 64 * 1024;

/// What the hub says about a file before it sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) etag: String,
    pub(crate) size: Option<u64>,
}

/// How a file is not what was announced.
pub(crate) struct Difference {
    pub(crate) what: &'static str,
    pub(crate) found: String,
    pub(crate) expected: String,
}

/// What differs, if anything does. The ETag is SHA-256 for large files and git's SHA-1 for others; of other kinds only the size is known.
pub(crate) fn check(
    file: &mut File,
    part: &Path,
    announced: &Announced,
) -> Result<Option<Difference>, HubError> {
    let size = length(file, part)?;
    if let Some(expected) = announced.size
        && size != expected
    {
        return Ok(Some(Difference {
            what: "size",
            found: size.to_string(),
            expected: expected.to_string(),
        }));
    }
    let is_hex = announced.etag.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (what, found) = match announced.etag.len() {
        64 if is_hex => ("SHA-256", digest(file, part, Sha256::new())?),
        40 if is_hex => {
            let start = Sha1::new().chain_update(format!("blob {size}\0"));
            ("git blob", digest(file, part, start)?)
        }
        _ => return Ok(None),
    };
    let is_equal = found.eq_ignore_ascii_case(&announced.etag);
    Ok((!is_equal).then(|| Difference {
        what,
        found,
        expected: announced.etag.clone(),
    }))
}

fn digest<D: Digest>(file: &mut File, part: &Path, mut hash: D) -> Result<String, HubError> {
    let mut read = || {
        file.rewind()?;
        let mut buffer = vec![0; BUFFER];
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                return Ok(());
            }
            hash.update(&buffer[..n]);
        }
    };
    read().map_err(HubError::io("read", part))?;
    let digits = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(digits)
}

/// A blob is checked before it gets its name, so that only another program's can be cut short.
pub(crate) fn is_whole(blob: &Path, announced: &Announced) -> bool {
    let Ok(found) = fs::metadata(blob) else {
        return false;
    };
    let is_whole = announced.size.is_none_or(|size| size == found.len());
    if !is_whole {
        warn!(
            "`{}` does not have the size of the file on the hub; downloading it again",
            blob.display()
        );
    }
    is_whole
}

pub(crate) fn length(file: &File, part: &Path) -> Result<u64, HubError> {
    let data = file.metadata().map_err(HubError::io("read", part))?;
    Ok(data.len())
}
