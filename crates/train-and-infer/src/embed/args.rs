use std::path::PathBuf;

use clap::ValueEnum;
use cli_support::{ConfigFile, ModelsDir, Output, examples};
use dataset::Truncate;

use crate::args::truncate_parser;

const EXAMPLES: [&str; 3] = [
    "cargo run -p train-and-infer -- embed --input logs/part-00000.parquet --output embedded/part-00000.parquet",
    "cargo run -p train-and-infer -- embed --input part.jsonl --output part.parquet --embedding static --on-error row",
    "cargo run -p train-and-infer --features torch -- embed --input part.parquet --output embedded.parquet --embedding BAAI/bge-small-en-v1.5 --device cuda",
];

/// Embed the prompts of a table: the table again, with a column `embedding`
///
/// A run whose output is there already, made of the same input by the same embedder, does nothing. A run that was killed resumes.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&EXAMPLES))]
pub(crate) struct EmbedArgs {
    /// The table: .parquet, .jsonl, .csv or .tsv with a column "prompt"
    #[arg(long, value_name = "FILE")]
    pub(super) input: PathBuf,

    /// The file to write, .parquet: all columns of the input as they are, and "embedding", a list of floats
    #[arg(long = "output", value_name = "PARQUET")]
    pub(super) output_file: PathBuf,

    /// What embeds: a name from the settings (minilm, static), a folder with a sentence-transformers model or a static embedder, or a Hugging
    /// Face hub id
    #[arg(long, value_name = "NAME", default_value = "minilm")]
    pub(super) embedding: String,

    /// What to do with a row without a prompt: fail, or write null for its embedding
    #[arg(long, value_name = "WHAT", default_value = "fail")]
    pub(super) on_error: OnError,

    /// Where the embedder runs: auto, cpu, cuda, cuda:INDEX or mps; GPUs only in a build with `--features torch`
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(super) device: String,

    /// Which part of a prompt is cut off that is longer than the embedder can take: left (its beginning), right or middle. Default: what the
    /// model's files say, else right
    #[arg(long, value_name = "PART", value_parser = truncate_parser())]
    pub(super) truncate: Option<Truncate>,

    /// Embed again although the output is up to date, and replace an output that `embed` has not written
    #[arg(long)]
    pub(super) force: bool,

    #[command(flatten)]
    pub(super) models_dir: ModelsDir,
    #[command(flatten)]
    pub(super) config: ConfigFile,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What happens with a row without a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnError {
    /// The run ends, and nothing is written.
    Fail,
    /// Its embedding is null.
    Row,
}
