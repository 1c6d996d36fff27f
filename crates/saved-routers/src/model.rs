use std::path::{Path, PathBuf};

use dataset::{Quantity, Standardizer};
use ndarray::{Array1, ArrayView2};
use routers::{Mf, Rorf};

use crate::{
    Contents, Error, Record, Result, SavedBlend, SavedCluster, SavedIndex, SavedKernel, SavedKnn,
    SavedLearner, SavedLinear, blend,
    folder::ROUTER,
    forest,
    learner::{Learner, Outputs},
    mf,
    model_outputs::{ModelOutputs, PerModelOutputs, check_dim},
    scale,
    tensors::TensorFile,
};

/// What predicts; networks are left to those who know libtorch.
#[derive(Debug, Clone)]
pub enum Model {
    /// k-nearest-neighbors regression on embeddings.
    Knn(SavedKnn),
    /// The same, before it is connected to the index that its rows are in.
    KnnIndex(SavedIndex),
    /// Ridge regression on embeddings.
    Linear(SavedLinear),
    /// Kernel ridge regression on embeddings.
    Kernel(SavedKernel),
    /// Means of clusters of embeddings.
    Cluster(SavedCluster),
    /// A blend of learners on embeddings, or each LLM's means.
    Blend(Box<SavedBlend>),
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

impl Model {
    /// Reads what the record says lies in its folder.
    pub(crate) fn open(folder: &Path, record: &Record) -> Result<Self> {
        let scale = match record.contents.has_scale() {
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
        Ok(match (&record.contents, &record.embedder) {
            (Contents::Blend(contents), Some(embedder)) => {
                let outputs = Outputs::of(record, embedder);
                Self::Blend(blend::read(&path, contents, outputs, scale)?.into())
            }
            (Contents::Forest {}, Some(embedder)) => Self::Rorf(forest::read(&path, embedder.dim)?),
            (Contents::Mf { folder }, Some(embedder)) => {
                Self::Mf(mf::read(&network(folder)?, embedder.dim)?)
            }
            (Contents::Roberta { performance, cost }, _) => Self::Roberta {
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
            (Contents::RobertaBinary { folder }, _) => Self::RobertaBinary(network(folder)?),
            (contents @ Contents::KnnIndex { .. }, Some(embedder)) => {
                let outputs = Outputs::of(record, embedder);
                Self::KnnIndex(SavedIndex::read(&path, contents, outputs, scale)?)
            }
            (_, None) => unreachable!("a record without its embedder is refused"),
            (contents, Some(embedder)) => {
                let file = TensorFile::open(&path)?;
                file.has_only(&Learner::names(contents, ""))?;
                let outputs = Outputs::of(record, embedder);
                Self::of(
                    Learner::read(&file, contents, "", outputs)?,
                    contents.quantities(),
                    scale,
                )
            }
        })
    }

    fn of(learner: Learner, quantities: Vec<Quantity>, scale: Option<Standardizer>) -> Self {
        match learner {
            Learner::Knn(it) => Self::Knn(SavedLearner::new(it, quantities, scale)),
            Learner::Linear(it) => Self::Linear(SavedLearner::new(it, quantities, scale)),
            Learner::Kernel(it) => Self::Kernel(SavedLearner::new(it, quantities, scale)),
            Learner::Cluster(it) => Self::Cluster(SavedLearner::new(it, quantities, scale)),
        }
    }

    /// Whether it predicts every LLM's score and cost from a prompt's embedding.
    pub fn is_on_embeddings(&self) -> bool {
        match self {
            Self::Knn(_)
            | Self::KnnIndex(_)
            | Self::Linear(_)
            | Self::Kernel(_)
            | Self::Cluster(_)
            | Self::Blend(_) => true,
            Self::Rorf(_) | Self::Mf(_) | Self::Roberta { .. } | Self::RobertaBinary(_) => false,
        }
    }

    /// Whether its choices depend on the prompt: a blend may have found that routing is not worth it.
    pub fn routes(&self) -> bool {
        match self {
            Self::Blend(blend) => blend.routes(),
            _ => true,
        }
    }

    /// What it predicts for so many prompts, whatever they are, where it does not route.
    pub fn without_routing(&self, n_prompts: usize) -> Option<PerModelOutputs> {
        match self {
            Self::Blend(blend) if !blend.routes() => Some(blend.means(n_prompts)),
            _ => None,
        }
    }

    /// What predicts, in words: `the nearest of 14234 prompts`.
    pub fn describe(&self) -> String {
        match self {
            Self::Knn(knn) => format!("the nearest of {} prompts", knn.n_rows()),
            Self::KnnIndex(index) => format!("the nearest of {} prompts in an index", index.n_rows),
            Self::Linear(_) => "ridge regression".to_owned(),
            Self::Kernel(kernel) => format!(
                "kernel ridge regression on {} landmarks",
                kernel.learner().landmarks().n_rows()
            ),
            Self::Cluster(_) => "means of clusters".to_owned(),
            Self::Blend(blend) => blend.describe(),
            Self::Rorf(_) => "a random forest".to_owned(),
            Self::Mf(_) => "a matrix factorization".to_owned(),
            Self::Roberta { .. } | Self::RobertaBinary(_) => "networks".to_owned(),
        }
    }

    /// The same as [`Model::predict`], and for each prompt how many parts of an index could not be searched; empty where none was missing.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_noting(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<(ModelOutputs, Vec<u32>)> {
        match self {
            Self::Knn(knn) => {
                let (outputs, n_missing) = knn.predict_noting(embeddings, on_progress)?;
                Ok((ModelOutputs::PerModel(outputs), n_missing))
            }
            _ => Ok((self.predict(embeddings, on_progress)?, Vec::new())),
        }
    }

    /// Predicts for embeddings of shape `(n_prompts, dim)`. A prediction does not depend on the other prompts. `on_progress` counts prompts.
    ///
    /// # Errors
    /// [`Error::Dimension`] for embeddings of another length; [`Error::Predict`] for embeddings that are not finite;
    /// [`Error::ReadsPrompts`] for networks; [`Error::NoIndex`] for neighbors in an index before they are connected to it.
    pub fn predict(
        &self,
        embeddings: ArrayView2<'_, f32>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<ModelOutputs> {
        let small_wins = |dim, predict: &dyn Fn() -> routers::Result<Array1<f64>>| {
            check_dim(embeddings, dim)?;
            let probability = predict().map_err(|source| Error::Predict { source })?;
            on_progress(embeddings.nrows() as u64);
            Ok(ModelOutputs::SmallWins(probability.mapv(|p| p as f32)))
        };
        match self {
            Self::Knn(knn) => Ok(ModelOutputs::PerModel(
                knn.predict(embeddings, on_progress)?,
            )),
            Self::KnnIndex(_) => Err(Error::NoIndex),
            Self::Linear(linear) => Ok(ModelOutputs::PerModel(
                linear.predict(embeddings, on_progress)?,
            )),
            Self::Kernel(kernel) => Ok(ModelOutputs::PerModel(
                kernel.predict(embeddings, on_progress)?,
            )),
            Self::Cluster(cluster) => Ok(ModelOutputs::PerModel(
                cluster.predict(embeddings, on_progress)?,
            )),
            Self::Blend(blend) => Ok(ModelOutputs::PerModel(
                blend.predict(embeddings, on_progress)?,
            )),
            Self::Rorf(rorf) => {
                small_wins(rorf.forest().n_features(), &|| rorf.predict(embeddings))
            }
            Self::Mf(mf) => small_wins(mf.weights().text_dim(), &|| mf.predict(embeddings)),
            Self::Roberta { .. } | Self::RobertaBinary(_) => Err(Error::ReadsPrompts),
        }
    }
}
