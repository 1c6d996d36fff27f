use dataset::{FolderName, Quantity};
use routers::Backend;
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnnTarget {
    /// What its values are.
    pub quantity: Quantity,
    /// The k that was chosen.
    pub n_neighbors: usize,
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

/// A value that the rest of a record, or the crate, cannot do with.
pub(crate) struct Contradiction {
    pub(crate) key: &'static str,
    pub(crate) found: String,
    pub(crate) expected: &'static str,
}

impl Contents {
    /// Whether the router reads the prompts themselves, by networks, rather than their embeddings.
    pub fn reads_prompts(&self) -> bool {
        match self {
            Self::Knn { .. } | Self::Forest {} | Self::Mf { .. } => false,
            Self::Roberta { .. } | Self::RobertaBinary { .. } => true,
        }
    }

    /// Whether it predicts for the two LLMs of a pair, rather than for all.
    pub fn needs_pair(&self) -> bool {
        match self {
            Self::Knn { .. } | Self::Roberta { .. } => false,
            Self::Forest {} | Self::Mf { .. } | Self::RobertaBinary { .. } => true,
        }
    }

    /// What it predicts for each LLM, scores first; nothing for a router of a pair.
    fn quantities(&self) -> Vec<Quantity> {
        match self {
            Self::Knn { targets, .. } => targets.iter().map(|target| target.quantity).collect(),
            Self::Roberta { cost, .. } => {
                let cost = cost.as_ref().map(|cost| cost.quantity);
                [Quantity::Score].into_iter().chain(cost).collect()
            }
            Self::Forest {} | Self::Mf { .. } | Self::RobertaBinary { .. } => Vec::new(),
        }
    }

    /// The folders of networks in the router's folder.
    fn folders(&self) -> Vec<&str> {
        match self {
            Self::Knn { .. } | Self::Forest {} => Vec::new(),
            Self::Mf { folder } | Self::RobertaBinary { folder } => vec![folder],
            Self::Roberta { performance, cost } => {
                let cost = cost.as_ref().map(|cost| &*cost.folder);
                [&**performance].into_iter().chain(cost).collect()
            }
        }
    }

    /// Whether z-scores are predicted, which need their scale.
    pub(crate) fn has_scale(&self) -> bool {
        self.quantities().contains(&Quantity::StandardizedUsd)
    }

    /// The first value that cannot be.
    pub(crate) fn contradiction(&self) -> Option<Contradiction> {
        let bad = |key, found, expected| {
            Some(Contradiction {
                key,
                found,
                expected,
            })
        };
        match (self, &self.quantities()[..]) {
            (Self::Knn { .. }, [Quantity::Score])
            | (
                Self::Knn { .. },
                [
                    Quantity::Score,
                    Quantity::OutputTokens | Quantity::StandardizedUsd,
                ],
            ) => {}
            (Self::Knn { .. }, quantities) => {
                let expected = "a score, then output tokens, standardized dollars, or nothing";
                return bad("targets", format!("{quantities:?}"), expected);
            }
            // Two networks of scores read well enough, and every cost would be a score.
            (Self::Roberta { .. }, [_, Quantity::Score]) => {
                let found = format!("{:?}", Quantity::Score);
                return bad("quantity", found, "what a cost is made of");
            }
            _ => {}
        }
        if let Self::Knn { targets, .. } = self
            && targets.iter().any(|target| target.n_neighbors == 0)
        {
            return bad("n-neighbors", "0".to_owned(), "at least 1");
        }
        // A folder of a network is a plain name, so that it cannot lead out of the router's folder.
        let is_name = |name: &str| name.parse::<FolderName>().is_ok();
        let folder = self.folders().into_iter().find(|name| !is_name(name))?;
        bad("folder", format!("`{folder}`"), "a name without a slash")
    }

    /// What it is and what it predicts, in a sentence.
    pub(crate) fn description(&self) -> String {
        let outputs = |quantity| match quantity {
            Quantity::Score => "scores",
            Quantity::OutputTokens => "output tokens",
            Quantity::ThousandsOfOutputTokens => "thousands of output tokens",
            Quantity::StandardizedUsd => "costs in dollars",
        };
        match self {
            Self::Knn { targets, .. } => {
                let targets = targets
                    .iter()
                    .map(|it| format!("{} (k = {})", outputs(it.quantity), it.n_neighbors));
                format!(
                    "Nearest neighbors by cosine similarity that predict every LLM's {}.",
                    targets.collect::<Vec<_>>().join(" and ")
                )
            }
            Self::Forest {} => {
                "A random forest that predicts whether the small LLM answers right.".to_owned()
            }
            Self::Mf { .. } => {
                "A matrix factorization that predicts whether the small LLM does at least as well."
                    .to_owned()
            }
            Self::Roberta { .. } => {
                let quantities = self.quantities();
                let outputs: Vec<&str> = quantities.into_iter().map(outputs).collect();
                format!(
                    "RoBERTa networks that predict every LLM's {}.",
                    outputs.join(" and ")
                )
            }
            Self::RobertaBinary { .. } => {
                "A RoBERTa network that predicts whether the small LLM does at least as well."
                    .to_owned()
            }
        }
    }
}
