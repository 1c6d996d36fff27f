//! made-from.json: what each file in a folder of figures was made from.
//!
//! A figure is out of date when its inputs have other bytes than those it was made from, whatever their times say: copying a folder, a
//! checkout or a clock that is wrong changes times, and a refit that gives the same predictions does not make their figure stale. The
//! record is kept for each file and not for each figure, because a run may write one format only and leave those of an earlier run.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use dataset::json;
use serde::{Deserialize, Serialize};
use tracing::warn;

/// Its name, in every folder of figures.
pub(crate) const MADE_FROM_FILE: &str = "made-from.json";
const FORMAT_VERSION: u32 = 1;

/// Inputs, by path below the data folder, with the SHA-256 of each.
pub(crate) type Fingerprint = BTreeMap<String, String>;

/// The record of one folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Record {
    format_version: u32,
    /// Files of the same inputs share an entry, which is most of a folder after a full run.
    made: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    /// Names within the folder.
    files: BTreeSet<String>,
    from: Fingerprint,
}

impl Record {
    fn nothing() -> Self {
        Self {
            format_version: FORMAT_VERSION,
            made: Vec::new(),
        }
    }

    /// The record of a folder; an empty one where there is none, or one that cannot be used. Then the origin of the folder's files is
    /// unknown, which is said of each, and no reason to make nothing.
    pub(crate) fn read(folder: &Path) -> Self {
        let path = folder.join(MADE_FROM_FILE);
        if !path.is_file() {
            return Self::nothing();
        }
        json::read_versioned(&path, FORMAT_VERSION).unwrap_or_else(|error| {
            warn!("ignoring the record of what the files beside it were made from: {error}");
            Self::nothing()
        })
    }

    /// Adds to a folder's record that files were made from inputs; what is known of other files stays.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub(crate) fn add(
        folder: &Path,
        files: BTreeSet<String>,
        from: &Fingerprint,
    ) -> anyhow::Result<()> {
        let before = Self::read(folder);
        let mut after = before.clone();
        after.insert(files, from);
        // Rewriting an unchanged record would give it a new time, and tools that copy what is newer
        // would copy it for nothing.
        if after == before {
            return Ok(());
        }
        Ok(json::write(&folder.join(MADE_FROM_FILE), &after)?)
    }

    fn insert(&mut self, mut files: BTreeSet<String>, from: &Fingerprint) {
        // A file was made from one set of inputs. If its name stayed in an older entry, which of the
        // two is found would be a matter of their order.
        for entry in &mut self.made {
            entry.files.retain(|file| !files.contains(file));
        }
        self.made.retain(|entry| !entry.files.is_empty());
        match self.made.iter_mut().find(|entry| entry.from == *from) {
            Some(entry) => entry.files.append(&mut files),
            None => self.made.push(Entry {
                files,
                from: from.clone(),
            }),
        }
    }

    /// What a file was made from; `None` where it is not known.
    pub(crate) fn of(&self, file: &str) -> Option<&Fingerprint> {
        let mut entries = self.made.iter();
        let entry = entries.find(|entry| entry.files.contains(file))?;
        Some(&entry.from)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use test_support::try_mutations;

    use super::*;

    fn files(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn from(hash: &str) -> Fingerprint {
        [("a/test.parquet".to_owned(), hash.to_owned())].into()
    }

    #[test]
    fn a_later_run_replaces_only_what_it_made() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        assert_eq!(Record::read(path).of("x.svg"), None);
        Record::add(path, files(&["x.svg", "x.png", "y.svg"]), &from("1")).expect("written");
        Record::add(path, files(&["x.svg"]), &from("2")).expect("written");
        Record::add(path, files(&["z.svg"]), &from("1")).expect("written");
        let read = Record::read(path);
        for (file, expected) in [
            ("x.svg", Some(from("2"))),
            ("x.png", Some(from("1"))),
            ("y.svg", Some(from("1"))),
            ("z.svg", Some(from("1"))),
            ("x.pdf", None),
        ] {
            assert_eq!(read.of(file), expected.as_ref(), "{file}");
        }
        assert_eq!(read.made.len(), 2, "equal inputs share an entry");
        Record::add(path, files(&["x.png", "y.svg", "z.svg"]), &from("2")).expect("written");
        assert_eq!(Record::read(path).made.len(), 1, "no entry without files");
    }

    #[test]
    fn mutations_of_records_are_read_or_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(MADE_FROM_FILE);
        Record::add(folder.path(), files(&["x.svg", "y.svg"]), &from("1")).expect("written");
        Record::add(folder.path(), files(&["z.svg"]), &from("2")).expect("written");
        let whole = fs::read(&path).expect("read");
        try_mutations(&[whole], |bytes| {
            fs::write(&path, bytes).expect("written");
            _ = Record::read(folder.path()).of("x.svg");
        });
    }

    #[test]
    fn a_record_that_cannot_be_used_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        for text in ["", "{", "{\"format-version\": 99, \"made\": []}"] {
            fs::write(path.join(MADE_FROM_FILE), text).expect("written");
            assert_eq!(Record::read(path), Record::nothing(), "{text}");
            Record::add(path, files(&["x.svg"]), &from("1")).expect("replaced");
            assert_eq!(Record::read(path).of("x.svg"), Some(&from("1")));
        }
    }
}
