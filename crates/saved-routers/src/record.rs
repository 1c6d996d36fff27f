use std::{collections::BTreeSet, fs, path::Path};

use dataset::{CostKind, ModelInfo, Pair, Quantity, write_atomically};
use routers::Backend;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result};

/// The version of the format that this crate reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// `router.json`: what a saved router is, and what it was made from. Holds no date, so that the same fit gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Record {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The router, by its name in train-and-infer.
    pub router: String,
    /// The data set.
    pub dataset: String,
    /// SHA-256 of the train split that it was fitted on.
    pub train_sha256: String,
    /// The LLMs with their prices, in the order of every output.
    pub models: Vec<ModelInfo>,
    /// What has to be predicted to know a cost.
    pub cost_kind: CostKind,
    /// The two LLMs that a binary router chooses between.
    pub pair: Option<Pair>,
    /// What makes the vectors that the router predicts from, unless it reads prompts itself.
    pub embedder: Option<Embedder>,
    /// The network that training began with, for networks.
    pub base: Option<Base>,
    /// What lies beside this file.
    pub contents: Contents,
    /// The parameters in force, defaults included.
    pub config: Value,
    /// What was chosen or measured in the fit.
    pub results: Value,
    /// Program and version that wrote it.
    pub made_by: String,
}

/// What turned prompts into vectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Embedder {
    /// Its name under `data/<dataset>/embeddings/`.
    pub name: String,
    /// The folder or hub id of its model, if one was at hand.
    pub model: Option<String>,
    /// SHA-256 over its model's files, if one was at hand.
    pub sha256: Option<String>,
    /// Length of a vector.
    pub dim: usize,
    /// The license that its model card states.
    pub license: Option<String>,
}

/// The network that training began with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Base {
    /// The folder or hub id.
    pub model: String,
    /// SHA-256 of its weights.
    pub sha256: String,
    /// The license that its model card states.
    pub license: Option<String>,
}

/// What lies in the folder beside `router.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    tag = "kind"
)]
pub enum Contents {
    /// k-nearest-neighbors regression.
    Knn {
        /// How vectors are stored.
        vectors: VectorFormat,
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

/// How vectors are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VectorFormat {
    /// As they are.
    F32,
    /// In half the space. Eleven bits of precision: which of two rows is nearer may change where they are within about 0.001.
    F16,
}

pub(crate) const RECORD: &str = "router.json";
/// The key of the config under which changes of the LLMs stand.
pub(crate) const EDITS: &str = "edits";

impl Record {
    /// Reads and checks `router.json` in a folder.
    ///
    /// # Errors
    /// [`Error::NoRouter`], [`Error::Io`], [`Error::Json`], [`Error::FormatVersion`] or [`Error::BadRecord`].
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(RECORD);
        if !path.is_file() {
            return Err(Error::NoRouter {
                folder: folder.to_owned(),
            });
        }
        let text = fs::read(&path).map_err(Error::io("read", &path))?;
        let json_error = |source| Error::Json {
            path: path.clone(),
            source,
        };
        let value: Value = serde_json::from_slice(&text).map_err(json_error)?;
        // Before the rest, which another version may have changed.
        let version = value.get("format-version");
        if version.and_then(Value::as_u64) != Some(FORMAT_VERSION.into()) {
            return Err(Error::FormatVersion {
                path,
                found: version.map_or_else(|| "none".to_owned(), Value::to_string),
                expected: FORMAT_VERSION,
            });
        }
        let record: Self = serde_json::from_value(value).map_err(json_error)?;
        record.check(&path)?;
        Ok(record)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(RECORD);
        self.check(&path)?;
        let text = serde_json::to_string_pretty(self).map_err(|source| Error::Json {
            path: path.clone(),
            source,
        })?;
        Ok(write_atomically(&path, format!("{text}\n").as_bytes())?)
    }

    /// Whether its LLMs were changed after the fit, see [`crate::PoolEdit`]. Then `edits` in its config tells how.
    pub fn is_edited(&self) -> bool {
        self.config.get(EDITS).is_some()
    }

    /// Refuses a record whose parts contradict each other.
    fn check(&self, path: &Path) -> Result<()> {
        let bad = |key, found: String, expected: &str| {
            Err(Error::BadRecord {
                path: path.to_owned(),
                key,
                found,
                expected: expected.to_owned(),
            })
        };
        let names: BTreeSet<&str> = self.models.iter().map(|model| &*model.name).collect();
        if names.is_empty() || names.len() != self.models.len() {
            let found = format!("a list of {}", self.models.len());
            return bad("models", found, "at least one LLM, and none twice");
        }
        if let Some(pair) = &self.pair {
            for name in [&pair.small, &pair.large] {
                if !names.contains(&**name) {
                    return bad("pair", format!("with `{name}`"), "two of `models`");
                }
            }
        }
        let needs_embedder = matches!(
            self.contents,
            Contents::Knn { .. } | Contents::Forest {} | Contents::Mf { .. }
        );
        match &self.embedder {
            None if needs_embedder => {
                return bad(
                    "embedder",
                    "absent".to_owned(),
                    "what made the router's vectors",
                );
            }
            Some(embedder) if embedder.dim == 0 => {
                return bad("dim", "0".to_owned(), "at least 1");
            }
            _ => {}
        }
        let is_binary = matches!(
            self.contents,
            Contents::Forest {} | Contents::Mf { .. } | Contents::RobertaBinary { .. }
        );
        if is_binary && self.pair.is_none() {
            let expected = "the LLMs that a binary router chooses between";
            return bad("pair", "absent".to_owned(), expected);
        }
        self.check_contents(path)
    }

    fn check_contents(&self, path: &Path) -> Result<()> {
        let bad = |key, found: String, expected: &str| {
            Err(Error::BadRecord {
                path: path.to_owned(),
                key,
                found,
                expected: expected.to_owned(),
            })
        };
        // A folder of a network is a plain name, so that it cannot lead out of the router's folder.
        let is_name = |name: &str| {
            !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':'])
        };
        let folders: Vec<&String> = match &self.contents {
            Contents::Knn { targets, .. } => {
                let quantities: Vec<Quantity> =
                    targets.iter().map(|target| target.quantity).collect();
                if !matches!(
                    quantities[..],
                    [Quantity::Score]
                        | [
                            Quantity::Score,
                            Quantity::OutputTokens | Quantity::StandardizedUsd
                        ]
                ) {
                    let expected = "a score, then output tokens, standardized dollars, or nothing";
                    return bad("targets", format!("{quantities:?}"), expected);
                }
                if targets.iter().any(|target| target.n_neighbors == 0) {
                    return bad("n-neighbors", "0".to_owned(), "at least 1");
                }
                Vec::new()
            }
            Contents::Forest {} => Vec::new(),
            Contents::Mf { folder } | Contents::RobertaBinary { folder } => vec![folder],
            Contents::Roberta { performance, cost } => {
                let cost = cost.as_ref();
                if let Some(cost) = cost.filter(|cost| cost.quantity == Quantity::Score) {
                    let found = format!("{:?}", cost.quantity);
                    return bad("quantity", found, "what a cost is made of");
                }
                [
                    vec![performance],
                    cost.map(|cost| &cost.folder).into_iter().collect(),
                ]
                .concat()
            }
        };
        match folders.into_iter().find(|name| !is_name(name)) {
            Some(name) => bad("folder", format!("`{name}`"), "a name without a slash"),
            None => Ok(()),
        }
    }

    /// The quantity of dollars' z-scores needs their scale.
    pub(crate) fn has_scale(&self) -> bool {
        match &self.contents {
            Contents::Knn { targets, .. } => targets
                .iter()
                .any(|target| target.quantity == Quantity::StandardizedUsd),
            Contents::Roberta {
                cost: Some(cost), ..
            } => cost.quantity == Quantity::StandardizedUsd,
            _ => false,
        }
    }
}
