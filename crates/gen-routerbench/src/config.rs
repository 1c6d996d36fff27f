use std::path::Path;

use cli_support::read_toml;
use dataset::{Pair, Source};
use serde::Deserialize;

const BUILT_IN: &str = include_str!("../../../configs/routerbench.toml");
const BUILT_IN_PATH: &str = "configs/routerbench.toml";

/// `configs/routerbench.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The data set of the hub, and the file in it.
    pub(crate) repo: String,
    pub(crate) file: String,
    /// In lower case: what an `eval_name` begins with, whose rows are left out.
    pub(crate) drop_eval_name_prefix: String,
    pub(crate) test_size: f64,
    pub(crate) seed: u32,
    pub(crate) pair: Option<Pair>,
    pub(crate) published: Published,
}

/// What the published file has.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Published {
    /// Rows that are not left out.
    pub(crate) n_rows: usize,
    pub(crate) models: Vec<String>,
}

impl Config {
    /// The settings, and the file that they come from.
    pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<(Self, Source)> {
        let config = read_toml(path, BUILT_IN)?;
        let source = Source::of_settings(path, BUILT_IN_PATH, BUILT_IN)?;
        Ok((config, source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataset::train_test_split;

    #[test]
    fn the_built_in_settings_give_the_published_split() {
        let (config, _) = Config::read(None).expect("usable");
        let n = config.published.n_rows;
        let rows = train_test_split(n, config.test_size, config.seed).expect("a share of the rows");
        assert_eq!((rows.train.len(), rows.test.len()), (28_569, 7_143));
        let pair = config.pair.expect("a pair");
        for model in [pair.small, pair.large] {
            assert!(config.published.models.contains(&model), "{model}");
        }
    }
}
