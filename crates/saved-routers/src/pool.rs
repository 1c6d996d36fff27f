//! Changing the LLMs of a saved router without fitting it again.

mod added_gain;
mod addition;
mod blend;
mod changes;
mod columns;
mod knn;
mod rule;

use std::path::Path;

use dataset::{ModelScores, PartTable, Prices};
use ndarray::ArrayView2;

pub use self::{
    added_gain::AddedGain,
    rule::{RuleChange, RuleOutcome},
};
use self::{blend::EditedBlend, knn::EditedKnn};
use crate::{Contents, Error, Model, NewFolder, Record, Result, SavedRouter};

/// Changes of the LLMs of a saved router: nearest neighbors or a blend, see [`SavedRouter::edit`].
#[derive(Debug, Clone, Copy)]
pub struct PoolEdit<'a> {
    /// Prices of LLMs that stay, and of those that are added.
    pub prices: Option<&'a Prices>,
    /// LLMs to take out.
    pub removed: &'a [String],
    /// LLMs to add.
    pub added: Option<Addition<'a>>,
    /// What the router was fitted on, as far as [`SavedRouter::edit_needs`] says that it is needed.
    pub train: Option<TrainPart<'a>>,
}

/// What a blend was fitted on.
#[derive(Debug, Clone, Copy)]
pub struct TrainPart<'a> {
    /// The train part.
    pub table: &'a PartTable,
    /// Its prompts' embeddings, of shape `(n_prompts, dim)`, where the router does not hold them itself.
    pub embeddings: Option<ArrayView2<'a, f32>>,
}

/// What a change of a router's LLMs needs of the data that it was fitted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditNeeds {
    /// Nothing, unless LLMs are added: then the ids of the train prompts.
    Ids,
    /// The train part: scores and costs.
    Table,
    /// The train part and its prompts' embeddings.
    TableAndEmbeddings,
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
    added_gain: Option<AddedGain>,
    rule: Option<RuleChange>,
}

/// What predicts for the changed LLMs.
#[derive(Debug, Clone)]
enum EditedModel {
    Knn(EditedKnn),
    Blend(Box<EditedBlend>),
}

/// An LLM that was added.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AddedModel {
    /// Its name.
    pub name: String,
    /// Number of train prompts with a score of it.
    pub n_scored: usize,
    /// How many of a scored prompt's k neighbors have a score of it, in the mean. Below 1, it is mostly predicted by what the other
    /// LLMs' scores let expect.
    pub n_known_neighbors: f64,
    /// The k of the score.
    pub n_neighbors: usize,
    /// R2 of its scores on those prompts as its neighbors predict them, each without the fifth of them that it is in; none for fewer than two
    /// prompts, or for scores that are all equal. A blend may predict better than that.
    pub r2: Option<f64>,
    /// Mean absolute error of the same.
    pub mae: Option<f64>,
}

impl SavedRouter {
    /// What [`SavedRouter::edit`] needs of the data that the router was fitted on.
    pub fn edit_needs(&self) -> EditNeeds {
        match &self.model {
            Model::Blend(blend) if blend.blend().parts().knn.is_some() => EditNeeds::Table,
            Model::Blend(_) => EditNeeds::TableAndEmbeddings,
            _ => EditNeeds::Ids,
        }
    }

    /// Changes the router's LLMs. LLMs that stay keep their order, added ones come last.
    ///
    /// Nearest neighbors predict the same for LLMs that stay, to the last bit (with vectors of float32): each LLM has columns of its own in the
    /// values that are averaged over. An added LLM is predicted as any other, by the k that the fit chose for the others; where it has no score, one
    /// is filled in from how the others did there ([`routers::completed`]): few scores say how much it differs from the others, and only the others
    /// say which prompts are hard.
    ///
    /// A blend keeps its learners' weights and hyperparameters, its folds, and, since they are drawn by the same seed from the same train prompts,
    /// its landmarks and centroids. Its learners are fitted to the changed targets, and its rule decides once more, on predictions out of fold,
    /// whether routing among these LLMs at these prices is worth it ([`EditedPool::rule`]). So predictions change for all LLMs: what they have in
    /// common, and the factor that differences are multiplied by, is another. `on_progress` counts train prompts.
    ///
    /// # Errors
    /// [`Error::NotEditable`] for another kind of router; [`Error::BadEdit`] for an LLM to remove that it does not have or one to add that it has, a
    /// price of neither, an added LLM without a value that costs need, a table of other prompts, or when no LLM is left;
    /// [`Error::EditWithoutPrice`]; [`Error::EditWithoutTrain`] for a blend without what [`SavedRouter::edit_needs`].
    pub fn edit(
        &self,
        edit: &PoolEdit<'_>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<EditedPool> {
        match (&self.model, &self.record.contents) {
            (
                Model::Knn(knn),
                Contents::Knn {
                    embeddings,
                    targets,
                    ..
                },
            ) => knn::edit(&self.record, knn, *embeddings, targets, edit),
            (Model::Blend(blend), Contents::Blend(contents)) => {
                blend::edit(&self.record, blend, contents, edit, on_progress)
            }
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

    /// Whether routing is better with the added LLMs than without them; `None` where none was added, or nothing judges it: no prompt with known costs,
    /// say.
    pub fn added_gain(&self) -> Option<&AddedGain> {
        self.added_gain.as_ref()
    }

    /// What the rule of a blend decided before and after; none for another router.
    pub fn rule(&self) -> Option<&RuleChange> {
        self.rule.as_ref()
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
            EditedModel::Knn(knn) => {
                knn.write(&folder)?;
                folder.commit(&self.record)
            }
            EditedModel::Blend(blend) => {
                let contents = blend.write(&folder)?;
                folder.commit(&Record {
                    contents,
                    ..self.record.clone()
                })
            }
        }
    }
}

fn refuse<T>(why: String) -> Result<T> {
    Err(Error::BadEdit { why })
}
