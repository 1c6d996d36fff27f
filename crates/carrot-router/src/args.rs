use std::path::PathBuf;

use clap::{Parser, Subcommand};
use cli_support::{Output, examples};

use crate::{calibrate::CalibrateArgs, pool::PoolArgs};

const EXAMPLES: [&str; 7] = [
    "cargo run -p carrot-router -- route \"Explain entropy in one sentence.\" --mu 0.3",
    "cargo run -p carrot-router -- route --model models/sprout/carrot-knn --mu 0.3 --input prompts.jsonl --json",
    "echo \"What is 2 + 2?\" | cargo run -p carrot-router -- route --model models/sprout/carrot-roberta --mu 0.9",
    "cargo run -p carrot-router -- route \"Why?\" --mu 0.3 --performance CARROT-LLM-Routing/Perfo3 --cost CARROT-LLM-Routing/costo3 --label-order order.txt",
    "cargo run -p carrot-router -- route \"Why?\" --mu 0.3 --performance nets/perf --cost nets/cost --prices prices.toml",
    "cargo run -p carrot-router -- route \"Why?\" --mu 0.3 --model models/sprout/carrot-roberta --tokenizers tokenizers",
    "cargo run -p carrot-router -- route \"Why?\" --mu 0.3 --model models/sprout/carrot-knn --embedder openai",
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
    /// Give a saved router other prices, take LLMs out of it or add some, without fitting it again
    Pool(PoolArgs),
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

    #[command(flatten)]
    pub(crate) output: Output,
    // Last, since all that follows it stands under its heading.
    #[command(flatten)]
    pub(crate) router: RouterArgs,
}

/// Which router, and what it needs.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Router")]
pub(crate) struct RouterArgs {
    /// The folder of a router that train-and-infer fitted: carrot-knn, carrot-knn-sbert or carrot-roberta. Default: CARROT's released pair of
    /// networks for the 13 LLMs of SPROUT, from the Hugging Face hub
    #[arg(long, value_name = "DIR", conflicts_with_all = ["performance", "cost", "label_order"])]
    pub(crate) model: Option<PathBuf>,

    /// The network of a pair that predicts scores, as logits: a folder in Hugging Face layout or an id on the hub
    #[arg(long, value_name = "DIR_OR_HUB_ID", requires = "cost")]
    pub(crate) performance: Option<String>,

    /// The network of a pair that predicts thousands of output tokens
    #[arg(long, value_name = "DIR_OR_HUB_ID", requires = "performance")]
    pub(crate) cost: Option<String>,

    /// Which LLM each output of a pair is: names separated by commas, or a file with one on each line. Needed where the networks do not name
    /// their outputs; of the released pair, the order of CARROT's own CarrotRouter is assumed then, with a warning
    #[arg(long, value_name = "FILE_OR_LIST")]
    pub(crate) label_order: Option<String>,

    /// Prices that come before the router's own, in US dollars per million tokens: a prices.toml as gen-custom takes it. The prices of
    /// SPROUT's LLMs are built in
    #[arg(long, value_name = "TOML")]
    pub(crate) prices: Option<PathBuf>,

    /// A folder with the LLMs' own tokenizers, DIR/LLM/tokenizer.json, to count input tokens. Where an LLM has none there, the router's own
    /// tokenizer stands in
    #[arg(long, value_name = "DIR")]
    pub(crate) tokenizers: Option<PathBuf>,

    /// What makes vectors for a KNN router: the folder of the embedder that it was fitted with; or openai, which sends each prompt to the server
    /// of OPENAI_BASE_URL (OpenAI's, if unset) with the key OPENAI_API_KEY, and costs money there. Default: where the router says that its
    /// embedder is, a folder or a hub id; never a server
    #[arg(long, value_name = "DIR_OR_openai", requires = "model")]
    pub(crate) embedder: Option<PathBuf>,

    /// The server's embedding model, if it is not called as the router's vectors are
    #[arg(long, value_name = "NAME", requires = "embedder")]
    pub(crate) embedding_model: Option<String>,

    /// Keep the server's vectors in this file, so that no prompt is paid for twice: data/embeddings.redb is the one of the gen-* programs.
    /// Without it, they are forgotten
    #[arg(long, value_name = "FILE", requires = "embedder")]
    pub(crate) embedding_store: Option<PathBuf>,

    /// Where networks run: auto, cpu, cuda, cuda:INDEX or mps. For a few prompts, a GPU takes longer to start than a CPU to be done
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub(crate) device: String,
}
