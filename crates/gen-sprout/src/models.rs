use std::{collections::HashSet, path::Path};

use anyhow::{Context as _, ensure};
use cli_support::usage_error;
use datagen::{PriceList, SourcePart, cli::pair_among};
use dataset::{Error as DatasetError, Pair, Price, Prices};

use crate::{config::Config, shard::Shard};

/// What was found of LLMs and prices in files and settings.
pub(crate) struct Models {
    /// In the order of the settings; others after them, as the files have them.
    pub(crate) names: Vec<String>,
    pub(crate) prices: PriceList,
    pub(crate) pair: Option<Pair>,
    pub(crate) notes: Vec<String>,
    /// Whether these are the LLMs of the settings, no more and no fewer.
    pub(crate) are_those_published: bool,
}

impl Models {
    /// Compares files and settings; `own_prices` come before those of the settings, which are from `config_path`.
    pub(crate) fn new(
        config: &Config,
        config_path: &Path,
        own_prices: Option<&Prices>,
        shards: &[(SourcePart, Shard)],
    ) -> anyhow::Result<Self> {
        let found = common_models(shards)?;
        let is_found = |name: &&String| found.contains(name);
        let configured: Vec<&String> = config.models.iter().map(|model| &model.name).collect();
        let known: Vec<String> = configured
            .iter()
            .copied()
            .filter(is_found)
            .cloned()
            .collect();
        // The order of the settings comes first, because figures and published numbers refer to it.
        let others = found.iter().filter(|name| !configured.contains(name));
        let names: Vec<String> = known.iter().cloned().chain(others.cloned()).collect();

        let own_price = |name: &str| own_prices.and_then(|own| own.get(name)).cloned();
        let configured_price = |name: &str| {
            let model = config.models.iter().find(|model| model.name == name)?;
            Some(Price {
                input_usd_per_mtok: model.input_usd_per_mtok,
                output_usd_per_mtok: model.output_usd_per_mtok,
                source: Some(model.source.clone()),
            })
        };
        let price = |name: &str| own_price(name).or_else(|| configured_price(name));
        // All of them in one message, so that one price list can be written in one go.
        let unpriced = names.iter().filter(|name| price(name).is_none());
        let unpriced: Vec<String> = unpriced.map(|name| format!("`{name}`")).collect();
        if !unpriced.is_empty() {
            return Err(usage_error(format!(
                "`{}` has no price for {}; name a list with --prices, or another --config",
                config_path.display(),
                unpriced.join(", ")
            )));
        }
        let prices = names
            .iter()
            .filter_map(|name| Some((name.clone(), price(name)?)));
        let prices = PriceList::new(config_path, prices.collect())?;

        let mut notes = Vec::new();
        for note in &config.price_notes {
            // The note is about the price in the settings, and wrong for a price that the user gave.
            if names.contains(&note.model) && own_price(&note.model).is_none() {
                notes.push(format!("`{}` is {}", note.model, note.note));
            }
        }
        let pair = match config.pair.as_ref().map(|pair| pair_among(pair, &names)) {
            Some(Ok(pair)) => Some(pair),
            Some(Err(note)) => {
                notes.push(note);
                None
            }
            None => None,
        };
        Ok(Self {
            are_those_published: known.len() == configured.len() && names.len() == known.len(),
            pair,
            names,
            prices,
            notes,
        })
    }
}

/// The LLMs that all files have, in the order of the first.
fn common_models(shards: &[(SourcePart, Shard)]) -> anyhow::Result<Vec<String>> {
    let mut files = shards.iter().map(|(_, shard)| shard);
    let first = files.next().context("the source has no files")?;
    let expected: HashSet<&String> = first.models.iter().collect();
    for shard in files {
        let found: HashSet<&String> = shard.models.iter().collect();
        let mut differing: Vec<&String> = expected.symmetric_difference(&found).copied().collect();
        // Sets have no order, and a message should not change from run to run.
        differing.sort();
        ensure!(
            differing.is_empty(),
            DatasetError::Mismatch {
                path: shard.path.clone(),
                other: first.path.clone(),
                what: format!("only one of them has {differing:?}"),
            }
        );
    }
    Ok(first.models.clone())
}
