use std::path::PathBuf;

use clap::Parser;
use cli_support::examples;
use datagen::cli::ConfiguredGenArgs;

const EXAMPLES: [&str; 3] = [
    "cargo run -p gen-routerbench",
    "cargo run -p gen-routerbench -- --source downloads/routerbench_0shot.pkl",
    "cargo run -p gen-routerbench -- --reference-quirks --name routerbench-cut",
];

/// Make a data set of RouterBench
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// The pickle, or a folder with it [default: the Hugging Face hub, which needs no account]
    #[arg(long, value_name = "PATH")]
    pub(crate) source: Option<PathBuf>,
    /// Drop the first and last two characters of each prompt, as the reference does; escapes such as `\n` stay in the text
    #[arg(long)]
    pub(crate) reference_quirks: bool,
    #[command(flatten)]
    pub(crate) configured: ConfiguredGenArgs,
}
