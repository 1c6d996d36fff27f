//! The folder that a changed router goes to.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cli_support::{usage_error, with_hint};
use dataset::atomic;
use saved_routers::Record;

/// Refuses an output folder in whose place something would be lost.
pub(super) fn check(output: &Path, model: &Path, force: bool) -> anyhow::Result<()> {
    let (real, real_model) = (real_path(output), real_path(model));
    if real.starts_with(&real_model) || real_model.starts_with(&real) {
        return Err(usage_error(format!(
            "`--output {}` would overwrite the router of `--model {}`, or lie in its folder; the new router needs a folder of its own",
            output.display(),
            model.display()
        )));
    }
    let is_free = match fs::read_dir(output) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => output.symlink_metadata().is_err(),
    };
    if is_free {
        return Ok(());
    }
    if let Err(error) = Record::read(output) {
        let error = anyhow::Error::new(error);
        return Err(error.context(format!(
            "`{}` is not overwritten, because it is not the folder of a router",
            output.display()
        )));
    }
    if !force {
        let error = anyhow::anyhow!("`{}` already exists", output.display());
        return Err(with_hint(error, "overwrite it with `--force`"));
    }
    Ok(())
}

/// A path without links and `..`, as far as it exists.
fn real_path(path: &Path) -> PathBuf {
    match (fs::canonicalize(path), path.file_name()) {
        (Ok(real), _) => real,
        (Err(_), Some(name)) => real_path(atomic::parent(path)).join(name),
        (Err(_), None) => path.to_owned(),
    }
}
