use std::path::PathBuf;

use cli_support::{DataDir, Output, examples};

const EXAMPLES: [&str; 2] = [
    "cargo run -p carrot-router -- arena --router-data dataset/router_data.json --model models/my-logs/carrot-blend --mu 0.3 --name carrot --output RouterArena",
    "cargo run -p carrot-router -- arena --router-data dataset/router_data.json --robustness dataset/router_robustness.json --names names.toml --model models/my-logs/carrot-blend --mu 0.3 --name carrot --output RouterArena",
];

/// `carrot-router arena`.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&EXAMPLES))]
pub(crate) struct ArenaArgs {
    /// RouterArena's prompts, router_data.json or router_data_10.json, as its own script writes them
    #[arg(long, value_name = "FILE")]
    pub(super) router_data: PathBuf,
    /// Its prompts for robustness, router_robustness.json
    #[arg(long, value_name = "FILE")]
    pub(super) robustness: Option<PathBuf>,
    /// The folder of a router fitted by train-and-infer, on other prompts than these
    #[arg(long, value_name = "DIR")]
    pub(super) model: PathBuf,
    /// The weight of cost, from 0 (always the most accurate LLM) to 1 (always the cheapest)
    #[arg(long, value_name = "MU", allow_negative_numbers = true)]
    pub(super) mu: f64,
    /// The router's name in RouterArena
    #[arg(long, value_name = "NAME")]
    pub(super) name: dataset::FolderName,
    /// Folder of a clone of RouterArena; the files go to router_inference/config and router_inference/predictions in it
    #[arg(long = "output", value_name = "DIR")]
    pub(super) output: PathBuf,
    /// The names that RouterArena knows the LLMs by, where they are others: lines `"ours" = "theirs"`
    #[arg(long, value_name = "TOML")]
    pub(super) names: Option<PathBuf>,
    /// The folder of the embedder that the router was fitted with. Default: the one that the router records
    #[arg(long, value_name = "DIR")]
    pub(super) embedder: Option<PathBuf>,
    /// Where the train part is that the router was fitted on, which must hold none of the prompts
    #[command(flatten)]
    pub(super) data_dir: DataDir,
    #[command(flatten)]
    pub(crate) output_form: Output,
}
