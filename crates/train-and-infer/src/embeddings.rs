//! Embeddings of a data set's splits: from disk where they fit, else computed and kept.

use anyhow::{Context as _, bail};
use dataset::{Embeddings, EmbeddingsMeta, Part, Split, sha256_file};
use ndarray::Array2;
use tracing::info;

use crate::{embed::SentenceModel, embedder::Embedder, job::Job};

/// The vectors of both parts, of shape `(n_prompts, dim)`.
pub(crate) struct SplitEmbeddings {
    pub(crate) train: Array2<f32>,
    pub(crate) test: Array2<f32>,
}

/// Loads the vectors of both parts; the model is loaded only if a part has to be computed.
///
/// Vectors on disk are used if they were made from this very split by this very model, which SHA-256 tells; vectors made elsewhere bear no
/// hashes and need only have the split's ids.
pub(crate) fn load(
    job: &Job,
    embedder: &Embedder,
    train: &Split,
    test: &Split,
) -> anyhow::Result<SplitEmbeddings> {
    let mut model = embedder
        .model
        .as_ref()
        .map(|model| SentenceModel::find(job, &embedder.name, model))
        .transpose()?;
    let mut load = |part, split| load_part(job, embedder, &mut model, part, split);
    Ok(SplitEmbeddings {
        train: load(Part::Train, train)?,
        test: load(Part::Test, test)?,
    })
}

fn load_part(
    job: &Job,
    embedder: &Embedder,
    model: &mut Option<SentenceModel>,
    part: Part,
    split: &Split,
) -> anyhow::Result<Array2<f32>> {
    let (path, split_path) = (
        job.dir.embeddings(&embedder.name, part),
        job.dir.split(part),
    );
    let split_sha256 = sha256_file(&split_path)?;
    let wanted = EmbeddingsMeta {
        embedder: embedder.name.clone(),
        embedder_sha256: model.as_ref().map(|model| model.sha256().to_owned()),
        split_sha256: Some(split_sha256),
    };
    if path.is_file() {
        let found = Embeddings::read_meta(&path)?;
        if fits(&found, &wanted) {
            let embeddings = Embeddings::read(&path)?;
            embeddings.check_ids(&path, &split_path, &split.ids)?;
            info!("using the embeddings in `{}`", path.display());
            return Ok(embeddings.values);
        }
        info!(
            "the embeddings in `{}` are of another split or model",
            path.display()
        );
    }
    let Some(model) = model else {
        bail!(
            "the embeddings in `{}` were made from another version of `{}`, and there is no model to make them anew",
            path.display(),
            split_path.display()
        );
    };
    let values = model
        .embed(job, &split.prompts)
        .with_context(|| format!("cannot embed the prompts of `{}`", split_path.display()))?;
    let embeddings = Embeddings {
        ids: split.ids.clone(),
        values,
        meta: wanted,
    };
    embeddings.write(&path)?;
    Ok(embeddings.values)
}

/// Whether every hash that both sides know is the same.
fn fits(found: &EmbeddingsMeta, wanted: &EmbeddingsMeta) -> bool {
    let same = |a: &Option<String>, b: &Option<String>| {
        a.as_ref().zip(b.as_ref()).is_none_or(|(a, b)| a == b)
    };
    same(&found.embedder_sha256, &wanted.embedder_sha256)
        && same(&found.split_sha256, &wanted.split_sha256)
}
