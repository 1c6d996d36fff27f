use std::path::PathBuf;

use cli_support::{DataDir, Output, examples};

const EXAMPLES: [&str; 4] = [
    "cargo run -p carrot-router -- pool --model models/sprout/carrot-knn --output models/sprout/carrot-knn-2027 --prices prices.toml",
    "cargo run -p carrot-router -- pool --model models/sprout/carrot-knn --output models/sprout/carrot-knn-small --remove openai-gpt-4o",
    "cargo run -p carrot-router -- pool --model models/sprout/carrot-knn --output models/sprout/carrot-knn-plus --add new-llm.parquet --prices prices.toml",
    "cargo run -p carrot-router -- pool --model models/my-logs/carrot-blend --output models/my-logs/carrot-blend-2 --remove old-llm",
];

/// `carrot-router pool`.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&EXAMPLES))]
pub(crate) struct PoolArgs {
    /// The folder of a nearest-neighbor router or a blend fitted by train-and-infer. A blend decides once more whether to route, and needs the
    /// train part that it was fitted on, and the embeddings of its prompts unless it stores them
    #[arg(long, value_name = "DIR")]
    pub(super) model: PathBuf,

    /// The folder to write the changed router to; the original is not modified
    #[arg(long, value_name = "DIR")]
    pub(super) output: PathBuf,

    /// Prices in US dollars per million tokens that override the router's own, and those of LLMs to add
    #[arg(long, value_name = "TOML")]
    pub(super) prices: Option<PathBuf>,

    /// LLMs to remove
    #[arg(long, value_name = "LLM", num_args = 1.., value_delimiter = ',')]
    pub(super) remove: Vec<String>,

    /// LLMs to add, with their results on some of the train prompts: a Parquet, CSV or JSON lines table with `id`, `<model>/score`, and `<model>/output_tokens` or
    /// `<model>/cost_usd` if the router predicts these. Any split that a gen-* program wrote will do. Needs the train part that the router
    /// was fitted on, for its prompts' ids
    #[arg(long, value_name = "TABLE")]
    pub(super) add: Option<PathBuf>,

    /// Add LLMs even where routing is then worse than without them, by more than a standard error, on train prompts that have a score of them
    #[arg(long, requires = "add")]
    pub(super) allow_worse: bool,

    /// Overwrite the output folder if it exists
    #[arg(long)]
    pub(super) force: bool,

    #[command(flatten)]
    pub(super) data_dir: DataDir,

    #[command(flatten)]
    pub(crate) output_form: Output,
}
