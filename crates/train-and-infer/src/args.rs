use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use cli_support::{ConfigFile, DataDir, ModelsDir, Output, examples};

use crate::router::Wanted;

const EXAMPLES: [&str; 7] = [
    "cargo run -p train-and-infer -- --dataset synthetic --routers carrot-knn",
    "cargo run -p train-and-infer -- --dataset mmlu-pro --routers carrot-knn carrot-knn-sbert --embedding minilm",
    "cargo run -p train-and-infer -- --dataset my-logs --routers carrot-knn --embedding BAAI/bge-small-en-v1.5 --device cuda",
    "cargo run -p train-and-infer -- --dataset open-llm-lb-v2 --routers all",
    "cargo run -p train-and-infer -- --dataset synthetic --routers carrot-knn mf rorf --train-sizes 200,400,800,1600,3200",
    "cargo run -p train-and-infer -- --dataset routerbench --routers carrot-roberta --trainer hf --epochs 5",
    "cargo run -p train-and-infer -- --dataset sprout --routers carrot-roberta --pretrained --label-order order.txt",
];

/// Fit routers on a data set's train split and predict its test split
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// The data set: a folder under the data folder, made by a gen-* program
    #[arg(long, value_name = "NAME")]
    pub(crate) dataset: String,

    /// The routers to fit, separated by spaces or commas
    #[arg(long, value_name = "ROUTER", required = true, num_args = 1.., value_delimiter = ',')]
    pub(crate) routers: Vec<Wanted>,

    /// What turns prompts into vectors: a name from the settings (minilm), a folder with a sentence-transformers model, an id on the
    /// Hugging Face hub, or the name of embeddings that lie with the data set. Default: text-embedding-3-small where the data set has it,
    /// else minilm
    #[arg(long, value_name = "NAME")]
    pub(crate) embedding: Option<String>,

    /// Fit on so many train prompts instead of all, once for each number: nested parts of the train split, drawn by the settings' seed. The
    /// predictions go to data/DATASET/learning-curve/ROUTER/N.parquet, and no fitted router is kept
    #[arg(long, value_name = "N", num_args = 1.., value_delimiter = ',')]
    pub(crate) train_sizes: Vec<usize>,

    /// Where neural networks run: auto, cpu, cuda, cuda:INDEX or mps
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: String,

    /// Fit anew what is there already, from the start
    #[arg(long)]
    pub(crate) force: bool,

    #[command(flatten)]
    pub(crate) config: ConfigFile,
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,
    #[command(flatten)]
    pub(crate) output: Output,
    // Last, since all that follows it stands under its heading.
    #[command(flatten)]
    pub(crate) roberta: RobertaArgs,
}

/// What concerns carrot-roberta and roberta-binary only.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "RoBERTa")]
pub(crate) struct RobertaArgs {
    /// How networks are trained: the section of the training settings
    #[arg(long, value_enum, default_value = "custom")]
    pub(crate) trainer: Trainer,

    /// Passes over the train split, instead of what the training settings say
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<u64>,

    /// The network that training begins with: a folder in Hugging Face layout or an id on the hub. Default: the settings' roberta-base
    #[arg(long, value_name = "DIR_OR_HUB_ID")]
    pub(crate) base: Option<String>,

    /// Training settings to use instead of the built-in configs/roberta.toml
    #[arg(long, value_name = "TOML")]
    pub(crate) training_config: Option<PathBuf>,

    /// Train nothing: predict with networks that were trained elsewhere, folders or ids on the hub; without values, the released ones.
    /// The cost network's outputs are thousands of output tokens
    #[arg(long, num_args = 0..=2, value_names = ["PERFORMANCE", "COST"], conflicts_with_all = ["trainer", "epochs", "base", "training_config"])]
    pub(crate) pretrained: Option<Vec<String>>,

    /// Which LLM each output of the --pretrained networks is: names separated by commas, or a file with one on each line. Needed where
    /// the networks do not name their outputs
    #[arg(long, value_name = "FILE_OR_LIST", requires = "pretrained")]
    pub(crate) label_order: Option<String>,

    /// Predict as the reference does where it passes no attention mask: padding is attended to, so that a prompt's outputs depend on its
    /// batch
    #[arg(long)]
    pub(crate) reference_quirks: bool,
}

/// A section of the training settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Trainer {
    /// The reference's own loop
    Custom,
    /// What Hugging Face's Trainer does with the reference's arguments
    Hf,
}
