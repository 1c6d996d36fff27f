//! Which embeddings a data set has, and reading them.

use anyhow::{Context as _, ensure};
use dataset::{DatasetDir, Embeddings, Part};
use ndarray::{Array2, Axis, concatenate};

use crate::data::folder::names_in;

/// The embedders whose embeddings a data set has, by name.
///
/// # Errors
/// When a folder cannot be listed.
pub(super) fn embedders(dir: &DatasetDir) -> anyhow::Result<Vec<String>> {
    let has_embeddings = |name: &String| {
        let mut parts = Part::ALL.into_iter();
        parts.any(|part| dir.embeddings(name, part).is_file())
    };
    let mut names = names_in(&dir.root().join("embeddings"))?;
    names.retain(has_embeddings);
    Ok(names)
}

/// The embeddings of both parts of a data set, the training part's first, of shape `(n_prompts, dim)`.
///
/// # Errors
/// When there are none, a file cannot be read, or the parts differ in their number of dimensions.
pub(super) fn pooled(dir: &DatasetDir, embedder: &str) -> anyhow::Result<Array2<f32>> {
    let mut parts = Vec::new();
    // Both parts together: how many dimensions an embedder uses is a property of its embeddings, whichever part a prompt fell into, and
    // more of them give a steadier estimate.
    for part in [Part::Train, Part::Test] {
        let path = dir.embeddings(embedder, part);
        if path.is_file() {
            parts.push(Embeddings::read(&path)?.values);
        }
    }
    let dims: Vec<usize> = parts.iter().map(Array2::ncols).collect();
    ensure!(
        dims.windows(2).all(|pair| pair[0] == pair[1]),
        "the embeddings `{embedder}` of `{}` have {dims:?} dimensions, expected the same in both parts; regenerate both",
        dir.name()
    );
    let views: Vec<_> = parts.iter().map(Array2::view).collect();
    concatenate(Axis(0), &views)
        .with_context(|| format!("`{}` has no embeddings `{embedder}`", dir.name()))
}
