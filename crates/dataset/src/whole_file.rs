//! Small files that are read whole: settings and descriptions.

use std::{fs, path::Path};

use untrusted_files::{Budget, Mistaken};

use crate::{Error, Result};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes of a text file, without the mark that some editors put before them.
///
/// # Errors
/// [`Error::Io`]; [`Error::Mistaken`] for another kind of file under this name; [`Error::OverBudget`] for one that is too large.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let n_bytes = fs::metadata(path).map_err(Error::io("read", path))?.len();
    let fits = Budget::get().check("it", n_bytes);
    fits.map_err(|source| Error::OverBudget {
        path: path.to_owned(),
        source,
    })?;
    let mut bytes = fs::read(path).map_err(Error::io("read", path))?;
    if let Some(found) = Mistaken::recognize(&bytes) {
        return Err(Error::Mistaken {
            path: path.to_owned(),
            found,
        });
    }
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_of_ours_is_named() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let read = |bytes: &[u8]| {
            fs::write(file.path(), bytes).expect("written");
            read(file.path())
        };
        assert_eq!(read(b"\xef\xbb\xbf{}").expect("text"), b"{}");
        assert_eq!(read(b"").expect("text"), b"");
        for (bytes, expected) in [
            (
                &b"version https://git-lfs.github.com/spec/v1\n"[..],
                "is a Git LFS pointer",
            ),
            (b"<!doctype html>", "is a web page"),
            (b"\x1f\x8b\x08", "is compressed by gzip"),
        ] {
            let message = read(bytes).expect_err("mistaken").to_string();
            assert!(message.contains(expected), "{message}");
        }
    }
}
