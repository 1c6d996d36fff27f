use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Parser, ValueEnum};
use cli_support::examples;
use datagen::cli::GenArgs;

use crate::long::Long;

const EXAMPLES: [&str; 7] = [
    "cargo run -p gen-custom -- --input logs.parquet --prices prices.toml --name my-logs",
    "cargo run -p gen-custom -- --input logs.csv --name my-logs --small gpt-4o-mini --large gpt-4o --test-size 0.3",
    "cargo run -p gen-custom -- --input evals.jsonl --name evals --long prompt=question,model=llm,score=correct,cost=usd",
    "cargo run -p gen-custom -- --input table.parquet --prices prices.toml --name no-ifeval --exclude-task 'ifeval*'",
    "cargo run -p gen-custom -- --input logs.jsonl --name chats --keep created_at --group conversation_id",
    "cargo run -p gen-custom -- --input s3-copy/ --name a-million --sample 1000000",
    "cargo run -p gen-custom -- --input decisions.jsonl --name traffic --keep time --group session",
];

/// Make a data set from your own table of prompts, scores, tokens and costs
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// The table, a file or a folder of part files: columns `id`, `task`, `prompt`, and `<model>/score`, `<model>/input_tokens`,
    /// `<model>/output_tokens` or `<model>/cost_usd` per LLM, and `<model>/propensity`, the probability with which the LLM was asked, if a log
    /// says it; a column `split` of `train`, `validation` and `test` is kept. Or a decision log of `carrot-router serve`, with the older files
    /// beside it: its requests with feedback
    #[arg(long, visible_alias = "source", value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// The table's format, if its extension is not .csv, .tsv, .jsonl or .parquet
    #[arg(long)]
    pub(crate) format: Option<Format>,
    /// What separates the fields of a CSV file: `;`, or `tab` [default: a comma, and a tab in .tsv files]
    #[arg(long, value_name = "CHAR", value_parser = character)]
    pub(crate) delimiter: Option<u8>,
    /// What stands before a quote inside a quoted CSV field where it is not written twice: `\` in files of Spark and MySQL
    #[arg(long, value_name = "CHAR", value_parser = character)]
    pub(crate) escape: Option<u8>,
    /// The table has a row for each prompt and LLM, in these columns: `prompt=...,model=...,score=...`, and if there are such columns
    /// `id=`, `cost=`, `input_tokens=`, `output_tokens=`, `propensity=`, `task=`, `split=`. Without `id`, a prompt's text is its id
    #[arg(long, value_name = "WHAT=COLUMN,...")]
    pub(crate) long: Option<Long>,
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
    /// Keep this column of the table beside the prompts, as text, so that later programs can go by it: a time, a conversation, a customer.
    /// May be given several times
    #[arg(long, value_name = "COLUMN")]
    pub(crate) keep: Vec<String>,
    /// Keep rows with one value of this column in one part when they are split at random, and rows with one prompt: `task`, or a column that
    /// is then kept too. An empty value is no group
    #[arg(long, value_name = "COLUMN")]
    pub(crate) group: Option<String>,
    /// Read so many prompts of the table only, chosen by the hash of their ids: the same ones in whatever order they come, and all of
    /// them again in a larger sample. The rest is not held in memory
    #[arg(long, value_name = "PROMPTS")]
    pub(crate) sample: Option<NonZeroUsize>,
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
    /// Separated by commas, or what --delimiter says, with a header, in UTF-8
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

fn character(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" => Ok(b'\t'),
        _ => match text.as_bytes() {
            &[byte]
                if byte.is_ascii()
                    && !byte.is_ascii_alphanumeric()
                    && !b"\"\r\n".contains(&byte) =>
            {
                Ok(byte)
            }
            _ => Err("expected one character, no letter, digit or quote, or `tab`".to_owned()),
        },
    }
}
