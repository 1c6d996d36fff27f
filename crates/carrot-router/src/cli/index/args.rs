use std::path::PathBuf;

use cli_support::{DataDir, Output, examples};

use super::IndexArgs;

const EXAMPLES: [&str; 3] = [
    "cargo run -p carrot-router --features index -- index --model models/my-logs/carrot-knn --index postgres://carrot@db-1/carrot --index postgres://carrot@db-2/carrot",
    "cargo run -p carrot-router --features index -- index --model models/my-logs/carrot-knn --index postgres://localhost/carrot --exact",
    "cargo run -p carrot-router --features index -- route \"Why?\" --mu 0.3 --model models/my-logs/carrot-knn-index --index postgres://localhost/carrot",
];

/// `carrot-router index`.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&EXAMPLES))]
pub(crate) struct IndexCommandArgs {
    /// The folder of a nearest-neighbor router fitted by train-and-infer; it is not modified
    #[arg(long, value_name = "DIR")]
    pub(super) model: PathBuf,

    /// The folder to write the router without its rows to [default: the model's with -index at its end]
    #[arg(long = "output", value_name = "DIR")]
    pub(super) output_folder: Option<PathBuf>,

    /// Build no graph: every search reads all rows, and finds the very neighbors that a search in memory finds
    #[arg(long, conflicts_with_all = ["recall", "graph_edges", "graph_candidates"])]
    pub(super) exact: bool,

    /// The share of the nearest neighbors that the graph has to find, measured on --recall-queries prompts; a search looks further until it does
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    pub(super) recall: f64,

    /// Prompts by whose neighbors that is measured
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(super) recall_queries: usize,

    /// Edges of each node of the graph (pgvector's `m`)
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub(super) graph_edges: usize,

    /// Candidates for them when the graph is built (pgvector's `ef_construction`)
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub(super) graph_candidates: usize,

    /// Overwrite the output folder if it exists
    #[arg(long)]
    pub(super) force: bool,

    #[command(flatten)]
    pub(super) data_dir: DataDir,

    #[command(flatten)]
    pub(crate) output_form: Output,

    // Last, because clap puts everything after it under its heading.
    #[command(flatten)]
    pub(super) index: IndexArgs,
}
