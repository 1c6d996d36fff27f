//! JSON files: read with the path in every error, written atomically, indented, with a newline at the end.

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, Result, whole_file, write_atomically};

/// The key under which a versioned file says which version of its format it has.
const VERSION: &str = "format-version";

/// Reads a file.
///
/// # Errors
/// [`Error::Io`], [`Error::Mistaken`], [`Error::OverBudget`] or [`Error::Json`].
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = whole_file::read(path)?;
    serde_json::from_slice(&text).map_err(Error::json(path))
}

/// Reads a file whose `format-version` must be `expected`. The version is looked at before anything else, because another version may
/// have changed everything else.
///
/// # Errors
/// As for [`read`], and [`Error::FormatVersion`].
pub fn read_versioned<T: DeserializeOwned>(path: &Path, expected: u32) -> Result<T> {
    // Not straight into `T`: a key that another version added would be the error, and not the version.
    let value: Value = read(path)?;
    let found = value.get(VERSION);
    if found.and_then(Value::as_u64) != Some(expected.into()) {
        return Err(Error::FormatVersion {
            path: path.to_owned(),
            found: found.map_or_else(|| "none".to_owned(), Value::to_string),
            expected,
        });
    }
    serde_json::from_value(value).map_err(Error::json(path))
}

/// Writes a file atomically. The same value gives the same bytes.
///
/// # Errors
/// [`Error::Io`] or [`Error::Json`].
pub fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_vec_pretty(value).map_err(Error::json(path))?;
    // So that the file is a text file for git, diff and editors.
    text.push(b'\n');
    write_atomically(path, &text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct Record {
        format_version: u32,
        name: String,
    }

    #[test]
    fn a_version_is_looked_at_before_the_rest() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("record.json");
        let record = Record {
            format_version: 1,
            name: "x".to_owned(),
        };
        write(&path, &record).expect("written");
        assert_eq!(
            fs::read_to_string(&path).expect("read"),
            "{\n  \"format-version\": 1,\n  \"name\": \"x\"\n}\n"
        );
        assert_eq!(read::<Record>(&path).expect("read"), record);
        assert_eq!(read_versioned::<Record>(&path, 1).expect("read"), record);

        for (text, found) in [
            (r#"{"format-version": 2, "unheard-of": 1}"#, "2"),
            (r#"{"format-version": "1"}"#, "\"1\""),
            (r#"{"name": "x"}"#, "none"),
        ] {
            fs::write(&path, text).expect("written");
            let error = read_versioned::<Record>(&path, 1).expect_err("another version");
            let expected = format!("has format version {found}, expected 1");
            assert!(error.to_string().ends_with(&expected), "{error}");
        }
        fs::write(&path, r#"{"format-version": 1}"#).expect("written");
        let error = read_versioned::<Record>(&path, 1).expect_err("no name");
        assert!(matches!(error, Error::Json { .. }), "{error}");
    }
}
