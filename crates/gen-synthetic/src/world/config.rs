use std::path::PathBuf;

use anyhow::ensure;
use datagen::cli::{BuiltIn, settings};
use dataset::Source;
use serde::Deserialize;

use crate::config::number::{MAX_SIGMA, MAX_STEPS, MAX_TOKENS, not_negative, positive};

/// LLMs that a table may have; more would make its rows longer than anyone's.
const MAX_MODELS: usize = 1000;

macro_rules! built_in {
    ($name:literal) => {
        (
            $name,
            BuiltIn {
                path: concat!("configs/synthetic-", $name, ".toml"),
                text: include_str!(concat!("../../../../configs/synthetic-", $name, ".toml")),
            },
        )
    };
}

/// The worlds that are built into the program.
pub(crate) const BUILT_IN: [(&str, BuiltIn); 4] = [
    built_in!("close"),
    built_in!("dominant"),
    built_in!("no-signal"),
    built_in!("shift"),
];

/// A world that is built in, or a file of settings.
#[derive(Debug, Clone)]
pub(crate) enum Choice {
    BuiltIn(&'static str, BuiltIn),
    File(PathBuf),
}

impl Choice {
    /// What the command line says: the name of a world, or a TOML file.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if let Some((name, built_in)) = BUILT_IN.into_iter().find(|(name, _)| *name == text) {
            return Ok(Self::BuiltIn(name, built_in));
        }
        if text.ends_with(".toml") {
            return Ok(Self::File(text.into()));
        }
        let names = BUILT_IN.map(|(name, _)| name).join(", ");
        Err(format!(
            "expected one of {names}, or a .toml file of settings"
        ))
    }

    /// The settings, and where they come from. `check` turns what the file says into what is used.
    ///
    /// # Errors
    /// When the file cannot be read, is not of the expected form, or `check` refuses what it says; the message names the file.
    pub(crate) fn settings(
        &self,
        check: impl FnOnce(WorldConfig) -> anyhow::Result<WorldConfig>,
    ) -> anyhow::Result<(WorldConfig, Source)> {
        match self {
            Self::BuiltIn(_, built_in) => settings(None, *built_in, check),
            // What is built in is not read where there is a file.
            Self::File(path) => settings(Some(path), BUILT_IN[0].1, check),
        }
    }
}

/// `configs/synthetic-*.toml` as they are written; [`WorldConfig::check`] makes sure that they can be used.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct WorldConfig {
    pub(crate) n_prompts: usize,
    pub(crate) seed: u32,
    pub(crate) test_size: f64,
    pub(crate) n_models: usize,
    /// Mean score of the best LLM.
    best_score: f64,
    /// How far the mean of the second best lies below.
    lead: f64,
    /// From the mean of the second best to that of the last, in equal steps.
    spread: f64,
    /// Scores are drawn in steps of one over this: 1 is right or wrong.
    pub(super) score_steps: u32,
    /// By how much every LLM scores lower on the hardest prompts than on the easiest.
    pub(super) difficulty_slope: f64,
    pub(crate) signal: Signal,
    pub(super) costs: Costs,
    #[serde(default)]
    pub(super) drift: Drift,
    #[serde(default)]
    pub(super) conversations: Option<Conversations>,
}

/// How much LLMs differ from prompt to prompt.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) enum Signal {
    /// What the Bayes router gains, averaged over the grid of worths.
    Gain(f64),
    /// Standard deviation over families of an LLM's expected score, before its mean is taken off.
    Deviation(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Costs {
    /// Mean cost of a call of the cheapest LLM, in US dollars.
    cheapest_usd: f64,
    /// Of the dearest; those between rise by equal factors.
    dearest_usd: f64,
    pub(super) order: CostOrder,
    /// Expected output tokens of every answer; input is free.
    pub(super) answer_tokens: f64,
    /// Standard deviation of the logarithm of an answer's length.
    pub(super) length_sigma: f64,
}

/// How costs go with mean scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CostOrder {
    DearIsGood,
    DearIsBad,
    Any,
}

/// What changes over time. Without it nothing does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Drift {
    /// 1 is to have other skills at the end, 0 the same.
    pub(super) skills: f64,
    /// 1 is to have other families of prompts at the end, 0 the same.
    pub(super) families: f64,
}

/// Prompts that come together.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Conversations {
    /// Prompts of a conversation, all of one family.
    pub(super) n_prompts: u32,
    /// How far an LLM's expected score in a conversation lies above or below what its prompts let expect.
    pub(super) effect: f64,
}

impl WorldConfig {
    /// Refuses settings that no world has.
    ///
    /// # Errors
    /// Names the key and the value that cannot be used.
    pub(crate) fn check(self) -> anyhow::Result<Self> {
        ensure!(
            (1..=MAX_MODELS).contains(&self.n_models),
            "`n-models` is {}, expected a number from 1 to {MAX_MODELS}",
            self.n_models
        );
        for (key, value) in [
            ("best-score", self.best_score),
            ("lead", self.lead),
            ("spread", self.spread),
            ("difficulty-slope", self.difficulty_slope),
            ("drift.skills", self.drift.skills),
            ("drift.families", self.drift.families),
            (
                "conversations.effect",
                self.conversations.map_or(0.0, |it| it.effect),
            ),
        ] {
            not_negative(key, value, 1.0)?;
        }
        match self.signal {
            Signal::Gain(value) => not_negative("signal.gain", value, 1.0)?,
            Signal::Deviation(value) => not_negative("signal.deviation", value, 1.0)?,
        }
        ensure!(
            (1..=MAX_STEPS).contains(&self.score_steps),
            "`score-steps` is {}, expected a number from 1 to {MAX_STEPS}",
            self.score_steps
        );
        let Costs {
            cheapest_usd: cheapest,
            dearest_usd: dearest,
            ..
        } = self.costs;
        positive("costs.cheapest-usd", cheapest, 1e3)?;
        positive("costs.dearest-usd", dearest, 1e3)?;
        ensure!(
            cheapest <= dearest,
            "`costs.cheapest-usd` is {cheapest}, more than `costs.dearest-usd`, {dearest}"
        );
        positive(
            "costs.answer-tokens",
            self.costs.answer_tokens - 1.0,
            MAX_TOKENS,
        )?;
        not_negative("costs.length-sigma", self.costs.length_sigma, MAX_SIGMA)?;
        ensure!(
            self.conversations.is_none_or(|it| it.n_prompts > 0),
            "`conversations.n-prompts` is 0, expected at least 1"
        );
        Ok(self)
    }

    /// Mean score of the LLM of this rank, the best having rank 0.
    pub(super) fn quality(&self, rank: usize) -> f64 {
        let n_steps = self.n_models.saturating_sub(2).max(1) as f64;
        match rank {
            0 => self.best_score,
            _ => self.best_score - self.lead - self.spread * (rank - 1) as f64 / n_steps,
        }
    }

    /// How far a prompt's expected score, with its conversation's effect, may lie from its family's.
    pub(super) fn reach(&self) -> f64 {
        self.difficulty_slope / 2.0 + self.conversations.map_or(0.0, |it| it.effect)
    }
}

impl Costs {
    /// Mean cost of the LLM of this rank among so many, the cheapest having rank 0.
    pub(super) fn mean_usd(&self, rank: usize, n_models: usize) -> f64 {
        let share = rank as f64 / n_models.saturating_sub(1).max(1) as f64;
        self.cheapest_usd * (self.dearest_usd / self.cheapest_usd).powf(share)
    }
}
