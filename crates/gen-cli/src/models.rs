use std::path::Path;

use datagen::PriceList;
use dataset::{Price, Prices};
use serde::Deserialize;

/// An LLM of a data set, as `configs/<dataset>.toml` lists it:
///
/// ```toml
/// [[models]]
/// name = "openai-gpt-4o"
/// input-usd-per-mtok = 2.5
/// output-usd-per-mtok = 10
/// source = "CARROT (somerstep/CARROT at 3e6acff), carrot/constants.py"
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ModelConfig {
    /// The LLM's name, as the source spells it.
    pub name: String,
    /// US dollars per million input tokens.
    pub input_usd_per_mtok: f64,
    /// US dollars per million output tokens.
    pub output_usd_per_mtok: f64,
    /// Where the price was read.
    pub source: String,
}

/// The price list of the LLMs in a settings file; `path` is that file's name for messages.
///
/// # Errors
/// When a price is no finite number of at least 0.
pub fn price_list(path: &Path, models: &[ModelConfig]) -> anyhow::Result<PriceList> {
    let prices = models.iter().map(|model| {
        let price = Price {
            input_usd_per_mtok: model.input_usd_per_mtok,
            output_usd_per_mtok: model.output_usd_per_mtok,
            source: Some(model.source.clone()),
        };
        (model.name.clone(), price)
    });
    Ok(PriceList::new(path, prices.collect::<Prices>())?)
}
