use datagen::cli::BuiltIn;
use dataset::Pair;
use serde::Deserialize;

pub(crate) const BUILT_IN: BuiltIn = BuiltIn {
    path: "configs/routerbench.toml",
    text: include_str!("../../../configs/routerbench.toml"),
};

/// `configs/routerbench.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Published {
    /// Rows that are not left out.
    pub(crate) n_rows: usize,
    pub(crate) models: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataset::train_test_split;

    #[test]
    fn the_built_in_settings_give_the_published_split() {
        let config: Config = toml::from_str(BUILT_IN.text).expect("usable");
        let n = config.published.n_rows;
        let rows = train_test_split(n, config.test_size, config.seed).expect("a share of the rows");
        assert_eq!((rows.train.len(), rows.test.len()), (28_569, 7_143));
        let pair = config.pair.expect("a pair");
        for model in [pair.small, pair.large] {
            assert!(config.published.models.contains(&model), "{model}");
        }
    }
}
