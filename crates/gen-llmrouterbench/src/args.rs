use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use cli_support::examples;
use datagen::cli::ConfiguredGenArgs;

const EXAMPLES: [&str; 3] = [
    "cargo run -p gen-llmrouterbench",
    "cargo run -p gen-llmrouterbench -- --setting performance-cost --split-seed 999 --name llmrouterbench-cost-999",
    "cargo run -p gen-llmrouterbench -- --source downloads/bench-release.tar.gz",
];

/// Make a data set of LLMRouterBench
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Archive of result files (.tar or .tar.gz), or a folder that holds them [default: the Hugging Face hub, 1.28 GB]
    #[arg(long, value_name = "PATH")]
    pub(crate) source: Option<PathBuf>,
    /// Which of its two settings
    #[arg(long, default_value = "performance")]
    pub(crate) setting: Setting,
    /// Seed of the split; its published results have 42, 999, 2024, 2025 and 3407 [default: the first of the settings: 42]
    #[arg(long, value_name = "SEED")]
    pub(crate) split_seed: Option<u32>,
    #[command(flatten)]
    pub(crate) configured: ConfiguredGenArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Setting {
    /// 20 small LLMs on 15 data sets
    Performance,
    /// 13 large LLMs on 10 data sets, with their costs
    PerformanceCost,
}

impl Setting {
    /// As on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Performance => "performance",
            Self::PerformanceCost => "performance-cost",
        }
    }
}
