//! Embedders on this machine: sentence-transformers models, and token vectors.

use std::path::Path;

use dataset::Truncate;
use encoder::{ModelFiles, PromptEmbedder, Result, Runtime};
use static_embeddings::{StaticEmbedder, StaticFiles};

use crate::backend::load_embedder;

/// A model's files.
#[derive(Debug)]
pub(crate) enum LocalModelFiles {
    /// A network.
    Sentence(ModelFiles),
    /// Token vectors.
    Static(StaticFiles),
}

impl LocalModelFiles {
    pub(crate) fn in_folder(folder: &Path) -> Result<Self> {
        Ok(match StaticFiles::find(folder)? {
            Some(files) => Self::Static(files),
            None => Self::Sentence(ModelFiles::in_folder(folder)?),
        })
    }

    /// SHA-256 over the files that determine the vectors.
    pub(crate) fn sha256(&self) -> Result<String> {
        match self {
            Self::Sentence(files) => files.sha256(),
            Self::Static(files) => files.sha256(),
        }
    }

    /// Reads the model. Token vectors need no device, are float32, and never cut a prompt.
    pub(crate) fn load(
        &self,
        truncate: Option<Truncate>,
        runtime: Runtime,
    ) -> Result<Box<dyn PromptEmbedder>> {
        match self {
            Self::Sentence(files) => load_embedder(files, truncate, runtime),
            Self::Static(files) => Ok(Box::new(StaticEmbedder::load(files)?)),
        }
    }
}
