use std::num::NonZeroUsize;

use cli_support::{DataDir, Output};
use datagen::DatasetName;

use crate::EmbeddingArgs;

/// Arguments of every generator. Flatten it into a program's own.
#[derive(Debug, Clone, clap::Args)]
pub struct GenArgs {
    /// Name of the data set, and of its folder, if not the usual one
    #[arg(long)]
    pub name: Option<DatasetName>,
    /// Keep only the first prompts of the source (of each part, where it comes in parts)
    #[arg(long, value_name = "N")]
    pub limit: Option<NonZeroUsize>,
    /// Make the data set anew, even if it is there
    #[arg(long)]
    pub force: bool,
    /// Which vectors are asked of a server
    #[command(flatten)]
    pub embedding: EmbeddingArgs,
    /// Folder of the data sets
    #[command(flatten)]
    pub data_dir: DataDir,
    /// What is printed
    #[command(flatten)]
    pub output: Output,
}
