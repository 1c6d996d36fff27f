use std::path::Path;

use encoder::{ModelFiles, PromptEmbedder, Result};

use crate::{StaticEmbedder, StaticFiles};

/// The files of an embedder on this machine, of either kind.
#[derive(Debug, Clone)]
pub enum EmbedderFiles {
    /// A network of sentence-transformers.
    Sentence(ModelFiles),
    /// Token vectors.
    Static(StaticFiles),
}

impl EmbedderFiles {
    /// Finds an embedder's files and which kind it is of.
    ///
    /// # Errors
    /// As [`StaticFiles::find`] and [`ModelFiles::in_folder`].
    pub fn in_folder(folder: &Path) -> Result<Self> {
        Ok(match StaticFiles::find(folder)? {
            Some(files) => Self::Static(files),
            None => Self::Sentence(ModelFiles::in_folder(folder)?),
        })
    }

    /// What a downloader must fetch besides [`ModelFiles::FILES`], by names relative to the folder: what those that are there call for.
    ///
    /// # Errors
    /// As [`StaticFiles::wanted`] and [`ModelFiles::further`].
    pub fn further(folder: &Path) -> Result<Vec<String>> {
        match StaticFiles::wanted(folder)? {
            Some(files) => Ok(files),
            None => ModelFiles::further(folder),
        }
    }

    /// One SHA-256 over all files that determine the embeddings, in lower-case hexadecimal.
    ///
    /// # Errors
    /// As [`StaticFiles::sha256`] and [`ModelFiles::sha256`].
    pub fn sha256(&self) -> Result<String> {
        match self {
            Self::Sentence(files) => files.sha256(),
            Self::Static(files) => files.sha256(),
        }
    }

    /// Reads the embedder: a network by what runs networks in the caller's program. Token vectors need no device, are float32, and never cut a
    /// prompt.
    ///
    /// # Errors
    /// Those of `network`, or as [`StaticEmbedder::load`].
    pub fn load(
        &self,
        network: impl FnOnce(&ModelFiles) -> Result<Box<dyn PromptEmbedder>>,
    ) -> Result<Box<dyn PromptEmbedder>> {
        match self {
            Self::Sentence(files) => network(files),
            Self::Static(files) => Ok(Box::new(StaticEmbedder::load(files)?)),
        }
    }
}
