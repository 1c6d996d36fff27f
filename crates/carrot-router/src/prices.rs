use std::path::{Path, PathBuf};

use dataset::{ModelInfo, Prices};

use crate::{Error, Result};

/// A price list from a file, which overrides all other prices.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceFile {
    path: PathBuf,
    prices: Prices,
}

impl PriceFile {
    /// Reads a `prices.toml`, as the `gen-*` programs read it.
    ///
    /// # Errors
    /// [`Error::Dataset`], with the line of the mistake.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            prices: Prices::read(path)?,
        })
    }

    /// Whether the list has a price for an LLM.
    pub fn has(&self, model: &str) -> bool {
        self.prices.get(model).is_some()
    }

    /// Gives LLMs their prices from the list, where it has them.
    ///
    /// # Errors
    /// [`Error::UnknownPrice`] for a price of an LLM that is not among them: a misspelled name would leave the intended LLM at its old price.
    pub(crate) fn apply(&self, models: &mut [ModelInfo]) -> Result<()> {
        let is_known = |name: &&str| models.iter().any(|model| model.name == **name);
        if let Some(name) = self.prices.models().find(|name| !is_known(name)) {
            return Err(Error::UnknownPrice {
                path: self.path.clone(),
                name: name.to_owned(),
                models: models.iter().map(|model| model.name.clone()).collect(),
            });
        }
        for model in models {
            if let Some(price) = self.prices.get(&model.name) {
                model.price = Some(price.clone());
            }
        }
        Ok(())
    }
}
