//! The router that `serve` is configured with, opened as `route` would.

use carrot_router::{CarrotRouter, serve::RouterConfig};

use super::{args::RouterArgs, open::Opening};
use crate::cli::index::IndexArgs;

/// Opens a router, and downloads what it needs from the hub.
pub(in crate::cli) fn open_of_config(
    config: &RouterConfig,
    index: &IndexArgs,
    quiet: bool,
) -> anyhow::Result<CarrotRouter> {
    let args = RouterArgs {
        model: Some(config.model.clone()),
        performance: None,
        cost: None,
        label_order: None,
        prices: config.prices.clone(),
        tokenizers: config.tokenizers.clone(),
        embedder: config.embedder.clone(),
        embedding_model: config.embedding_model.clone(),
        embedding_store: config.embedding_store.clone(),
        truncate: None,
        precision: "f32".to_owned(),
        device: config.device.clone().unwrap_or_else(|| "cpu".to_owned()),
        index: index.clone(),
    };
    Opening::check(args, quiet)?.open()
}
