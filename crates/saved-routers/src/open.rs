use std::path::{Path, PathBuf};

use routers::{Mf, Rorf, labels::Standardizer};

use crate::{
    Contents, Error, Quantity, Record, Result, SavedKnn,
    folder::{self, ROUTER},
    forest, knn, mf, scale,
};

/// A router that was fitted before.
#[derive(Debug, Clone)]
pub struct SavedRouter {
    /// What it is, and what it was made from.
    pub record: Record,
    /// What predicts.
    pub model: Model,
}

/// What predicts; networks are left to those who know libtorch.
#[derive(Debug, Clone)]
pub enum Model {
    /// k-nearest-neighbors regression on embeddings.
    Knn(SavedKnn),
    /// A random forest on embeddings.
    Rorf(Rorf),
    /// A matrix factorization on embeddings.
    Mf(Mf),
    /// The folders of networks that read prompts.
    Roberta {
        /// The one that predicts a score for each LLM.
        performance: PathBuf,
        /// The one that predicts costs, unless they are known.
        cost: Option<RobertaCost>,
    },
    /// The folder of a network that reads prompts and tells whether the small LLM of the pair does at least as well.
    RobertaBinary(PathBuf),
}

/// A network that predicts costs.
#[derive(Debug, Clone, PartialEq)]
pub struct RobertaCost {
    /// Its folder.
    pub folder: PathBuf,
    /// What its outputs are.
    pub quantity: Quantity,
    /// The way back to dollars, where outputs are z-scores.
    pub scale: Option<Standardizer>,
}

impl SavedRouter {
    /// Opens a folder that [`crate::NewFolder`] wrote, and checks all of it.
    ///
    /// The vectors of k-nearest-neighbors regression are mapped, not read in: routers of several processes share the system's cache, and a
    /// folder that is replaced by [`crate::NewFolder`] meanwhile stays as it was for who has it open. A file that another program writes to in
    /// place changes what is predicted without a check; one that it cuts off ends the process by a signal (SIGBUS) at the next search.
    ///
    /// If writing a newer one was cut off between two renames, the older one is put back first.
    ///
    /// # Errors
    /// [`Error::NoRouter`] for another folder; [`Error::FormatVersion`], [`Error::BadRecord`], or any that concerns a file.
    pub fn open(folder: &Path) -> Result<Self> {
        folder::recover(folder)?;
        let record = Record::read(folder)?;
        let scale = match record.has_scale() {
            true => Some(scale::read(folder, record.models.len())?),
            false => None,
        };
        let network = |name: &str| {
            let folder = folder.join(name);
            match folder.is_dir() {
                true => Ok(folder),
                false => Err(Error::MissingNetwork { folder }),
            }
        };
        let path = folder.join(ROUTER);
        let model = match (&record.contents, &record.embedder) {
            (Contents::Knn { .. }, Some(embedder)) => {
                Model::Knn(knn::read(&path, &record, embedder, scale)?)
            }
            (Contents::Forest {}, Some(embedder)) => {
                Model::Rorf(forest::read(&path, embedder.dim)?)
            }
            (Contents::Mf { folder }, Some(embedder)) => {
                Model::Mf(mf::read(&network(folder)?, embedder.dim)?)
            }
            (Contents::Knn { .. } | Contents::Forest {} | Contents::Mf { .. }, None) => {
                unreachable!("a record without its embedder is refused")
            }
            (Contents::Roberta { performance, cost }, _) => Model::Roberta {
                performance: network(performance)?,
                cost: match cost {
                    Some(cost) => Some(RobertaCost {
                        folder: network(&cost.folder)?,
                        quantity: cost.quantity,
                        scale,
                    }),
                    None => None,
                },
            },
            (Contents::RobertaBinary { folder }, _) => Model::RobertaBinary(network(folder)?),
        };
        Ok(Self { record, model })
    }
}
