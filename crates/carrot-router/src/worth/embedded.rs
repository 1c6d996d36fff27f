//! The embeddings of both parts: read where they exist, computed where the model is on this machine.

use std::path::{Path, PathBuf};

use dataset::{
    DatasetDir, Embeddings, EmbeddingsMeta, Lock, Part, Precision, WholeSet, sha256_file,
};
use encoder::{DeviceChoice, PromptEmbedder, Runtime};
use ndarray::{Array2, Axis, concatenate};
use tracing::info;

use crate::{backend::load_embedder, worth::WorthError};
use static_embeddings::EmbedderFiles;

/// Which embeddings to take, and what computes them.
#[derive(Debug, Clone)]
pub struct EmbeddingPlace {
    /// Their name under `data/<dataset>/embeddings/`.
    pub name: String,
    /// The folder of the model that computes those that are missing, if it is known.
    pub model: Option<PathBuf>,
    /// Where that model runs.
    pub device: DeviceChoice,
}

/// Embeddings of all prompts of a data set, those of the train part first.
#[derive(Debug, Clone)]
pub(crate) struct Embedded {
    pub(crate) name: String,
    /// Shape `(n_prompts, dim)`.
    pub(crate) values: Array2<f32>,
    /// SHA-256 of both files.
    pub(crate) sha256: [String; 2],
}

/// The prompts of one part.
struct Prompts<'a> {
    dir: &'a DatasetDir,
    part: Part,
    ids: &'a [String],
    texts: &'a [String],
}

impl EmbeddingPlace {
    /// Reads the embeddings of both parts. Those that are missing, or of other prompts, are computed and kept, as train-and-infer does.
    pub(crate) fn open(
        &self,
        whole: &WholeSet,
        router: &str,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Embedded, WorthError> {
        let (dir, table, n_train) = (whole.dir(), whole.table(), whole.n_train());
        let rows = [0..n_train, n_train..table.n_prompts()];
        let mut model = None;
        let mut values = Vec::with_capacity(2);
        for (part, rows) in Part::ALL.into_iter().zip(rows) {
            let prompts = Prompts {
                dir,
                part,
                ids: &table.ids[rows.clone()],
                texts: &table.prompts[rows],
            };
            values.push(self.of_part(&prompts, router, &mut model, on_progress)?);
        }
        let n_dims = [values[0].ncols(), values[1].ncols()];
        let [train, test] = Part::ALL.map(|part| sha256_file(&dir.embeddings(&self.name, part)));
        let values = concatenate(Axis(0), &[values[0].view(), values[1].view()]);
        Ok(Embedded {
            values: values.map_err(|_| WorthError::Dimensions {
                name: self.name.clone(),
                n_dims,
            })?,
            name: self.name.clone(),
            sha256: [train?, test?],
        })
    }

    fn of_part(
        &self,
        prompts: &Prompts<'_>,
        router: &str,
        model: &mut Option<Model>,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Array2<f32>, WorthError> {
        let why = match prompts.read(&self.name)? {
            Ok(values) => return Ok(values),
            Err(why) => why,
        };
        let model = match model {
            Some(model) => model,
            none => none.insert(self.load(prompts.dir, router, why)?),
        };
        let place = prompts.dir.embeddings_dir(&self.name);
        let lock = Lock::wait_for(&place, |holder| {
            info!(
                "waiting for the embeddings `{}`, which are being written by {holder}",
                self.name
            );
        });
        let _lock = lock.map_err(dataset::Error::Lock)?;
        // Whoever held the lock may have written them.
        match prompts.read(&self.name)? {
            Ok(values) => Ok(values),
            Err(_) => model.embed(prompts, &self.name, on_progress),
        }
    }

    fn load(&self, dir: &DatasetDir, router: &str, why: String) -> Result<Model, WorthError> {
        let no_embeddings = |why| WorthError::NoEmbeddings {
            dataset: dir.name().to_owned(),
            name: self.name.clone(),
            router: router.to_owned(),
            why,
        };
        let folder = match &self.model {
            Some(folder) if folder.is_dir() => folder.clone(),
            Some(folder) => {
                let why = format!("{why}, and the model is not in `{}`", folder.display());
                return Err(no_embeddings(why));
            }
            None => return Err(no_embeddings(format!("{why}, and their model is unknown"))),
        };
        Model::load(folder, self.device)
    }
}

impl Prompts<'_> {
    /// The embeddings on disk; the inner error is the reason why there are none of these prompts.
    fn read(&self, name: &str) -> Result<Result<Array2<f32>, String>, WorthError> {
        let (path, split) = (self.dir.embeddings(name, self.part), self.split());
        if !path.is_file() {
            return Ok(Err(format!("`{}` is missing", path.display())));
        }
        // Embeddings made elsewhere carry no hash; then only ids tie a row to its prompt.
        let meta = Embeddings::read_meta(&path)?;
        if let Some(sha256) = meta.split_sha256
            && sha256 != sha256_file(&split)?
        {
            return Ok(Err(format!(
                "`{}` was made from a different version of `{}`",
                path.display(),
                split.display()
            )));
        }
        let embeddings = Embeddings::read(&path)?;
        embeddings.check_ids(&path, &split, self.ids)?;
        info!("using the embeddings in `{}`", path.display());
        Ok(Ok(embeddings.values))
    }

    fn split(&self) -> PathBuf {
        self.dir.split(self.part)
    }
}

/// What computes embeddings.
struct Model {
    folder: PathBuf,
    sha256: String,
    embedder: Box<dyn PromptEmbedder>,
}

impl Model {
    fn load(folder: PathBuf, device: DeviceChoice) -> Result<Self, WorthError> {
        let failed = |source| failed(&folder, source);
        let files = EmbedderFiles::in_folder(&folder).map_err(failed)?;
        Ok(Self {
            sha256: files.sha256().map_err(failed)?,
            embedder: files
                .load(|network| load_embedder(network, None, Runtime::f32_on(device)))
                .map_err(failed)?,
            folder,
        })
    }

    /// Computes the embeddings of a part and keeps them.
    fn embed(
        &self,
        prompts: &Prompts<'_>,
        name: &str,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Array2<f32>, WorthError> {
        let n_prompts = prompts.ids.len();
        info!("embedding the {n_prompts} {} prompts", prompts.part.name());
        let embedded = self.embedder.embed(prompts.texts, on_progress);
        let embedded = embedded.map_err(|source| failed(&self.folder, source))?;
        let embeddings = Embeddings {
            ids: prompts.ids.to_vec(),
            meta: EmbeddingsMeta {
                embedder: name.to_owned(),
                embedder_sha256: Some(self.sha256.clone()),
                server: None,
                split_sha256: Some(sha256_file(&prompts.split())?),
                truncate: None,
                precision: Precision::F32,
                n_truncated: Some(embedded.n_truncated()),
            },
            values: embedded.values,
        };
        embeddings.write(&prompts.dir.embeddings(name, prompts.part))?;
        Ok(embeddings.values)
    }
}

fn failed(folder: &Path, source: encoder::Error) -> WorthError {
    WorthError::Embedder {
        folder: folder.to_owned(),
        source: Box::new(source),
    }
}
