use std::num::NonZeroUsize;

use clap::Parser;
use cli_support::examples;
use datagen::cli::ConfiguredGenArgs;

const EXAMPLES: [&str; 2] = [
    "cargo run -p gen-synthetic",
    "cargo run -p gen-synthetic -- --n 1000000 --seed 7 --name large",
];

/// Make a data set of synthetic prompts and LLMs, with the true expectations beside it
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Number of prompts [default: 4000, from the settings]
    #[arg(long, value_name = "N")]
    pub(crate) n: Option<NonZeroUsize>,
    /// Seed of all random numbers; row i depends only on the seed and i [default: 42, from the settings]
    #[arg(long)]
    pub(crate) seed: Option<u32>,
    /// Share of test rows [default: 0.2, from the settings]
    #[arg(long, value_name = "SHARE")]
    pub(crate) test_size: Option<f64>,
    #[command(flatten)]
    pub(crate) configured: ConfiguredGenArgs,
}
