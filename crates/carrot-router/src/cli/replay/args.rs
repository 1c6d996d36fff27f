use std::path::PathBuf;

use cli_support::{Output, examples};

const EXAMPLES: [&str; 3] = [
    "cargo run -p carrot-router -- replay logs/decisions.jsonl",
    "cargo run -p carrot-router -- replay logs/decisions.jsonl --level 0.9",
    "cargo run -p carrot-router -- replay logs/decisions.000007.jsonl --json",
];

/// `carrot-router replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&EXAMPLES))]
pub(crate) struct ReplayArgs {
    /// The log of decisions, with the older files beside it; one of those alone; or a folder with logs
    #[arg(value_name = "LOG")]
    pub(super) log: PathBuf,

    /// Level of confidence of the intervals
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, value_parser = level)]
    pub(super) level: f64,

    #[command(flatten)]
    pub(crate) output: Output,
}

fn level(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(level) if level > 0.0 && level < 1.0 => Ok(level),
        _ => Err("expected a number above 0 and below 1, such as 0.95".to_owned()),
    }
}
