//! The embeddings of both parts: read where they exist, computed where the model is on this machine.

use std::path::{Path, PathBuf};

use dataset::{DatasetDir, Embeddings, EmbeddingsMeta, Lock, Part, PartTable, sha256_file};
use ndarray::{Array2, Axis, concatenate};
use nets::{DeviceChoice, ModelFiles, SentenceEmbedder};
use tracing::info;

use crate::worth::WorthError;

/// Which embeddings to take, and what computes them.
#[derive(Debug, Clone)]
pub struct EmbeddingPlace {
    /// Their name under `data/<dataset>/embeddings/`.
    pub name: String,
    /// The folder of the sentence-transformers model that computes those that are missing, if it is known.
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

impl EmbeddingPlace {
    /// Reads the embeddings of both parts. Those that are missing, or of other prompts, are computed and kept, as train-and-infer does.
    pub(crate) fn open(
        &self,
        dir: &DatasetDir,
        router: &str,
        parts: [&PartTable; 2],
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Embedded, WorthError> {
        let mut model = None;
        let mut values = Vec::with_capacity(2);
        for (part, table) in Part::ALL.into_iter().zip(parts) {
            let split_sha256 = sha256_file(&dir.split(part))?;
            let found = match read(dir, &self.name, part, table, &split_sha256)? {
                Ok(embeddings) => embeddings,
                Err(why) => {
                    let model = match &mut model {
                        Some(model) => model,
                        none => none.insert(self.load(dir, router, why)?),
                    };
                    let _lock = Lock::wait_for(&dir.embeddings_dir(&self.name), |holder| {
                        info!(
                            "waiting for the embeddings `{}`, which are being written by {holder}",
                            self.name
                        );
                    })
                    .map_err(dataset::Error::Lock)?;
                    // Whoever held the lock may have written them.
                    match read(dir, &self.name, part, table, &split_sha256)? {
                        Ok(embeddings) => embeddings,
                        Err(_) => {
                            model.embed(dir, &self.name, part, table, split_sha256, on_progress)?
                        }
                    }
                }
            };
            values.push(found);
        }
        let n_dims = [values[0].ncols(), values[1].ncols()];
        let values = concatenate(Axis(0), &[values[0].view(), values[1].view()]);
        let sha256 = Part::ALL.map(|part| sha256_file(&dir.embeddings(&self.name, part)));
        let [train, test] = sha256;
        Ok(Embedded {
            values: values.map_err(|_| WorthError::Dimensions {
                name: self.name.clone(),
                n_dims,
            })?,
            name: self.name.clone(),
            sha256: [train?, test?],
        })
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

/// The embeddings in a file; the inner error is the reason why there are none of this part.
fn read(
    dir: &DatasetDir,
    name: &str,
    part: Part,
    table: &PartTable,
    split_sha256: &str,
) -> Result<Result<Array2<f32>, String>, WorthError> {
    let path = dir.embeddings(name, part);
    if !path.is_file() {
        return Ok(Err(format!("`{}` is missing", path.display())));
    }
    // Embeddings made elsewhere carry no hash; then only ids tie a row to its prompt.
    let meta = Embeddings::read_meta(&path)?;
    if meta
        .split_sha256
        .is_some_and(|sha256| sha256 != split_sha256)
    {
        let split = dir.split(part);
        return Ok(Err(format!(
            "`{}` was made from a different version of `{}`",
            path.display(),
            split.display()
        )));
    }
    let embeddings = Embeddings::read(&path)?;
    embeddings.check_ids(&path, &dir.split(part), &table.ids)?;
    info!("using the embeddings in `{}`", path.display());
    Ok(Ok(embeddings.values))
}

/// What computes embeddings.
struct Model {
    folder: PathBuf,
    sha256: String,
    embedder: SentenceEmbedder,
}

impl Model {
    fn load(folder: PathBuf, device: DeviceChoice) -> Result<Self, WorthError> {
        let failed = |source| failed(&folder, source);
        let files = ModelFiles::in_folder(&folder).map_err(failed)?;
        Ok(Self {
            sha256: files.sha256().map_err(failed)?,
            embedder: SentenceEmbedder::load(&files, device).map_err(failed)?,
            folder,
        })
    }

    /// Computes the embeddings of a part and keeps them.
    fn embed(
        &self,
        dir: &DatasetDir,
        name: &str,
        part: Part,
        table: &PartTable,
        split_sha256: String,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Array2<f32>, WorthError> {
        info!(
            "embedding the {} {} prompts",
            table.n_prompts(),
            part.name()
        );
        let embedded = self.embedder.embed(&table.prompts, on_progress);
        let embedded = embedded.map_err(|source| failed(&self.folder, source))?;
        let embeddings = Embeddings {
            ids: table.ids.clone(),
            meta: EmbeddingsMeta {
                embedder: name.to_owned(),
                embedder_sha256: Some(self.sha256.clone()),
                server: None,
                split_sha256: Some(split_sha256),
                truncate: None,
                n_truncated: Some(embedded.n_truncated()),
            },
            values: embedded.values,
        };
        embeddings.write(&dir.embeddings(name, part))?;
        Ok(embeddings.values)
    }
}

fn failed(folder: &Path, source: nets::Error) -> WorthError {
    WorthError::Embedder {
        folder: folder.to_owned(),
        source: Box::new(source),
    }
}
