use std::collections::{BTreeMap, BTreeSet};

use dataset::{DatasetInfo, Pair, Source};

use crate::{DatasetName, RandomSplit};

/// What is to be made, and from what. Two runs of equal recipes give the same bytes.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The data set's name.
    pub name: DatasetName,
    /// The LLMs that binary routers choose between.
    pub pair: Option<Pair>,
    /// How to split a table whose rows have no part yet.
    pub split: RandomSplit,
    /// The column whose values name groups of rows that a random split keeps together: `task`, or a kept one.
    pub group: Option<String>,
    /// The files that the table is made from, the hub's as `repo/file`.
    pub sources: Vec<Source>,
    /// The arguments that decide what is in the data set, by name. `limit` is added to them by [`crate::cli::run`].
    pub options: BTreeMap<String, String>,
    /// Program and version.
    pub made_by: String,
}

impl Recipe {
    /// How an existing data set differs from what this recipe would make, in words.
    pub(crate) fn differences(&self, found: &DatasetInfo) -> Vec<String> {
        let mut differences = Vec::new();
        if found.made_by != self.made_by {
            differences.push(format!(
                "made by {}, this is {}",
                found.made_by, self.made_by
            ));
        }
        if found.pair != self.pair {
            differences.push("another pair of LLMs".to_owned());
        }
        let keys = found.options.keys().chain(self.options.keys());
        let keys: BTreeSet<&String> = keys.collect();
        for key in keys {
            let (old, new) = (found.options.get(key), self.options.get(key));
            if old != new {
                let show = |value: Option<&String>| {
                    value.map_or("not set".to_owned(), |value| format!("`{value}`"))
                };
                differences.push(format!("{key} was {}, now {}", show(old), show(new)));
            }
        }
        // Where a file lies does not matter, only what is in it: a path and a download of the same bytes are one source.
        let hashes = |sources: &[Source]| -> Vec<String> {
            sources.iter().map(|source| source.sha256.clone()).collect()
        };
        if hashes(&found.sources) != hashes(&self.sources) {
            differences.push("made from other files".to_owned());
        }
        differences
    }
}
