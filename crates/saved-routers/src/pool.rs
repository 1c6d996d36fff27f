//! Changing the LLMs of a saved router without fitting it again.

mod addition;
mod changes;
mod knn;

use std::path::Path;

use dataset::{ModelScores, Prices};

use self::knn::EditedKnn;
use crate::{Contents, Error, Model, NewFolder, Record, Result, SavedRouter};

/// Changes of the LLMs of a saved k-nearest-neighbors router. What is predicted for the LLMs that stay is the same to the last bit (with
/// vectors of float32): each LLM has columns of its own in the values that are averaged over.
#[derive(Debug, Clone, Copy)]
pub struct PoolEdit<'a> {
    /// Prices of LLMs that stay, and of those that are added.
    pub prices: Option<&'a Prices>,
    /// LLMs to take out.
    pub removed: &'a [String],
    /// LLMs to add.
    pub added: Option<Addition<'a>>,
}

/// LLMs to add, all of a table.
#[derive(Debug, Clone, Copy)]
pub struct Addition<'a> {
    /// How they did on some of the train prompts; other prompts are passed over.
    pub table: &'a ModelScores,
    /// The ids of the router's train prompts, row by row.
    pub train_ids: &'a [String],
}

/// A router with other LLMs than it was fitted for, to be written.
#[derive(Debug, Clone)]
pub struct EditedPool {
    record: Record,
    model: EditedModel,
    added: Vec<AddedModel>,
}

/// What predicts for the changed LLMs.
#[derive(Debug, Clone)]
enum EditedModel {
    Knn(EditedKnn),
}

/// An LLM that was added.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AddedModel {
    /// Its name.
    pub name: String,
    /// Number of train prompts with a score of it.
    pub n_scored: usize,
    /// How many of a scored prompt's k neighbors have a score of it, in the mean. Below 1, it is mostly its mean score that is predicted.
    pub n_known_neighbors: f64,
    /// The k of the score.
    pub n_neighbors: usize,
    /// R2 of its predicted scores on those prompts, each predicted without the fifth of them that it is in; none for fewer than two
    /// prompts, or for scores that are all equal.
    pub r2: Option<f64>,
    /// Mean absolute error of the same.
    pub mae: Option<f64>,
}

impl SavedRouter {
    /// Changes the router's LLMs. LLMs that stay keep their order, added ones come last.
    ///
    /// An added LLM is predicted as any other: by the mean of those neighbors among the k that have a score of it, or by its mean score where
    /// none has. k is the one that the fit chose for the others.
    ///
    /// # Errors
    /// [`Error::NotEditable`] for another kind of router; [`Error::BadEdit`] for an LLM to remove that it does not have or one to add that it has, a
    /// price of neither, an added LLM without a value that costs need, a table of other prompts, or when no LLM is left;
    /// [`Error::EditWithoutPrice`].
    pub fn edit(&self, edit: &PoolEdit<'_>) -> Result<EditedPool> {
        match (&self.model, &self.record.contents) {
            (
                Model::Knn(knn),
                Contents::Knn {
                    embeddings,
                    targets,
                    ..
                },
            ) => knn::edit(&self.record, knn, *embeddings, targets, edit),
            _ => Err(Error::NotEditable {
                router: self.record.router.clone(),
            }),
        }
    }
}

impl EditedPool {
    /// The LLMs that were added, in order.
    pub fn added(&self) -> &[AddedModel] {
        &self.added
    }

    /// What will be written as router.json.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// Writes the router into a folder of its own, whole or not at all; an existing one is replaced.
    ///
    /// # Errors
    /// [`Error::Dataset`] when the disk is full, say.
    pub fn write(&self, place: &Path) -> Result<()> {
        let folder = NewFolder::create(place)?;
        match &self.model {
            EditedModel::Knn(knn) => knn.write(&folder)?,
        }
        folder.commit(&self.record)
    }
}

fn refuse<T>(why: String) -> Result<T> {
    Err(Error::BadEdit { why })
}
