use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use cli_support::examples;
use datagen::cli::GenArgs;

const EXAMPLES: [&str; 3] = [
    "cargo run -p gen-custom -- --input logs.parquet --prices prices.toml --name my-logs",
    "cargo run -p gen-custom -- --input logs.csv --name my-logs --small gpt-4o-mini --large gpt-4o --test-size 0.3",
    "cargo run -p gen-custom -- --input table.parquet --prices prices.toml --name no-ifeval --exclude-task 'ifeval*'",
];

/// Make a data set from your own table of prompts, scores, tokens and costs
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// The table: columns `id`, `task`, `prompt`, and `<model>/score`, `<model>/input_tokens`, `<model>/output_tokens` or
    /// `<model>/cost_usd` per LLM; a column `split` of `train`, `validation` and `test` is kept
    #[arg(long, visible_alias = "source", value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// The table's format, if its extension is not .csv, .jsonl or .parquet
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// Prices per LLM; needed where an LLM has no column `<model>/cost_usd`
    #[arg(long, value_name = "TOML")]
    pub(crate) prices: Option<PathBuf>,
    /// Share of test rows of a random split [default: 0.2]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) test_size: Option<f64>,
    /// Seed of a random split, as scikit-learn's `random_state` [default: 42]
    #[arg(long)]
    pub(crate) seed: Option<u32>,
    /// The small LLM of the pair that binary routers choose between
    #[arg(long, value_name = "MODEL", requires = "large")]
    pub(crate) small: Option<String>,
    /// The large LLM of that pair
    #[arg(long, value_name = "MODEL", requires = "small")]
    pub(crate) large: Option<String>,
    /// Leave out the rows of these tasks; `*` matches any characters
    #[arg(long, value_name = "PATTERN", num_args = 1.., value_delimiter = ',')]
    pub(crate) exclude_task: Vec<String>,
    /// Leave out these LLMs
    #[arg(long, value_name = "MODEL", num_args = 1..)]
    pub(crate) exclude_model: Vec<String>,
    #[command(flatten)]
    pub(crate) shared: GenArgs,
}

/// The format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Comma-separated, with a header, in UTF-8
    Csv,
    /// One flat JSON object a line
    Jsonl,
    /// Parquet
    Parquet,
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("expected a number above 0 and below 1".to_owned()),
    }
}
