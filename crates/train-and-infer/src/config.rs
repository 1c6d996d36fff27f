use std::collections::BTreeMap;

use routers::{ForestParams, KnnParams, MfParams};
use saved_routers::EmbeddingFormat;
use serde::Deserialize;

/// configs/routers.toml.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    pub(crate) carrot_knn: KnnParams,
    pub(crate) carrot_knn_sbert: SentenceKnn,
    pub(crate) mf: MfParams,
    pub(crate) rorf: ForestParams,
    pub(crate) roberta: RobertaConfig,
    pub(crate) saved: SavedConfig,
    pub(crate) learning_curve: LearningCurveConfig,
    pub(crate) embedders: BTreeMap<String, EmbedderConfig>,
}

/// Settings of `carrot-knn-sbert` only.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SentenceKnn {
    pub(crate) embedder: String,
}

/// Settings of networks other than those of their training.
#[cfg_attr(
    not(feature = "torch"),
    expect(dead_code, reason = "it is read and checked, and only networks use it")
)]
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RobertaConfig {
    pub(crate) base: String,
    pub(crate) predict_max_tokens: usize,
    pub(crate) quirks_batch_size: usize,
    pub(crate) released_performance: String,
    pub(crate) released_cost: String,
}

/// How fitted routers are kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct SavedConfig {
    // The key's older name, so that settings files in use stay valid.
    #[serde(rename = "vectors")]
    pub(crate) embeddings: EmbeddingFormat,
}

/// How samples of the train part are drawn.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct LearningCurveConfig {
    pub(crate) seed: u32,
}

/// Where to find the model behind a short name.
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
