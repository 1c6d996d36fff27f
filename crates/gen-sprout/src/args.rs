use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use cli_support::examples;
use datagen::cli::ConfiguredGenArgs;

const EXAMPLES: [&str; 4] = [
    "cargo run -p gen-sprout",
    "cargo run -p gen-sprout -- --variant o3mini",
    "cargo run -p gen-sprout -- --source downloads/SPROUT",
    "cargo run -p gen-sprout -- --prices titan-at-half.toml --name sprout-other-prices",
];

/// Make the data set SPROUT
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Folder that has the files `train-00000-of-00003.parquet` and so on, or has them in its subfolder `data` [default: the Hugging Face hub,
    /// about 0.6 GB]
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<PathBuf>,
    /// Which of the two data sets
    #[arg(long, default_value = "sprout")]
    pub(crate) variant: Variant,
    /// Prices that override those in the settings, in the form of gen-custom's `--prices`
    #[arg(long, value_name = "TOML")]
    pub(crate) prices: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) configured: ConfiguredGenArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Variant {
    /// 13 LLMs
    Sprout,
    /// 14 LLMs: o3-mini as well
    O3mini,
}

impl Variant {
    /// The name of the data set, unless `--name` gives another.
    pub(crate) fn dataset_name(self) -> &'static str {
        match self {
            Self::Sprout => "sprout",
            Self::O3mini => "sprout-o3mini",
        }
    }
}
