use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use cli_support::{Output, examples};
use dataset::Truncate;

use super::on_error::OnError;
use crate::cli::index::IndexArgs;

const EXAMPLES: [&str; 8] = [
    "cargo run -p carrot-router -- route \"Explain entropy in one sentence.\" --mu 0.3",
    "cargo run -p carrot-router -- route --model models/sprout/carrot-knn --mu 0.3 --input prompts.jsonl --json",
    "cargo run -p carrot-router -- route --model models/sprout/carrot-knn --mu 0.3 --input prompts.parquet --output routed.parquet --on-error row",
    "echo \"What is 2 + 2?\" | cargo run -p carrot-router -- route --model models/sprout/carrot-roberta --mu 0.9",
    "cargo run -p carrot-router -- route \"Why?\" --mu 0.3 --performance CARROT-LLM-Routing/Perfo3 --cost CARROT-LLM-Routing/costo3 --label-order order.txt",
    "cargo run -p carrot-router -- route \"Why?\" --mu 0.3 --performance nets/perf --cost nets/cost --prices prices.toml",
    "cargo run -p carrot-router -- route \"Why?\" --mu 0.3 --model models/sprout/carrot-roberta --tokenizers tokenizers",
    "cargo run -p carrot-router -- route \"Why?\" --mu 0.3 --model models/sprout/carrot-knn --embedder openai",
];

/// `carrot-router route`.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&EXAMPLES))]
pub(crate) struct RouteArgs {
    /// The prompt. Without it and without --input, prompts are read from standard input, one per line: plain text, or a JSON object with a
    /// key "prompt" and, if known, "input_tokens". Each is answered as it arrives
    #[arg(value_name = "PROMPT")]
    pub(super) prompt: Option<String>,

    /// A file of prompts: one JSON object per line, with a key "prompt". A key "input_tokens" says how many input tokens the request is
    /// billed for, with system prompt and history; without it they are expected from the prompt's text. With --output a table: .parquet, .jsonl,
    /// .csv or .tsv with a column "prompt" and perhaps "input_tokens"
    #[arg(long, value_name = "FILE", conflicts_with = "prompt")]
    pub(super) input: Option<PathBuf>,

    /// Write the table of --input to this file, .parquet or .jsonl, each row with its decision in further columns. What the rows hold stays as it
    /// is. The file appears when it is whole, and a table of any length takes no more memory than a short one
    #[arg(long = "output", value_name = "FILE", requires = "input")]
    pub(super) output_file: Option<PathBuf>,

    /// What to do with a row of --input that has no prompt or cannot be routed: fail, or write the row without a decision and the reason in the
    /// column "routing_error". Default: fail
    #[arg(long, value_name = "WHAT", requires = "output_file")]
    pub(super) on_error: Option<OnError>,

    /// Of each decision only the chosen LLM with its expected score and cost
    #[arg(long)]
    pub(super) brief: bool,

    /// How many input tokens the request is billed for, with system prompt and history. Without it they are expected from the prompt's text:
    /// by what was billed for the train prompts, where their table said it
    #[arg(long, value_name = "N", requires = "prompt")]
    pub(super) input_tokens: Option<u32>,

    /// The weight of cost, from 0 (always the most accurate LLM) to 1 (always the cheapest)
    #[arg(
        long,
        value_name = "MU",
        allow_negative_numbers = true,
        required_unless_present = "calibration"
    )]
    pub(super) mu: Option<f64>,

    /// Use the weight of cost that `calibrate` stored with the model under this name
    #[arg(long, value_name = "NAME", conflicts_with = "mu")]
    pub(super) calibration: Option<String>,

    #[command(flatten)]
    pub(crate) output: Output,
    // Last, because clap puts everything after it under its heading.
    #[command(flatten)]
    pub(super) router: RouterArgs,
}

/// Which router, and what it needs.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Router")]
pub(super) struct RouterArgs {
    /// The folder of a router fitted by train-and-infer: carrot-knn, carrot-knn-sbert or carrot-roberta, or by `index`. Default: CARROT's released pair of
    /// networks for the 13 LLMs of SPROUT, from the Hugging Face hub (about 1 GB, once)
    #[arg(long, value_name = "DIR", conflicts_with_all = ["performance", "cost", "label_order"])]
    pub(super) model: Option<PathBuf>,

    /// The network of a pair that predicts scores, as logits: a folder in Hugging Face layout, or a hub id
    #[arg(long, value_name = "DIR_OR_HUB_ID", requires = "cost")]
    pub(super) performance: Option<String>,

    /// The network of a pair that predicts thousands of output tokens
    #[arg(long, value_name = "DIR_OR_HUB_ID", requires = "performance")]
    pub(super) cost: Option<String>,

    /// The LLM of each output of a pair: names separated by commas, or a file with one name per line. Needed if the networks do not name
    /// their outputs; for the released pairs, the order on record is then assumed, with a warning that says how sure it is
    #[arg(long, value_name = "FILE_OR_LIST")]
    pub(super) label_order: Option<String>,

    /// Prices in US dollars per million tokens that override the router's own: a prices.toml as for gen-custom. The prices of SPROUT's LLMs
    /// are built in
    #[arg(long, value_name = "TOML")]
    pub(super) prices: Option<PathBuf>,

    /// A folder with the LLMs' own tokenizers, DIR/LLM/tokenizer.json, to count input tokens with. LLMs without one there are counted with
    /// the router's tokenizer
    #[arg(long, value_name = "DIR")]
    pub(super) tokenizers: Option<PathBuf>,

    /// What embeds prompts for a router on embeddings, such as `carrot-knn`: the folder of the embedder that it was fitted with, or `openai` to send each prompt to the server
    /// at OPENAI_BASE_URL (OpenAI's if unset) with the key OPENAI_API_KEY, which OpenAI charges for. Default: the embedder that the router
    /// records, a folder or a hub id; never a server
    #[arg(long, value_name = "DIR_OR_openai", requires = "model")]
    pub(super) embedder: Option<PathBuf>,

    /// The server's embedding model, if its name differs from that of the router's embeddings
    #[arg(long, value_name = "NAME", requires = "embedder")]
    pub(super) embedding_model: Option<String>,

    /// Keep the server's embeddings in this file, so that no prompt is paid for twice; the gen-* programs use data/embeddings.redb. Default:
    /// they are discarded
    #[arg(long, value_name = "FILE", requires = "embedder")]
    pub(super) embedding_store: Option<PathBuf>,

    /// Which part of a prompt that is longer than the networks of a pair can take is cut off: left (its beginning), right or middle. A router from
    /// --model cuts as it was fitted. Default: what the networks' files say, else right
    #[arg(long, value_name = "PART", value_parser = truncate_parser(), conflicts_with = "model")]
    pub(super) truncate: Option<Truncate>,

    /// How exactly the networks of a pair multiply: f32, bf16 or auto, which is bf16 where the processor has instructions for it. bf16 only in a build
    /// with `--features torch`. A router from --model computes as it was fitted
    #[arg(
        long,
        value_name = "PRECISION",
        default_value = "f32",
        conflicts_with = "model"
    )]
    pub(super) precision: String,

    /// Where networks run: auto, cpu, cuda, cuda:INDEX or mps; GPUs only in a build with `--features torch`. For a few prompts, starting a GPU
    /// takes longer than predicting on the CPU
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub(super) device: String,

    #[command(flatten)]
    pub(super) index: IndexArgs,
}

fn truncate_parser() -> impl TypedValueParser<Value = Truncate> {
    let names = PossibleValuesParser::new(Truncate::ALL.map(Truncate::name));
    names.map(|name| Truncate::named(&name).expect("one of the names"))
}
