//! Whether a figure or a table is up to date.

use std::collections::BTreeSet;

use crate::output::made_from::Fingerprint;

/// The record of a file compared with its inputs as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Made from its inputs as they are.
    Current,
    /// These inputs, by path below the data folder, have changed, appeared or vanished since the file was made; never empty.
    Stale(Vec<String>),
    /// No record says what it was made from.
    Unknown,
}

impl Origin {
    /// Compares a record with the inputs as they are.
    pub(crate) fn of(recorded: Option<&Fingerprint>, present: &Fingerprint) -> Self {
        let Some(recorded) = recorded else {
            return Self::Unknown;
        };
        // The keys of both: an input that appeared or vanished changes a figure as much as one that was
        // edited.
        let all: BTreeSet<&String> = recorded.keys().chain(present.keys()).collect();
        let changed: Vec<String> = (all.into_iter())
            .filter(|&path| recorded.get(path) != present.get(path))
            .cloned()
            .collect();
        if changed.is_empty() {
            Self::Current
        } else {
            Self::Stale(changed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_tells_what_changed() {
        let fingerprint = |hashes: &[(&str, &str)]| -> Fingerprint {
            let hashes = hashes.iter();
            hashes
                .map(|&(path, hash)| (path.to_owned(), hash.to_owned()))
                .collect()
        };
        let present = fingerprint(&[("a/test.parquet", "1"), ("a/preds/mf.parquet", "2")]);
        let stale = |paths: &[&str]| Origin::Stale(paths.iter().map(|&path| path.into()).collect());
        for (recorded, expected) in [
            (None, Origin::Unknown),
            (Some(present.clone()), Origin::Current),
            (
                Some(fingerprint(&[("a/test.parquet", "1")])),
                stale(&["a/preds/mf.parquet"]),
            ),
            (
                Some(fingerprint(&[
                    ("a/test.parquet", "0"),
                    ("a/preds/knn.parquet", "3"),
                    ("a/preds/mf.parquet", "2"),
                ])),
                stale(&["a/preds/knn.parquet", "a/test.parquet"]),
            ),
        ] {
            assert_eq!(Origin::of(recorded.as_ref(), &present), expected);
        }
    }
}
