use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use datagen::cli::{BuiltIn, check_unique};
use dataset::{Pair, Price};
use serde::Deserialize;

/// `configs/synthetic.toml` as it is written; [`Config::check`] makes sure that it can be used.
#[derive(Debug, Clone, Deserialize)]
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

/// A family of prompts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct FamilyConfig {
    pub(crate) family: Family,
    /// Its share of the prompts, up to a common factor.
    pub(crate) weight: f64,
    /// Difficulty of its easiest and its hardest prompts, on the scale of abilities.
    pub(crate) difficulty: [f64; 2],
    /// Expected score of an LLM without any ability.
    pub(crate) guess: f64,
    /// Scores are drawn in steps of one over this: 1 is right or wrong.
    pub(crate) score_steps: u32,
    /// Expected tokens of an answer to its easiest and its hardest prompts, at verbosity 1.
    pub(crate) answer_tokens: [f64; 2],
    /// How much of an LLM's reasoning tokens its hardest prompts call for, in [0, 1].
    pub(crate) reasoning: f64,
}

/// What a prompt asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Family {
    Arithmetic,
    Units,
    Sequences,
    Logic,
    Dates,
    Strings,
    Code,
    Retrieval,
    Sentiment,
    Summary,
    Writing,
}

/// A made-up LLM.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ModelConfig {
    pub(crate) name: String,
    pub(crate) input_usd_per_mtok: f64,
    pub(crate) output_usd_per_mtok: f64,
    /// Tokens that wrap every prompt.
    pub(crate) template_tokens: u32,
    /// Its tokens per word piece.
    pub(crate) tokens_per_piece: f64,
    /// Factor on the family's answer tokens.
    pub(crate) verbosity: f64,
    /// Expected tokens of thought on the hardest prompts.
    pub(crate) reasoning_tokens: f64,
    /// Standard deviation of the logarithm of the answer's length.
    pub(crate) length_sigma: f64,
    /// Ability per family.
    pub(crate) ability: BTreeMap<Family, f64>,
}

impl Family {
    /// The name, as in the configuration and in the column `task`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Arithmetic => "arithmetic",
            Self::Units => "units",
            Self::Sequences => "sequences",
            Self::Logic => "logic",
            Self::Dates => "dates",
            Self::Strings => "strings",
            Self::Code => "code",
            Self::Retrieval => "retrieval",
            Self::Sentiment => "sentiment",
            Self::Summary => "summary",
            Self::Writing => "writing",
        }
    }
}

impl Config {
    /// Refuses a configuration whose latent model is not defined everywhere.
    ///
    /// # Errors
    /// Names the key and the value that cannot be used.
    pub(crate) fn check(self) -> anyhow::Result<Self> {
        positive("discrimination", self.discrimination)?;
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
            ensure!(!model.name.is_empty(), "a model has no name");
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

impl FamilyConfig {
    fn check(&self) -> anyhow::Result<()> {
        positive("weight", self.weight)?;
        for difficulty in self.difficulty {
            ensure!(
                difficulty.is_finite(),
                "`difficulty` is {difficulty}, expected a finite number"
            );
        }
        ensure!(
            (0.0..1.0).contains(&self.guess),
            "`guess` is {}, expected a number in [0, 1)",
            self.guess
        );
        ensure!(
            self.score_steps > 0,
            "`score-steps` is 0, expected at least 1"
        );
        for tokens in self.answer_tokens {
            positive("answer-tokens", tokens)?;
        }
        ensure!(
            (0.0..=1.0).contains(&self.reasoning),
            "`reasoning` is {}, expected a number in [0, 1]",
            self.reasoning
        );
        Ok(())
    }
}

impl ModelConfig {
    fn check(&self, families: &[FamilyConfig]) -> anyhow::Result<()> {
        not_negative("input-usd-per-mtok", self.input_usd_per_mtok)?;
        not_negative("output-usd-per-mtok", self.output_usd_per_mtok)?;
        positive("tokens-per-piece", self.tokens_per_piece)?;
        positive("verbosity", self.verbosity)?;
        not_negative("reasoning-tokens", self.reasoning_tokens)?;
        not_negative("length-sigma", self.length_sigma)?;
        for family in families {
            let name = family.family.name();
            let ability = self.ability.get(&family.family);
            let ability =
                ability.with_context(|| format!("`ability` lacks the family `{name}`"))?;
            ensure!(
                ability.is_finite(),
                "`ability` in `{name}` is {ability}, expected a finite number"
            );
            for tokens in family.answer_tokens {
                // The lognormal part of a length has mean L - 1, which must be positive.
                let tokens = tokens * self.verbosity;
                ensure!(
                    tokens > 1.0,
                    "answers to `{name}` have {tokens} expected tokens, expected more than 1"
                );
            }
        }
        Ok(())
    }

    pub(crate) fn price(&self) -> Price {
        Price {
            input_usd_per_mtok: self.input_usd_per_mtok,
            output_usd_per_mtok: self.output_usd_per_mtok,
            source: Some("made up".to_owned()),
        }
    }
}

fn positive(key: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        value.is_finite() && value > 0.0,
        "`{key}` is {value}, expected a finite number above 0"
    );
    Ok(())
}

fn not_negative(key: &str, value: f64) -> anyhow::Result<()> {
    ensure!(
        value.is_finite() && value >= 0.0,
        "`{key}` is {value}, expected a finite number of at least 0"
    );
    Ok(())
}

/// The built-in configuration.
pub(crate) const BUILT_IN: BuiltIn = BuiltIn {
    path: "configs/synthetic.toml",
    text: include_str!("../../../configs/synthetic.toml"),
};

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

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
            (|config| config.models[0].name.clear(), "no name"),
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
    fn family_names_are_those_of_the_file() {
        for family in built_in().families {
            let text = format!("family = \"{}\"", family.family.name());
            assert!(BUILT_IN.text.contains(&text), "{text}");
        }
    }
}
