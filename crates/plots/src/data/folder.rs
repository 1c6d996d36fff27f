//! What lies in a folder.

use std::path::Path;

use anyhow::Context as _;

/// The names of everything in a folder, sorted; none where the folder does not exist.
///
/// # Errors
/// When the folder cannot be listed.
pub(crate) fn names_in(folder: &Path) -> anyhow::Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let cannot_list = || format!("cannot list `{}`", folder.display());
    let mut names = Vec::new();
    for entry in folder.read_dir().with_context(cannot_list)? {
        let entry = entry.with_context(cannot_list)?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    // File systems list in orders of their own, and the same files must give the same bytes on all of them.
    names.sort();
    Ok(names)
}
