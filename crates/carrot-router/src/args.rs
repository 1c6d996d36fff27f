use std::path::PathBuf;

use clap::{Parser, Subcommand};
use cli_support::{Output, examples};

use crate::calibrate::CalibrateArgs;

const EXAMPLES: [&str; 3] = [
    "cargo run -p carrot-router -- route \"Explain entropy in one sentence.\" --model models/sprout/carrot-knn --mu 0.3",
    "cargo run -p carrot-router -- route --model models/sprout/carrot-knn --mu 0.3 --input prompts.jsonl --json",
    "echo \"What is 2 + 2?\" | cargo run -p carrot-router -- route --model models/sprout/carrot-knn --mu 0.9",
];

/// Choose the LLM that should answer a prompt
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Choose an LLM for each prompt: the one with the highest (1 - mu) * score - mu * 100 * cost in dollars, as predicted
    #[command(after_help = examples(&EXAMPLES))]
    Route(RouteArgs),
    /// Choose a router's weight of cost, or threshold, for a cost, an accuracy or a share, and tell what to expect of it
    Calibrate(CalibrateArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RouteArgs {
    /// The prompt. Without it, and without --input, prompts come from standard input: one on each line, as it stands or as a JSON object
    /// with a key "prompt"
    #[arg(value_name = "PROMPT")]
    pub(crate) prompt: Option<String>,

    /// A file of prompts: on each line a JSON object with a key "prompt"
    #[arg(long, value_name = "JSONL", conflicts_with = "prompt")]
    pub(crate) input: Option<PathBuf>,

    /// The folder of a router that train-and-infer fitted, carrot-knn or carrot-knn-sbert
    #[arg(long, value_name = "DIR")]
    pub(crate) model: PathBuf,

    /// The weight of cost, from 0 (always the most accurate LLM) to 1 (always the cheapest)
    #[arg(
        long,
        value_name = "MU",
        allow_negative_numbers = true,
        required_unless_present = "calibration"
    )]
    pub(crate) mu: Option<f64>,

    /// The weight of cost that `calibrate` stored with the model under this name
    #[arg(long, value_name = "NAME", conflicts_with = "mu")]
    pub(crate) calibration: Option<String>,

    /// The folder of the embedder that the router was fitted with. Default: where the router says that it is, a folder or a hub id
    #[arg(long, value_name = "DIR")]
    pub(crate) embedder: Option<PathBuf>,

    /// Where the embedder runs: auto, cpu, cuda, cuda:INDEX or mps. For a few prompts, a GPU takes longer to start than a CPU to be done
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub(crate) device: String,

    #[command(flatten)]
    pub(crate) output: Output,
}
