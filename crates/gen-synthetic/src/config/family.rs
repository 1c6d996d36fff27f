use anyhow::ensure;
use serde::Deserialize;

use super::number::{MAX, MAX_STEPS, MAX_TOKENS, moderate, positive};

/// A family of prompts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
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

impl Family {
    /// All families.
    pub(crate) const ALL: [Self; 11] = [
        Self::Arithmetic,
        Self::Units,
        Self::Sequences,
        Self::Logic,
        Self::Dates,
        Self::Strings,
        Self::Code,
        Self::Retrieval,
        Self::Sentiment,
        Self::Summary,
        Self::Writing,
    ];

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

impl FamilyConfig {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        positive("weight", self.weight, MAX)?;
        for difficulty in self.difficulty {
            moderate("difficulty", difficulty)?;
        }
        // At 1 every LLM would score the same, whatever its ability.
        ensure!(
            (0.0..1.0).contains(&self.guess),
            "`guess` is {}, expected a number in [0, 1)",
            self.guess
        );
        ensure!(
            (1..=MAX_STEPS).contains(&self.score_steps),
            "`score-steps` is {}, expected a number from 1 to {MAX_STEPS}",
            self.score_steps
        );
        for tokens in self.answer_tokens {
            positive("answer-tokens", tokens, MAX_TOKENS)?;
        }
        ensure!(
            (0.0..=1.0).contains(&self.reasoning),
            "`reasoning` is {}, expected a number in [0, 1]",
            self.reasoning
        );
        Ok(())
    }
}
