//! Embeddings of both parts of a data set: read from disk if they are up to date, else computed and kept.

use std::path::Path;

use anyhow::{Context as _, bail};
use dataset::{Embeddings, EmbeddingsMeta, Part, PartTable, Precision, Source};
use ndarray::Array2;
use tracing::{info, warn};

use crate::{embedder::Embedder, local_model::LocalModel, losses::Losses, setup::Setup};

/// The embeddings of both parts, of shape `(n_prompts, dim)`.
pub(crate) struct SplitEmbeddings {
    pub(crate) train: Array2<f32>,
    pub(crate) test: Array2<f32>,
    /// What is lost in the embeddings of the train and of the test part.
    pub(crate) losses: [Losses; 2],
    /// The server that computed those of the train part, if one did and it is known.
    pub(crate) server: Option<String>,
    /// How exactly the model multiplied that made them.
    pub(crate) precision: Precision,
}

/// What a model made of prompts.
pub(crate) struct Embedded {
    /// Shape `(n_prompts, dim)`.
    pub(crate) values: Array2<f32>,
    /// How many prompts were too long and lost a part.
    pub(crate) n_truncated: usize,
}

/// The embeddings of one part.
struct PartEmbeddings {
    values: Array2<f32>,
    n_truncated: Option<usize>,
    server: Option<String>,
    precision: Precision,
}

/// Loads the embeddings of both parts; the model is loaded only if a part has to be computed.
///
/// Embeddings on disk are used if their hashes show that they were made from this part by this model; embeddings made elsewhere have no hashes
/// and need only have the part's ids.
pub(crate) fn load(
    setup: &Setup,
    embedder: &Embedder,
    model: &mut Option<LocalModel>,
    [train, test]: [(&PartTable, &Source); 2],
) -> anyhow::Result<SplitEmbeddings> {
    let mut load =
        |part, (split, source)| load_part(setup, embedder, model.as_mut(), part, split, source);
    let (train_split, test_split) = (train.0, test.0);
    let (train, test) = (load(Part::Train, train)?, load(Part::Test, test)?);
    if train.values.ncols() != test.values.ncols() {
        bail!(
            "the embeddings `{}` of train and test have {} and {} dimensions",
            embedder.name,
            train.values.ncols(),
            test.values.ncols()
        );
    }
    if train.precision != test.precision {
        bail!(
            "the embeddings `{}` of train are in the precision `{}`, those of test in `{}`",
            embedder.name,
            train.precision,
            test.precision
        );
    }
    let parts = [(train_split, &train), (test_split, &test)];
    let losses = parts.map(|(split, it)| Losses::of(split, it.values.view(), it.n_truncated));
    for (losses, part) in losses.iter().zip(Part::ALL) {
        losses.log(&embedder.name, part);
    }
    if train.server != test.server {
        warn!(
            "the embeddings `{}` of train and test are from different servers, `{}` and `{}`",
            embedder.name,
            train.server.as_deref().unwrap_or("unknown"),
            test.server.as_deref().unwrap_or("unknown")
        );
    }
    Ok(SplitEmbeddings {
        server: train.server,
        precision: train.precision,
        train: train.values,
        test: test.values,
        losses,
    })
}

fn load_part(
    setup: &Setup,
    embedder: &Embedder,
    model: Option<&mut LocalModel>,
    part: Part,
    split: &PartTable,
    source: &Source,
) -> anyhow::Result<PartEmbeddings> {
    let (path, split_path) = (setup.dir.embeddings(&embedder.name, part), &source.path);
    let embedder_sha256 = model.as_ref().map(|model| model.sha256().to_owned());
    let wanted = EmbeddingsMeta {
        embedder: embedder.name.clone(),
        embedder_sha256,
        server: None,
        split_sha256: Some(source.sha256.clone()),
        truncate: setup.truncate,
        precision: embedder.precision,
        n_truncated: None,
    };
    if path.is_file() {
        match on_disk(&path, &wanted, split_path, split) {
            Ok(Some(embeddings)) => {
                info!("using the embeddings in `{}`", path.display());
                return Ok(embeddings);
            }
            Ok(None) => info!(
                "the embeddings in `{}` were made from a different version of the data set, by a different model, in another precision, or with prompts cut elsewhere",
                path.display()
            ),
            // Whole, and someone else's, who gave them no hash: not ours to replace.
            Err(error @ dataset::Error::Mismatch { .. }) => return Err(error.into()),
            // Without a model nothing could replace them, so the reason is the end of the run.
            Err(error) if model.is_none() => return Err(error.into()),
            Err(error) => warn!(
                "the embeddings in `{}` cannot be used, computing them anew: {:#}",
                path.display(),
                anyhow::Error::new(error)
            ),
        }
    }
    let Some(model) = model else {
        bail!(
            "the embeddings in `{}` were made from a different version of `{}`, and the model that could recompute them is not known",
            path.display(),
            split_path.display()
        );
    };
    let Embedded {
        values,
        n_truncated,
    } = model
        .embed(setup.of_models(), &split.prompts)
        .with_context(|| format!("cannot embed the prompts of `{}`", split_path.display()))?;
    let embeddings = Embeddings {
        ids: split.ids.clone(),
        values,
        meta: EmbeddingsMeta {
            n_truncated: Some(n_truncated),
            ..wanted
        },
    };
    // Before anything is fitted on them, so that a fit that fails does not lose them.
    embeddings.write(&path)?;
    Ok(PartEmbeddings {
        values: embeddings.values,
        n_truncated: Some(n_truncated),
        server: None,
        precision: embedder.precision,
    })
}

/// The embeddings in a file, unless they were made from something else.
///
/// # Errors
/// When the file cannot be read, or is for other prompts.
fn on_disk(
    path: &Path,
    wanted: &EmbeddingsMeta,
    split_path: &Path,
    split: &PartTable,
) -> dataset::Result<Option<PartEmbeddings>> {
    // A few bytes, which may save reading a gigabyte of embeddings that turn out to be of another version.
    let found = Embeddings::read_meta(path)?;
    if !fits(&found, wanted) {
        return Ok(None);
    }
    let embeddings = Embeddings::read(path)?;
    // Embeddings made elsewhere carry no hash of the part, so only ids tie a row to its prompt.
    embeddings.check_ids(path, split_path, &split.ids)?;
    Ok(Some(PartEmbeddings {
        values: embeddings.values,
        n_truncated: found.n_truncated,
        server: found.server,
        precision: found.precision,
    }))
}

/// Whether every hash that is known on both sides is the same, and long prompts were cut in the same way and embedded in the same precision. Whoever
/// embedded elsewhere, without a hash, has done it as they saw fit.
fn fits(found: &EmbeddingsMeta, wanted: &EmbeddingsMeta) -> bool {
    let same = |a: &Option<String>, b: &Option<String>| {
        a.as_ref().zip(b.as_ref()).is_none_or(|(a, b)| a == b)
    };
    let how = |meta: &EmbeddingsMeta| (meta.truncate, meta.precision);
    let is_made_alike = found.embedder_sha256.is_none() || how(found) == how(wanted);
    is_made_alike
        && same(&found.embedder_sha256, &wanted.embedder_sha256)
        && same(&found.split_sha256, &wanted.split_sha256)
}
