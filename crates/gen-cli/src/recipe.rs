use std::collections::{BTreeMap, BTreeSet};

use datagen::{DatasetName, PriceList, RandomSplit, RawTable};
use dataset::{DatasetInfo, Pair, Source};
use serde_json::Value;

/// What would be made, and of what. Two runs of equal recipes make the same bytes.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The data set's name.
    pub name: DatasetName,
    /// The LLMs that binary routers choose between.
    pub pair: Option<Pair>,
    /// How to split a source that has no parts.
    pub split: RandomSplit,
    /// The files of the source, the hub's as `repo/file`.
    pub sources: Vec<Source>,
    /// The arguments that decide what is in the data set, by name. `limit` is added to them by [`crate::run`].
    pub options: BTreeMap<String, String>,
    /// Program and version.
    pub made_by: String,
}

/// What a generator read of its source.
#[derive(Debug)]
pub struct Raw {
    /// The rows. `--limit` is applied to them afterwards; a reader may leave out such rows itself where that saves work.
    pub table: RawTable,
    /// Prices, where costs have to be worked out from tokens.
    pub prices: Option<PriceList>,
    /// What a reader of the numbers should know.
    pub notes: Vec<String>,
    /// What else was found out.
    pub extras: Vec<Extra>,
}

/// A finding about a source that is reported with the data set, and kept in its `dataset.json`.
#[derive(Debug)]
pub struct Extra {
    /// Its key in the report and in `dataset.json`.
    pub name: &'static str,
    /// For programs.
    pub value: Value,
    /// For people; some lines.
    pub text: String,
}

impl Recipe {
    /// In what a data set that is there differs from what would be made, in words.
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
        // Where a file lies does not matter, what is in it does.
        let hashes = |sources: &[Source]| -> Vec<String> {
            sources.iter().map(|source| source.sha256.clone()).collect()
        };
        if hashes(&found.sources) != hashes(&self.sources) {
            differences.push("made of other files".to_owned());
        }
        differences
    }
}
