use anyhow::ensure;
use datagen::cli::{BuiltIn, check_unique};
use serde::Deserialize;

use crate::args::Setting;

pub(crate) const BUILT_IN: BuiltIn = BuiltIn {
    path: "configs/llmrouterbench.toml",
    text: include_str!("../../../configs/llmrouterbench.toml"),
};

/// `configs/llmrouterbench.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The data set of the hub.
    pub(crate) repo: String,
    /// The archive in it.
    pub(crate) file: String,
    /// Share of each data set's prompts that trains.
    pub(crate) train_share: f64,
    /// Of published splits, the usual one first.
    pub(crate) seeds: Vec<u32>,
    performance: Pool,
    performance_cost: Pool,
}

/// What one setting takes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Pool {
    /// The name of the data set that is made.
    pub(crate) name: String,
    /// Records of the published archive.
    pub(crate) n_records: usize,
    pub(crate) data_sets: Vec<String>,
    /// None: all.
    pub(crate) splits: Vec<String>,
    /// The LLMs in order.
    pub(crate) models: Vec<String>,
}

impl Config {
    /// Refuses lists with duplicates, and a share or seeds that split nothing.
    pub(crate) fn check(self) -> anyhow::Result<Self> {
        let share = self.train_share;
        ensure!(
            share > 0.0 && share < 1.0,
            "`train-share` is `{share}`, expected a number between 0 and 1"
        );
        ensure!(
            !self.seeds.is_empty(),
            "`seeds` is empty, expected the usual seed at least"
        );
        for pool in [&self.performance, &self.performance_cost] {
            check_unique("model", pool.models.iter().map(String::as_str))?;
            check_unique("data set", pool.data_sets.iter().map(String::as_str))?;
        }
        Ok(self)
    }

    pub(crate) fn pool(&self, setting: Setting) -> &Pool {
        match setting {
            Setting::Performance => &self.performance,
            Setting::PerformanceCost => &self.performance_cost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built_in() -> Config {
        toml::from_str(BUILT_IN.text).expect("parses")
    }

    #[test]
    fn the_built_in_settings_are_usable() {
        let config = built_in().check().expect("usable");
        let sizes = [Setting::Performance, Setting::PerformanceCost].map(|setting| {
            let pool = config.pool(setting);
            (pool.models.len(), pool.data_sets.len())
        });
        assert_eq!(sizes, [(20, 15), (13, 10)]);
    }

    #[test]
    fn settings_that_split_nothing_are_refused() {
        let mut config = built_in();
        config.train_share = 1.0;
        let error = config.check().expect_err("no test part").to_string();
        assert!(error.contains("`train-share` is `1`"), "{error}");
        let mut config = built_in();
        config.performance.models.push("Qwen3-8B".to_owned());
        let error = config.check().expect_err("doubled").to_string();
        assert!(error.contains("duplicate model `Qwen3-8B`"), "{error}");
    }
}
