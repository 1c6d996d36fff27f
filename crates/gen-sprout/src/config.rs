use datagen::cli::{BuiltIn, check_unique};
use dataset::Pair;
use serde::Deserialize;

use crate::args::Variant;

/// `configs/sprout.toml` or `configs/sprout-o3mini.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The data set of the hub.
    pub(crate) repo: String,
    pub(crate) n_rows: PartRows,
    pub(crate) pair: Option<Pair>,
    /// The LLMs in order.
    pub(crate) models: Vec<ModelConfig>,
    #[serde(default)]
    pub(crate) price_notes: Vec<PriceNote>,
}

/// An LLM and its price, as these settings list it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ModelConfig {
    /// The LLM's name, as the source spells it.
    pub(crate) name: String,
    /// US dollars per million input tokens.
    pub(crate) input_usd_per_mtok: f64,
    /// US dollars per million output tokens.
    pub(crate) output_usd_per_mtok: f64,
    /// Where the price was read.
    pub(crate) source: String,
}

/// Rows of each part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PartRows {
    pub(crate) train: usize,
    pub(crate) validation: usize,
    pub(crate) test: usize,
}

/// What is to be said with a price of these settings.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PriceNote {
    pub(crate) model: String,
    pub(crate) note: String,
}

/// The built-in settings of a variant.
pub(crate) fn built_in(variant: Variant) -> BuiltIn {
    match variant {
        Variant::Sprout => BuiltIn {
            path: "configs/sprout.toml",
            text: include_str!("../../../configs/sprout.toml"),
        },
        Variant::O3mini => BuiltIn {
            path: "configs/sprout-o3mini.toml",
            text: include_str!("../../../configs/sprout-o3mini.toml"),
        },
    }
}

impl Config {
    /// Refuses settings that list an LLM twice.
    pub(crate) fn check(self) -> anyhow::Result<Self> {
        check_unique("model", self.models.iter().map(|model| model.name.as_str()))?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_settings_are_usable() {
        for (variant, n_models, large_idx) in [(Variant::Sprout, 13, 2), (Variant::O3mini, 14, 11)]
        {
            let config: Config = toml::from_str(built_in(variant).text).expect("parses");
            let config = config.check().expect("usable");
            assert_eq!(config.models.len(), n_models);
            let pair = config.pair.expect("a pair");
            let position = |name| config.models.iter().position(|model| model.name == name);
            // CARROT's Plots 1 and 4 find GPT-4o at position 11 of SPROUT-o3mini.
            assert_eq!(position(pair.large), Some(large_idx));
            assert!(position(pair.small).is_some());
            for PriceNote { model, .. } in config.price_notes {
                assert!(position(model).is_some());
            }
        }
    }

    #[test]
    fn a_duplicate_model_is_refused() {
        let model = "[[models]]\nname = \"a\"\ninput-usd-per-mtok = 1\noutput-usd-per-mtok = 1\nsource = \"x\"\n";
        let rows = "[n-rows]\ntrain = 1\nvalidation = 1\ntest = 1\n";
        let text = format!("repo = \"a/b\"\n{rows}{model}{model}");
        let config: Config = toml::from_str(&text).expect("parses");
        let error = config.check().expect_err("doubled");
        assert!(error.to_string().contains("duplicate model `a`"), "{error}");
    }
}
