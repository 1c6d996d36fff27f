mod family;
mod model;
pub(crate) mod number;

use std::path::Path;

use anyhow::{Context as _, ensure};
use datagen::cli::{BuiltIn, check_unique};
use dataset::{Pair, check_model_name};
use serde::Deserialize;

use self::number::{MAX, positive};

pub(crate) use self::{
    family::{Family, FamilyConfig},
    model::ModelConfig,
};

/// The built-in configuration.
pub(crate) const BUILT_IN: BuiltIn = BuiltIn {
    path: "configs/synthetic.toml",
    text: include_str!("../../../configs/synthetic.toml"),
};

/// `configs/synthetic.toml` as it is written; [`Config::check`] makes sure that it can be used.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
    pub(crate) n_prompts: usize,
    pub(crate) seed: u32,
    pub(crate) test_size: f64,
    pub(crate) pair: Pair,
    /// Slope of the score over ability minus difficulty.
    pub(crate) discrimination: f64,
    pub(crate) families: Vec<FamilyConfig>,
    pub(crate) models: Vec<ModelConfig>,
}

impl Config {
    /// Refuses a configuration whose latent model is not defined everywhere.
    ///
    /// # Errors
    /// Names the key and the value that cannot be used.
    pub(crate) fn check(self) -> anyhow::Result<Self> {
        positive("discrimination", self.discrimination, MAX)?;
        ensure!(!self.families.is_empty(), "`families` is empty");
        check_unique("family", self.families.iter().map(|it| it.family.name()))?;
        for family in &self.families {
            let name = family.family.name();
            family.check().with_context(|| format!("family `{name}`"))?;
        }
        ensure!(!self.models.is_empty(), "`models` is empty");
        let models = || self.models.iter().map(|model| model.name.as_str());
        check_unique("model", models())?;
        for model in &self.models {
            check_model_name(Path::new("the settings"), &model.name)?;
            model
                .check(&self.families)
                .with_context(|| format!("model `{}`", model.name))?;
        }
        // After the LLMs, so that a misspelled name is reported as such.
        let Pair { small, large } = &self.pair;
        for model in [small, large] {
            ensure!(
                models().any(|known| known == model),
                "`pair` names an unknown model `{model}`"
            );
        }
        ensure!(small != large, "both models of `pair` are `{small}`");
        Ok(self)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use test_support::try_mutations;

    use super::*;
    use crate::rows::Rows;

    pub(crate) fn built_in() -> Config {
        let config: Config =
            toml::from_str(BUILT_IN.text).expect("the built-in configuration parses");
        config
            .check()
            .expect("the built-in configuration can be used")
    }

    #[test]
    fn bad_values_are_refused() {
        type Spoil = fn(&mut Config);
        let cases: &[(Spoil, &str)] = &[
            (
                |config| config.discrimination = 0.0,
                "`discrimination` is 0",
            ),
            (|config| config.families.clear(), "`families` is empty"),
            (
                |config| config.families[1] = config.families[0].clone(),
                "duplicate family",
            ),
            (|config| config.families[0].weight = -1.0, "`weight` is -1"),
            (
                |config| config.families[0].difficulty[1] = f64::NAN,
                "`difficulty` is NaN",
            ),
            (|config| config.families[0].guess = 1.0, "`guess` is 1"),
            (
                |config| config.families[0].score_steps = 0,
                "`score-steps` is 0",
            ),
            (
                |config| config.families[0].answer_tokens[0] = 0.5,
                "expected more than 1",
            ),
            (
                |config| config.families[0].reasoning = 1.5,
                "`reasoning` is 1.5",
            ),
            (|config| config.models.clear(), "`models` is empty"),
            (|config| config.models[0].name.clear(), "name is empty"),
            (
                |config| config.models[0].name.push('\u{1b}'),
                "control characters",
            ),
            (|config| config.discrimination = 1e300, "at most 1000000"),
            (
                |config| config.families[0].difficulty = [-1e308, 1e308],
                "`difficulty` is -1",
            ),
            (
                |config| config.families[0].score_steps = u32::MAX,
                "`score-steps` is 4294967295",
            ),
            (
                |config| config.families[0].answer_tokens[1] = 1e12,
                "`answer-tokens` is 1000000000000",
            ),
            (
                |config| config.models[0].template_tokens = u32::MAX,
                "`template-tokens` is 4294967295",
            ),
            (
                |config| config.models[0].tokens_per_piece = 1e9,
                "`tokens-per-piece` is 1000000000",
            ),
            (
                |config| config.models[0].length_sigma = 50.0,
                "`length-sigma` is 50",
            ),
            (|config| config.models[0].verbosity = 1e5, "at most 100000"),
            (
                |config| *config.models[0].ability.values_mut().next().expect("one") = f64::NAN,
                "`ability` is NaN",
            ),
            (
                |config| config.models[1].name = config.models[0].name.clone(),
                "duplicate model",
            ),
            (
                |config| config.models[0].output_usd_per_mtok = f64::INFINITY,
                "`output-usd-per-mtok` is inf",
            ),
            (
                |config| config.models[0].length_sigma = -0.1,
                "`length-sigma` is -0.1",
            ),
            (
                |config| config.models[0].ability.clear(),
                "`ability` lacks the family",
            ),
            (
                |config| config.pair.small = "nobody".to_owned(),
                "unknown model `nobody`",
            ),
            (
                |config| config.pair.small = config.pair.large.clone(),
                "both models of `pair`",
            ),
        ];
        for (i, (spoil, expected)) in cases.iter().enumerate() {
            let mut config = built_in();
            spoil(&mut config);
            let message = format!("{:#}", config.check().expect_err(expected));
            assert!(message.contains(expected), "case {i}: {message}");
        }
    }

    #[test]
    fn mutations_of_the_settings_make_rows_or_are_refused() {
        try_mutations(&[BUILT_IN.text.as_bytes().to_vec()], |bytes| {
            let text = String::from_utf8_lossy(&bytes);
            let config = toml::from_str(&text).map_err(anyhow::Error::from);
            if let Ok(config) = config.and_then(Config::check)
                && let Ok(rows) = Rows::new(&config, config.seed)
            {
                rows.chunk(&[0, 1, 2]);
            }
        });
    }

    #[test]
    fn family_names_are_those_of_the_file() {
        for family in built_in().families {
            let text = format!("family = \"{}\"", family.family.name());
            assert!(BUILT_IN.text.contains(&text), "{text}");
        }
    }
}
