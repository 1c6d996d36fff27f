use std::num::NonZeroUsize;

use clap::Parser;
use cli_support::{ConfigFile, DataDir, Output, examples};
use datagen::DatasetName;

const EXAMPLES: [&str; 2] = [
    "cargo run -p gen-synthetic",
    "cargo run -p gen-synthetic -- --n 1000000 --seed 7 --name large",
];

/// Make a data set of synthetic prompts and LLMs, with the truth beside it
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Number of prompts [default: the configuration's, 4000]
    #[arg(long, value_name = "N")]
    pub(crate) n: Option<NonZeroUsize>,
    /// Seed of everything random; row i depends on the seed and i alone [default: the configuration's, 42]
    #[arg(long)]
    pub(crate) seed: Option<u32>,
    /// Share of test rows [default: the configuration's, 0.2]
    #[arg(long, value_name = "SHARE")]
    pub(crate) test_size: Option<f64>,
    /// Name of the data set, and of its folder
    #[arg(long, default_value = "synthetic")]
    pub(crate) name: DatasetName,
    #[command(flatten)]
    pub(crate) config: ConfigFile,
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
    #[command(flatten)]
    pub(crate) output: Output,
}
