use std::num::NonZeroUsize;

use cli_support::{DataDir, Output};

use super::embed::EmbeddingArgs;
use crate::DatasetName;

/// Arguments of every generator. Flatten it into a program's own.
#[derive(Debug, Clone, clap::Args)]
pub struct GenArgs {
    /// Name of the data set and of its folder, instead of the default one
    #[arg(long)]
    pub name: Option<DatasetName>,
    /// Keep only the first N prompts of the source (of each part, if it is already split)
    #[arg(long, value_name = "N")]
    pub limit: Option<NonZeroUsize>,
    /// Overwrite an existing data set of that name
    #[arg(long)]
    pub force: bool,
    /// Which embeddings to request from a server
    #[command(flatten)]
    pub embedding: EmbeddingArgs,
    /// Folder of the data sets
    #[command(flatten)]
    pub data_dir: DataDir,
    /// What is printed
    #[command(flatten)]
    pub output: Output,
}

impl GenArgs {
    /// The name that was given, else the usual one.
    ///
    /// # Errors
    /// When the usual one cannot name a data set.
    pub fn name_or(&self, usual: &str) -> anyhow::Result<DatasetName> {
        match &self.name {
            Some(name) => Ok(name.clone()),
            None => Ok(usual.parse()?),
        }
    }

    /// What to note of rows that `--limit` left out, if it left any out.
    pub fn limit_note(&self, n_left_out: usize) -> Option<String> {
        let limit = self.limit.filter(|_| n_left_out > 0)?;
        Some(format!(
            "kept only the first rows: --limit {limit} left out {n_left_out}"
        ))
    }
}
