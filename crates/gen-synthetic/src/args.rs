use std::num::NonZeroUsize;

use clap::Parser;
use cli_support::examples;
use datagen::cli::ConfiguredGenArgs;

use crate::world;

const EXAMPLES: [&str; 4] = [
    "cargo run -p gen-synthetic",
    "cargo run -p gen-synthetic -- --n 1000000 --seed 7 --name large",
    "cargo run -p gen-synthetic -- --world close --models 12 --gain 0.02 --n 800 --seed 7",
    "cargo run -p gen-synthetic -- --world no-signal",
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
    #[command(flatten)]
    pub(crate) configured: ConfiguredGenArgs,
}
