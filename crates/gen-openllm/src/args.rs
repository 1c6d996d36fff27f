use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use cli_support::examples;
use datagen::cli::ConfiguredGenArgs;

const EXAMPLES: [&str; 3] = [
    "cargo run -p gen-openllm -- --exclude-model meta-llama/Meta-Llama-3.1-8B-Instruct",
    "cargo run -p gen-openllm -- --source details/ --token-counter models/all-MiniLM-L6-v2 --token-counter-for all",
    "cargo run -p gen-openllm -- --source-pickle new_leaderboard_processed_20241205.pickle --questions table.parquet",
];

/// Make the data set of the Open LLM Leaderboard v2, from its sample files or from CARROT's published matrix
///
/// The sample files are gated on the Hugging Face hub, a repository for each LLM: they need an account, a token of it in HF_TOKEN, and one
/// click on each repository's page. They are about 1 GB per LLM, 20 GB for all. What is missing is named, and the size told, before anything
/// is downloaded.
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Folder with the sample files, laid out as `MODEL-details/MODEL/samples_TASK_TIME.json`, instead of the hub
    #[arg(long, value_name = "DIR", conflicts_with = "source_pickle")]
    pub(crate) source: Option<PathBuf>,
    /// CARROT's published matrix of scores, `new_leaderboard_processed_20241205.pickle`; its order is audited
    #[arg(long, value_name = "PICKLE", requires = "questions")]
    pub(crate) source_pickle: Option<PathBuf>,
    /// The questions, which the matrix lacks: a table with the columns `id` (`TASK/DOC_ID`), `task`, `prompt`, and `MODEL/input_tokens` per LLM
    #[arg(long, value_name = "PARQUET", requires = "source_pickle")]
    pub(crate) questions: Option<PathBuf>,
    /// Keep the matrix in its published order, in which one row holds scores on different documents
    #[arg(long, requires = "source_pickle")]
    pub(crate) as_published: bool,
    /// Add IFEval, which is not among CARROT's 38 tasks
    #[arg(long)]
    pub(crate) with_ifeval: bool,
    /// Keep LLMs that were not evaluated on all tasks; their missing scores are unknown
    #[arg(long)]
    pub(crate) keep_incomplete: bool,
    /// Leave out these LLMs
    #[arg(long, value_name = "MODEL", num_args = 1..)]
    pub(crate) exclude_model: Vec<String>,
    /// A `tokenizer.json`, its folder, or a repository of the hub, to count tokens with where an LLM's own tokenizer is not available
    #[arg(long, value_name = "PATH_OR_REPO", conflicts_with = "source_pickle")]
    pub(crate) token_counter: Option<String>,
    /// Whose tokens are counted with --token-counter
    #[arg(
        long,
        value_name = "WHICH",
        default_value = "missing",
        requires = "token_counter"
    )]
    pub(crate) token_counter_for: StandInFor,
    #[command(flatten)]
    pub(crate) configured: ConfiguredGenArgs,
}

impl Args {
    /// Whether nothing but errors and results is to be printed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.configured.shared.output.quiet
    }
}

/// Whose tokens a stand-in counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StandInFor {
    /// LLMs whose own tokenizer is gated, missing or unreachable
    Missing,
    /// All LLMs; no other tokenizer is requested
    All,
}
