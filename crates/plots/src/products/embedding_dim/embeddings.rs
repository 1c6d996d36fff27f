//! Which embeddings a data set has, and reading them.

use anyhow::{Context as _, ensure};
use dataset::{DatasetDir, Embeddings, Part};
use ndarray::{Array2, Axis, concatenate};

/// The embedders whose embeddings a data set has, by name.
///
/// # Errors
/// When a folder cannot be listed.
pub(super) fn embedders(dir: &DatasetDir) -> anyhow::Result<Vec<String>> {
    let folder = dir.root().join("embeddings");
    let mut names = Vec::new();
    if !folder.is_dir() {
        return Ok(names);
    }
    let cannot_list = || format!("cannot list `{}`", folder.display());
    for entry in folder.read_dir().with_context(cannot_list)? {
        let name = entry
            .with_context(cannot_list)?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if [Part::Train, Part::Test]
            .iter()
            .any(|&part| dir.embeddings(&name, part).is_file())
        {
            names.push(name);
        }
    }
    names.sort();
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
