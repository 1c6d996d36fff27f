use clap::{Parser, ValueEnum};
use cli_support::{ConfigFile, DataDir, ModelsDir, Output, examples};

const EXAMPLES: [&str; 3] = [
    "cargo run -p train-and-infer -- --dataset synthetic --routers carrot-knn",
    "cargo run -p train-and-infer -- --dataset mmlu-pro --routers carrot-knn carrot-knn-sbert --embedding minilm",
    "cargo run -p train-and-infer -- --dataset my-logs --routers carrot-knn --embedding BAAI/bge-small-en-v1.5 --device cuda",
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
    pub(crate) routers: Vec<Router>,

    /// What turns prompts into vectors: a name from the settings (minilm), a folder with a sentence-transformers model, an id on the
    /// Hugging Face hub, or the name of embeddings that lie with the data set. Default: text-embedding-3-small where the data set has it,
    /// else minilm
    #[arg(long, value_name = "NAME")]
    pub(crate) embedding: Option<String>,

    /// Where neural networks run: auto, cpu, cuda, cuda:INDEX or mps
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(crate) device: String,

    #[command(flatten)]
    pub(crate) config: ConfigFile,
    #[command(flatten)]
    pub(crate) data_dir: DataDir,
    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// The routers that can be fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Router {
    /// CARROT (KNN) on the chosen embedding
    CarrotKnn,
    /// CARROT (KNN) on the sentence embedding that the settings name
    CarrotKnnSbert,
}

impl std::fmt::Display for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::CarrotKnn => "carrot-knn",
            Self::CarrotKnnSbert => "carrot-knn-sbert",
        })
    }
}
