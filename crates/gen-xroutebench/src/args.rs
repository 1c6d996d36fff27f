use std::path::PathBuf;

use clap::Parser;
use cli_support::examples;
use datagen::cli::ConfiguredGenArgs;

const EXAMPLES: [&str; 2] = [
    "cargo run -p gen-xroutebench",
    "cargo run -p gen-xroutebench -- --source downloads/xRouteBench",
];

/// Make a data set of xRouteBench
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Folder that has the folders of answers and LLMs, such as a clone of the hub's [default: the Hugging Face hub, 21 MB]
    #[arg(long, value_name = "DIR")]
    pub(crate) source: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) configured: ConfiguredGenArgs,
}
