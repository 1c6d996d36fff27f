use std::path::PathBuf;

use cli_support::{ConfigFile, ModelsDir, Output, examples};

const EXAMPLES: [&str; 2] = [
    "cargo run -p train-and-infer -- distill",
    "cargo run -p train-and-infer -- distill --model BAAI/bge-small-en-v1.5 --output models/static-bge --dim 384",
];

/// Make a static embedder of a sentence embedder: a vector for each token of its vocabulary, whose mean is a prompt's embedding
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&EXAMPLES))]
pub(crate) struct DistillArgs {
    /// The sentence embedder: a name from the settings (minilm), a folder with a sentence-transformers model, or a Hugging Face hub id
    #[arg(long, value_name = "NAME", default_value = "minilm")]
    pub(super) model: String,

    /// The folder of the static embedder, in Model2Vec's layout. Default: that of the name from the settings which is distilled from this
    /// model, else static-NAME under the models folder
    #[arg(long = "output", value_name = "DIR")]
    pub(super) output_dir: Option<PathBuf>,

    /// Length of a vector, by principal components. Default: what the settings say
    #[arg(long, value_name = "N")]
    pub(super) dim: Option<usize>,

    /// a in the weight a / (a + p) of a token with probability p: the smaller, the less frequent tokens count. Default: what the settings say
    #[arg(long, value_name = "A")]
    pub(super) sif_coefficient: Option<f64>,

    /// Make it again, although it is up to date
    #[arg(long)]
    pub(super) force: bool,

    #[command(flatten)]
    pub(super) models_dir: ModelsDir,
    #[command(flatten)]
    pub(super) config: ConfigFile,
    #[command(flatten)]
    pub(crate) output: Output,
}
