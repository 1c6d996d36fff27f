//! From the tokens of a prompt's text to the input tokens that an LLM bills.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::TokenRange;

/// What each LLM billed for the train prompts, beside what was counted of their texts.
///
/// ```text
/// billed_m(x) = a_m + b_m counted(x)        at least 0; the line of an LLM without one of its own is the mean of the others'
/// ```
///
/// A table that holds what was billed knows of a system prompt, a template and each LLM's tokenizer, which a prompt's text does not show: they
/// are the line's intercept and slope.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenLines {
    /// Tokens of the train prompts' texts, by what counts for the router.
    pub counted: TokenRange,
    /// By LLM. None where the train part does not say what was billed.
    pub lines: BTreeMap<String, TokenLine>,
}

/// A line from counted to billed tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenLine {
    /// Billed tokens of a prompt without text, as the line goes on there.
    pub intercept: f64,
    /// Billed tokens for each counted one.
    pub slope: f64,
    /// The share of the billed tokens' variance on the train prompts that the line explains; 1 if they do not vary.
    pub r2: f64,
    /// Train prompts of which the LLM's billed tokens are known.
    pub n_prompts: usize,
}

impl TokenLine {
    /// The tokens that the LLM is expected to bill for a prompt with so many counted ones.
    pub fn billed(&self, n_counted: usize) -> f64 {
        (self.intercept + self.slope * n_counted as f64).max(0.0)
    }
}

impl TokenLines {
    /// The line of an LLM: its own, or the mean of the others'. None where there is none at all.
    ///
    /// An LLM without a line, because it was added later or is known for too few prompts, gets the same system prompt as the others: without it
    /// it would seem cheaper than they are.
    pub fn of(&self, model: &str) -> Option<TokenLine> {
        let own = self.lines.get(model).copied();
        own.or_else(|| self.mean())
    }

    /// The smallest R2 of the lines, where there are any.
    pub fn least_r2(&self) -> Option<f64> {
        self.lines.values().map(|line| line.r2).reduce(f64::min)
    }

    fn mean(&self) -> Option<TokenLine> {
        let n = self.lines.len();
        let mean = |of: fn(&TokenLine) -> f64| self.lines.values().map(of).sum::<f64>() / n as f64;
        (n > 0).then(|| TokenLine {
            intercept: mean(|line| line.intercept),
            slope: mean(|line| line.slope),
            r2: mean(|line| line.r2),
            n_prompts: 0,
        })
    }
}
