use std::path::{Path, PathBuf};

use dataset::{
    DatasetDir, DatasetInfo, Embeddings, ModelScores, Part, PartTable, Prices, sha256_file,
};
use saved_routers::{
    AddedModel, Addition, EditNeeds, EditedPool, PoolEdit, Record, SavedRouter, TrainPart,
};
use tracing::info;

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
    /// Whether to make a router with added LLMs even where it routes worse than without them.
    pub allow_worse: bool,
    /// The folder of the data sets. To add LLMs, the train part that the router was fitted on must be there: a router does not store the ids
    /// of its prompts. For any change of a blend it must be, and so must the embeddings of its prompts, unless nearest neighbors have weight
    /// in the blend, which store them.
    pub data_dir: PathBuf,
}

/// The router in a folder with other prices or LLMs, without choosing anything by cross-validation again but whether a blend routes; nothing is
/// written yet, see [`EditedPool::write`]. LLMs that make routing worse by more than a standard error ([`EditedPool::added_gain`]) are refused, unless
/// the changes allow it. `on_progress` counts train prompts of a blend.
///
/// # Errors
/// [`Error::WorseWithAdded`]; [`Error::OtherTrainSplit`] or [`Error::Dataset`] when the train part is not the router's, or missing; [`Error::NoTrainEmbeddings`] or
/// [`Error::OtherTrainEmbeddings`] for the embeddings of its prompts; [`Error::SavedRouter`] for a router that cannot be read, or changes that
/// cannot be made.
pub fn edit_pool(
    folder: &Path,
    changes: &PoolChanges,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Result<EditedPool> {
    let router = SavedRouter::open(folder)?;
    let needs = router.edit_needs();
    // Other changes need no prompts, so they work where the data set is no longer on disk.
    let table = match (&changes.added, needs) {
        (None, EditNeeds::Ids) => None,
        _ => Some(train_table(folder, &router.record, &changes.data_dir)?),
    };
    let embeddings = match (&table, needs) {
        (Some(table), EditNeeds::TableAndEmbeddings) => Some(train_embeddings(
            folder,
            &router.record,
            &changes.data_dir,
            table,
        )?),
        _ => None,
    };
    if let Some(table) = &table
        && needs != EditNeeds::Ids
    {
        info!(
            "fitting the blend's learners to the changed LLMs on {} train prompts, to decide whether routing is worth it",
            table.n_prompts()
        );
    }
    let train_ids = table.as_ref().map_or(&[][..], |table| &table.ids);
    let added = changes
        .added
        .as_ref()
        .map(|table| Addition { table, train_ids });
    let train = table.as_ref().map(|table| TrainPart {
        table,
        embeddings: embeddings.as_ref().map(|it| it.values.view()),
    });
    let edit = PoolEdit {
        prices: changes.prices.as_ref(),
        removed: &changes.removed,
        added,
        train,
    };
    let edited = router.edit(&edit, on_progress)?;
    match edited.added_gain() {
        Some(gain) if gain.is_worse() && !changes.allow_worse => Err(Error::WorseWithAdded {
            added: edited.added().iter().map(|it| it.name.clone()).collect(),
            gain: *gain,
        }),
        _ => Ok(edited),
    }
}

/// Whether too few train prompts have a score of an added LLM: what is predicted of it is mostly what the other LLMs let expect, or something worse than
/// its mean score.
pub fn is_poorly_known(added: &AddedModel) -> bool {
    added.n_known_neighbors < 1.0 || added.r2.is_some_and(|r2| r2 < 0.0)
}

/// The train part that a router was fitted on.
fn train_table(folder: &Path, record: &Record, data_dir: &Path) -> Result<PartTable> {
    let dir = DatasetDir::existing(data_dir, &record.dataset)?;
    let split = dir.split(Part::Train);
    // A prompt's row ties it to its neighbors: with one prompt more or less, the scores of all that follow would go to the wrong ones.
    if sha256_file(&split)? != record.train_sha256 {
        return Err(Error::OtherTrainSplit {
            split,
            folder: folder.to_owned(),
        });
    }
    let table = PartTable::read(&split)?;
    // Of a log, whether a blend routes is decided by known scores over their propensities.
    let is_unweighed_log = table.propensities.is_none() && table.asked().is_some();
    match is_unweighed_log && dir.propensities().is_file() {
        true => {
            let info = DatasetInfo::read(&dir.info())?;
            Ok(PartTable::read_weighed(&dir, &info, Part::Train)?)
        }
        false => Ok(table),
    }
}

/// The embeddings that a router was fitted on, of the train part's prompts.
fn train_embeddings(
    folder: &Path,
    record: &Record,
    data_dir: &Path,
    table: &PartTable,
) -> Result<Embeddings> {
    let dir = DatasetDir::existing(data_dir, &record.dataset)?;
    let embedder = record.embedder.as_ref();
    let embedder = embedder.expect("a record of a blend without its embedder is refused");
    let path = dir.embeddings(&embedder.name, Part::Train);
    if !path.is_file() {
        return Err(Error::NoTrainEmbeddings {
            path,
            folder: folder.to_owned(),
            dataset: record.dataset.clone(),
            embedder: embedder.name.clone(),
        });
    }
    let embeddings = Embeddings::read(&path)?;
    embeddings.check_ids(&path, &dir.split(Part::Train), &table.ids)?;
    let meta = &embeddings.meta;
    // A hash that one of the two lacks says nothing.
    let is_other = |a: &Option<String>, b: &Option<String>| {
        a.as_ref().zip(b.as_ref()).is_some_and(|(a, b)| a != b)
    };
    if is_other(&meta.embedder_sha256, &embedder.sha256)
        || is_other(&meta.split_sha256, &Some(record.train_sha256.clone()))
        || embeddings.values.ncols() != embedder.dim
        || meta.precision != embedder.precision
    {
        return Err(Error::OtherTrainEmbeddings {
            path,
            folder: folder.to_owned(),
        });
    }
    Ok(embeddings)
}
