use datagen::cli::BuiltIn;
use serde::Deserialize;

pub(crate) const BUILT_IN: BuiltIn = BuiltIn {
    path: "configs/xroutebench.toml",
    text: include_str!("../../../configs/xroutebench.toml"),
};

/// `configs/xroutebench.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    /// The data set of the hub.
    pub(crate) repo: String,
    /// The folder of answers.
    pub(crate) answers: String,
    /// The folder of LLMs.
    pub(crate) models: String,
    pub(crate) n_models: usize,
    pub(crate) n_rows: PartRows,
}

/// Rows of each part, an answer each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PartRows {
    pub(crate) train: usize,
    pub(crate) test: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_settings_are_usable() {
        let config: Config = toml::from_str(BUILT_IN.text).expect("parses");
        assert_eq!(config.n_rows.train % config.n_models, 0);
        assert_eq!(config.n_rows.test % config.n_models, 0);
    }
}
