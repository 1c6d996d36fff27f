//! The pickles of `tests/golden`, for all tests that read them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Their paths, sorted, so that numbers and seeds of a test mean the same pickle everywhere.
pub(crate) fn paths() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "pkl"));
    paths.sort();
    paths
}
