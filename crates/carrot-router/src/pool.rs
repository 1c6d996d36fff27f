use std::path::{Path, PathBuf};

use dataset::{DatasetDir, ModelScores, Part, Prices, Split, sha256_file};
use saved_routers::{AddedModel, Addition, EditedPool, PoolEdit, Record, SavedRouter};

use crate::{Error, Result};

/// Changes to make to the LLMs of a saved router.
#[derive(Debug, Clone)]
pub struct PoolChanges {
    /// LLMs to remove.
    pub removed: Vec<String>,
    /// LLMs to add, by how they did on some of the prompts that the router was fitted on.
    pub added: Option<ModelScores>,
    /// Prices that override the router's own, and those of LLMs that are added.
    pub prices: Option<Prices>,
    /// The folder of the data sets. To add LLMs, the train part that the router was fitted on must be there: a router does not store the ids
    /// of its prompts.
    pub data_dir: PathBuf,
}

/// The router in a folder with other prices or LLMs, without refitting; nothing is written yet, see [`EditedPool::write`].
///
/// # Errors
/// [`Error::OtherTrainSplit`] or [`Error::Dataset`] when the train part is not the router's, or missing; [`Error::SavedRouter`] for a router
/// that cannot be read, or changes that cannot be made.
pub fn edit_pool(folder: &Path, changes: &PoolChanges) -> Result<EditedPool> {
    let router = SavedRouter::open(folder)?;
    // Other changes need no prompts, so they work where the data set is no longer on disk.
    let train_ids = match &changes.added {
        Some(_) => train_ids(folder, &router.record, &changes.data_dir)?,
        None => Vec::new(),
    };
    let added = changes.added.as_ref().map(|table| Addition {
        table,
        train_ids: &train_ids,
    });
    Ok(router.edit(&PoolEdit {
        prices: changes.prices.as_ref(),
        removed: &changes.removed,
        added,
    })?)
}

/// Whether too few train prompts have a score of an added LLM: mostly its mean score is predicted, or something worse than that.
pub fn is_poorly_known(added: &AddedModel) -> bool {
    added.n_known_neighbors < 1.0 || added.r2.is_some_and(|r2| r2 < 0.0)
}

/// The ids of the prompts that a router was fitted on, row by row.
fn train_ids(folder: &Path, record: &Record, data_dir: &Path) -> Result<Vec<String>> {
    let split = DatasetDir::existing(data_dir, &record.dataset)?.split(Part::Train);
    // A prompt's row ties it to its neighbors: with one prompt more or less, the scores of all that follow would go to the wrong ones.
    if sha256_file(&split)? != record.train_sha256 {
        return Err(Error::OtherTrainSplit {
            split,
            folder: folder.to_owned(),
        });
    }
    Ok(Split::read(&split)?.ids)
}
