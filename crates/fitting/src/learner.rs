use dataset::router_names as names;

/// What fits a router on embeddings. Networks, which read prompts, are fitted elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Learner {
    /// k-nearest-neighbors regression.
    Knn,
    /// Ridge regression.
    Linear,
    /// Kernel ridge regression.
    Kernel,
    /// Means over clusters.
    Cluster,
    /// The blend of the four above.
    Blend,
    /// A matrix factorization on a pair of LLMs.
    Mf,
    /// A random forest on a pair of LLMs.
    Rorf,
}

impl Learner {
    /// The learner of a router that is fitted here, by its name.
    pub fn of_router(name: &str) -> Option<Self> {
        Some(match name {
            names::CARROT_KNN | names::CARROT_KNN_SBERT => Self::Knn,
            names::CARROT_LINEAR => Self::Linear,
            names::CARROT_KERNEL => Self::Kernel,
            names::CARROT_CLUSTER => Self::Cluster,
            names::CARROT_BLEND => Self::Blend,
            names::MF => Self::Mf,
            names::RORF => Self::Rorf,
            _ => return None,
        })
    }

    /// The name of the router that it fits on the chosen embedding.
    pub fn router(self) -> &'static str {
        match self {
            Self::Knn => names::CARROT_KNN,
            Self::Linear => names::CARROT_LINEAR,
            Self::Kernel => names::CARROT_KERNEL,
            Self::Cluster => names::CARROT_CLUSTER,
            Self::Blend => names::CARROT_BLEND,
            Self::Mf => names::MF,
            Self::Rorf => names::RORF,
        }
    }

    /// Whether its router chooses between the two LLMs of a pair, rather than among all.
    pub fn needs_pair(self) -> bool {
        match self {
            Self::Knn | Self::Linear | Self::Kernel | Self::Cluster | Self::Blend => false,
            Self::Mf | Self::Rorf => true,
        }
    }
}
