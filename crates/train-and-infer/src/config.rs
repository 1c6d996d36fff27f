use std::collections::BTreeMap;

use routers::KnnParams;
use serde::Deserialize;

/// configs/routers.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    pub(crate) carrot_knn: KnnParams,
    pub(crate) carrot_knn_sbert: SentenceKnn,
    pub(crate) embedders: BTreeMap<String, EmbedderConfig>,
}

/// What `carrot-knn-sbert` has of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SentenceKnn {
    pub(crate) embedder: String,
}

/// Where the model behind a short name lies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct EmbedderConfig {
    /// Under the models folder.
    pub(crate) folder: String,
    /// The id on the hub.
    pub(crate) hub: String,
}

/// The settings that the program was built with.
pub(crate) const BUILT_IN: &str = include_str!("../../../configs/routers.toml");
