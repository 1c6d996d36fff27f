use std::num::NonZeroUsize;

use clap::Parser;
use cli_support::examples;
use datagen::cli::ConfiguredGenArgs;

use crate::{config::number::MAX_TOKENS, log::Policy, world};

const EXAMPLES: [&str; 6] = [
    "cargo run -p gen-synthetic",
    "cargo run -p gen-synthetic -- --n 1000000 --seed 7 --name large",
    "cargo run -p gen-synthetic -- --world close --models 12 --gain 0.02 --n 800 --seed 7",
    "cargo run -p gen-synthetic -- --world no-signal",
    "cargo run -p gen-synthetic -- --n 20000 --log skewed --missing 0.3 --name my-log",
    "cargo run -p gen-synthetic -- --log uniform --no-propensities --system-prompt-tokens 1500 --name my-log",
];

/// Make a data set of synthetic prompts and LLMs, with the true expectations beside it
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Number of prompts [default: from the settings: 4000]
    #[arg(long, value_name = "N")]
    pub(crate) n: Option<NonZeroUsize>,
    /// Seed of all random numbers; row i depends only on the seed and i, and in the world `shift` on the number of prompts [default: from the settings: 42]
    #[arg(long)]
    pub(crate) seed: Option<u32>,
    /// Share of test rows [default: from the settings: 0.2]
    #[arg(long, value_name = "SHARE")]
    pub(crate) test_size: Option<f64>,
    /// Make a hard world instead: `close` (many LLMs close together at the top), `dominant` (one is best and cheapest everywhere), `no-signal`
    /// (scores do not depend on prompts), `shift` (LLMs and prompts change over time), or a .toml file of the form of configs/synthetic-close.toml
    #[arg(long, value_name = "WORLD", value_parser = world::Choice::parse, conflicts_with = "config")]
    pub(crate) world: Option<world::Choice>,
    /// Number of LLMs of the world [default: from its settings]
    #[arg(long, value_name = "N", requires = "world")]
    pub(crate) models: Option<NonZeroUsize>,
    /// What knowing the world's expectations gains over the best single LLM, as a score averaged over worths [default: from its settings]
    #[arg(long, requires = "world")]
    pub(crate) gain: Option<f64>,
    /// Make a log of one LLM for each prompt, drawn by this policy; `<model>/propensity` holds its probabilities. The truth stays complete
    #[arg(long, value_name = "POLICY", help_heading = "Logs")]
    pub(crate) log: Option<Policy>,
    /// Do not write the propensities, as in logs that do not record them
    #[arg(long, requires = "log", help_heading = "Logs")]
    pub(crate) no_propensities: bool,
    /// Make the scores of this share of the answers unknown, whatever they are
    #[arg(long, value_name = "SHARE", value_parser = share, default_value_t = 0.0, hide_default_value = true, help_heading = "Logs")]
    pub(crate) missing: f64,
    /// Make scores unknown, the more often the lower they are: this share of the scores of 0, none of the scores of 1
    #[arg(long, value_name = "SHARE", value_parser = share, default_value_t = 0.0, hide_default_value = true, help_heading = "Logs")]
    pub(crate) missing_not_at_random: f64,
    /// Bill so many input tokens more than a prompt's text has, for a system prompt that is not in the table. Worlds, whose input is free
    /// otherwise, then charge a quarter of the output price for it
    #[arg(long, value_name = "N", value_parser = tokens, default_value_t = 0, hide_default_value = true, help_heading = "Logs")]
    pub(crate) system_prompt_tokens: u32,
    #[command(flatten)]
    pub(crate) configured: ConfiguredGenArgs,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..1.0).contains(&share) => Ok(share),
        _ => Err("expected a number of at least 0 and below 1".to_owned()),
    }
}

fn tokens(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(n) if f64::from(n) <= MAX_TOKENS => Ok(n),
        _ => Err(format!("expected a whole number from 0 to {MAX_TOKENS}")),
    }
}
