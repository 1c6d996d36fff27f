use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use dataset::{CostRule, ModelInfo, Price};
use serde::Deserialize;

use super::{
    family::{Family, FamilyConfig},
    number::{MAX, MAX_SIGMA, MAX_TOKENS, moderate, not_negative, positive},
};

/// A made-up LLM.
#[derive(Debug, Clone, PartialEq, Deserialize)]
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

impl ModelConfig {
    pub(super) fn check(&self, families: &[FamilyConfig]) -> anyhow::Result<()> {
        not_negative("input-usd-per-mtok", self.input_usd_per_mtok, MAX)?;
        not_negative("output-usd-per-mtok", self.output_usd_per_mtok, MAX)?;
        not_negative("template-tokens", self.template_tokens.into(), MAX_TOKENS)?;
        positive("tokens-per-piece", self.tokens_per_piece, 1000.0)?;
        positive("verbosity", self.verbosity, MAX)?;
        not_negative("reasoning-tokens", self.reasoning_tokens, MAX_TOKENS)?;
        not_negative("length-sigma", self.length_sigma, MAX_SIGMA)?;
        // Abilities in families that are not listed do no harm, so a family can be removed in one place.
        for family in families {
            let name = family.family.name();
            let ability = self.ability.get(&family.family);
            let ability =
                ability.with_context(|| format!("`ability` lacks the family `{name}`"))?;
            moderate("ability", *ability).with_context(|| format!("in `{name}`"))?;
            for tokens in family.answer_tokens {
                // The lognormal part of a length has mean L - 1, which must be positive.
                let tokens = tokens * self.verbosity;
                ensure!(
                    tokens > 1.0 && tokens <= MAX_TOKENS,
                    "the expected length of answers to `{name}` is {tokens} tokens, expected more than 1 and at most {MAX_TOKENS}"
                );
            }
        }
        Ok(())
    }

    /// The LLM as `dataset.json` lists it.
    pub(crate) fn info(&self) -> ModelInfo {
        ModelInfo {
            name: self.name.clone(),
            price: Some(self.price()),
            cost_rule: CostRule::InputAndOutputTokens,
        }
    }

    pub(crate) fn price(&self) -> Price {
        Price {
            input_usd_per_mtok: self.input_usd_per_mtok,
            output_usd_per_mtok: self.output_usd_per_mtok,
            source: Some("made up".to_owned()),
        }
    }
}
