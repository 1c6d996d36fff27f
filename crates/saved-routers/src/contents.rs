mod blend;
mod check;
mod description;

use dataset::Quantity;
use routers::Backend;
use serde::{Deserialize, Serialize};

pub use self::blend::{BlendContents, MeanCostUnit};
pub(crate) use self::check::Contradiction;

/// What lies in the folder beside `router.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "kind")]
pub enum Contents {
    /// k-nearest-neighbors regression.
    Knn {
        /// How the train prompts' embeddings are stored.
        #[serde(rename = "vectors")]
        embeddings: EmbeddingFormat,
        /// How neighbors are searched for.
        backend: Backend,
        /// What is predicted, the score first.
        targets: Vec<KnnTarget>,
    },
    /// The same with its rows in an index, such as databases. Where these are is not recorded: a router is the same wherever its index lies.
    KnnIndex {
        /// What the index has to be of: SHA-256 of the file of vectors and values that was indexed.
        fit: String,
        /// How many rows it had.
        #[serde(rename = "n-rows")]
        n_rows: usize,
        /// How far the search in a graph looks; none where all rows are searched.
        #[serde(rename = "ef-search", default, skip_serializing_if = "Option::is_none")]
        ef_search: Option<usize>,
        /// The share of the nearest neighbors that was found when the index was built.
        recall: f64,
        /// What is predicted, the score first.
        targets: Vec<KnnTarget>,
    },
    /// Ridge regression on unit vectors.
    Linear {
        /// What is predicted, the score first.
        targets: Vec<LinearTarget>,
    },
    /// Kernel ridge regression on unit vectors, through landmarks.
    Kernel {
        /// What is predicted, the score first.
        targets: Vec<KernelTarget>,
    },
    /// Means of clusters of unit vectors.
    Cluster {
        /// What is predicted, the score first.
        targets: Vec<ClusterTarget>,
    },
    /// A blend of some of the above, or each LLM's means where it does not route.
    Blend(Box<BlendContents>),
    /// A random forest over the outcomes of the pair.
    Forest {},
    /// A matrix factorization that scores the pair.
    Mf {
        /// Its folder.
        folder: String,
    },
    /// Networks with an output for each LLM.
    Roberta {
        /// The folder of the one that predicts scores.
        performance: String,
        /// The one that predicts costs, unless they are known.
        cost: Option<NetworkCost>,
    },
    /// A network with one output: whether the small LLM of the pair does at least as well.
    RobertaBinary {
        /// Its folder.
        folder: String,
    },
}

/// A network that predicts costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetworkCost {
    /// Its folder.
    pub folder: String,
    /// What its outputs are.
    pub quantity: Quantity,
}

/// One of the matrices that nearest neighbors are averaged over.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnnTarget {
    /// What its values are.
    pub quantity: Quantity,
    /// The k that was chosen.
    pub n_neighbors: usize,
    /// Where k counts the neighbors that know an LLM, how far what they say is drawn to what all LLMs share ([`routers::Knn::counting_known`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior_values: Option<f64>,
}

/// One of the matrices that ridge regression predicts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LinearTarget {
    /// What its values are.
    pub quantity: Quantity,
    /// The penalty that was chosen.
    pub alpha: f64,
}

/// One of the matrices that kernel ridge regression predicts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KernelTarget {
    /// What its values are.
    pub quantity: Quantity,
    /// The width of the kernel `exp(-gamma |x - y|^2)` that was chosen.
    pub gamma: f64,
    /// The penalty that was chosen.
    pub alpha: f64,
}

/// One of the matrices that the means of clusters predict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClusterTarget {
    /// What its values are.
    pub quantity: Quantity,
    /// The number of clusters that was chosen.
    pub n_clusters: usize,
}

/// How embeddings are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmbeddingFormat {
    /// As they are.
    F32,
    /// In half the space. Eleven bits of precision: which of two rows is nearer may change where they are within about 0.001.
    F16,
}

impl Contents {
    /// Whether the router reads the prompts themselves, by networks, rather than their embeddings.
    pub fn reads_prompts(&self) -> bool {
        matches!(self, Self::Roberta { .. } | Self::RobertaBinary { .. })
    }

    /// Whether it predicts for the two LLMs of a pair, rather than for all.
    pub fn needs_pair(&self) -> bool {
        match self {
            Self::Knn { .. }
            | Self::KnnIndex { .. }
            | Self::Linear { .. }
            | Self::Kernel { .. }
            | Self::Cluster { .. }
            | Self::Blend(_)
            | Self::Roberta { .. } => false,
            Self::Forest {} | Self::Mf { .. } | Self::RobertaBinary { .. } => true,
        }
    }

    /// Whether it predicts every LLM's score and cost from a prompt's embedding.
    pub fn is_per_model_on_embeddings(&self) -> bool {
        !self.reads_prompts() && !self.needs_pair()
    }

    /// What it predicts for each LLM, scores first; nothing for a router of a pair.
    pub fn quantities(&self) -> Vec<Quantity> {
        match self {
            Self::Knn { targets, .. } | Self::KnnIndex { targets, .. } => {
                targets.iter().map(|target| target.quantity).collect()
            }
            Self::Linear { targets } => targets.iter().map(|target| target.quantity).collect(),
            Self::Kernel { targets } => targets.iter().map(|target| target.quantity).collect(),
            Self::Cluster { targets } => targets.iter().map(|target| target.quantity).collect(),
            Self::Blend(blend) => blend.targets.clone(),
            Self::Roberta { cost, .. } => {
                let cost = cost.as_ref().map(|cost| cost.quantity);
                [Quantity::Score].into_iter().chain(cost).collect()
            }
            Self::Forest {} | Self::Mf { .. } | Self::RobertaBinary { .. } => Vec::new(),
        }
    }

    /// Whether what it chooses depends on the prompt: a blend may have found that routing is not worth it.
    pub fn routes(&self) -> bool {
        match self {
            Self::Blend(blend) => blend.routes(),
            _ => true,
        }
    }

    /// Whether costs are computed from tokens and prices, rather than predicted in dollars. False for a router of a pair, which predicts none.
    pub fn needs_prices(&self) -> bool {
        match self {
            Self::Blend(blend) if !blend.routes() => blend.mean_cost == MeanCostUnit::Tokens,
            _ => !self.needs_pair() && !self.has_scale(),
        }
    }

    /// The folders of networks in the router's folder.
    fn folders(&self) -> Vec<&str> {
        match self {
            Self::Mf { folder } | Self::RobertaBinary { folder } => vec![folder],
            Self::Roberta { performance, cost } => {
                let cost = cost.as_ref().map(|cost| &*cost.folder);
                [&**performance].into_iter().chain(cost).collect()
            }
            Self::Knn { .. }
            | Self::KnnIndex { .. }
            | Self::Linear { .. }
            | Self::Kernel { .. }
            | Self::Cluster { .. }
            | Self::Blend(_)
            | Self::Forest {} => Vec::new(),
        }
    }

    /// Whether z-scores are predicted, which need their scale.
    pub(crate) fn has_scale(&self) -> bool {
        self.routes() && self.quantities().contains(&Quantity::StandardizedUsd)
    }
}
