use std::path::PathBuf;

use clap::ValueEnum;

/// Arguments for carrot-roberta and roberta-binary only.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "RoBERTa")]
pub(crate) struct RobertaArgs {
    /// How networks are trained: the section of the training settings
    #[arg(long, value_enum, default_value = "custom")]
    pub(crate) trainer: Trainer,

    /// Passes over the train part, overriding the training settings
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<u64>,

    /// The network that training starts from: a folder in Hugging Face layout or an id on the hub. Default: the settings' roberta-base
    /// (0.5 GB, downloaded once)
    #[arg(long, value_name = "DIR_OR_HUB_ID")]
    pub(crate) base: Option<String>,

    /// Training settings to use instead of the built-in configs/roberta.toml
    #[arg(long, value_name = "TOML")]
    pub(crate) training_config: Option<PathBuf>,

    /// Skip training and predict with networks that were trained elsewhere: folders or hub ids; without values, CARROT's released networks.
    /// The cost network must predict thousands of output tokens
    // It conflicts with the flags of training, which it would otherwise silently ignore.
    #[arg(long, num_args = 0..=2, value_names = ["PERFORMANCE", "COST"], conflicts_with_all = ["trainer", "epochs", "base", "training_config"])]
    pub(crate) pretrained: Option<Vec<String>>,

    /// The LLM of each output of the --pretrained networks: names separated by commas, or a file with one name per line. Needed if the
    /// networks do not name their outputs
    #[arg(long, value_name = "FILE_OR_LIST", requires = "pretrained")]
    pub(crate) label_order: Option<String>,

    /// Predict as the reference does where it passes no attention mask: networks attend to padding, so a prompt's outputs depend on its
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
