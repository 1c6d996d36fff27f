//! The two orders of the Open LLM Leaderboard's published matrix: rows as they were published, where row 7 of one LLM is a different question from
//! row 7 of the next, and rows by document. Only its dataset.json says whether a data set was made from the matrix, and in which order.

use std::{collections::BTreeMap, path::Path};

use dataset::{DatasetDir, DatasetInfo};

use super::inputs;

/// The option of gen-openllm that keeps the published order, as dataset.json records it.
const AS_PUBLISHED: &str = "as-published";
/// What gen-openllm found out about the orders in the matrix, as dataset.json records it.
const ALIGNMENT: &str = "alignment";

/// How the rows of LLMs belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowOrder {
    /// A row is one document.
    ByDocument,
    /// A row may mix as many documents as there are LLMs.
    AsPublished,
}

impl RowOrder {
    /// The order of a data set that was made from the matrix; `None` for all others.
    pub(crate) fn of(info: &DatasetInfo) -> Option<Self> {
        let is_as_published = info.options.contains_key(AS_PUBLISHED);
        info.findings
            .contains_key(ALIGNMENT)
            .then_some(if is_as_published {
                Self::AsPublished
            } else {
                Self::ByDocument
            })
    }

    /// What a title says.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::ByDocument => "rows by document",
            Self::AsPublished => "rows as published",
        }
    }
}

/// The data set that was made from the same files with the same options, but for the order of the rows, whatever its name.
///
/// # Errors
/// When the data folder cannot be listed.
pub(crate) fn twin(data_dir: &Path, info: &DatasetInfo) -> anyhow::Result<Option<DatasetDir>> {
    let Some(order) = RowOrder::of(info) else {
        return Ok(None);
    };
    for dir in inputs::all(data_dir)? {
        // One that cannot be read is reported when its own turn comes.
        let Ok(other) = DatasetInfo::read(&dir.info()) else {
            continue;
        };
        // Names say nothing: either data set may have been called anything. The same source files with the same options but one are the
        // same data.
        if RowOrder::of(&other).is_some_and(|other| other != order)
            && sources(&other) == sources(info)
            && options(&other) == options(info)
        {
            return Ok(Some(dir));
        }
    }
    Ok(None)
}

fn sources(info: &DatasetInfo) -> Vec<&str> {
    let sources = info.sources.iter();
    sources.map(|source| source.sha256.as_str()).collect()
}

fn options(info: &DatasetInfo) -> BTreeMap<&str, &str> {
    let options = info.options.iter();
    let options = options.map(|(key, value)| (key.as_str(), value.as_str()));
    options.filter(|(key, _)| *key != AS_PUBLISHED).collect()
}
