use std::{
    fs,
    path::{Path, PathBuf},
};

use carrot_router::PoolChanges;
use cli_support::{usage_error, with_hint};
use dataset::{Lock, ModelScores, Prices, atomic};
use saved_routers::Record;

use super::args::PoolArgs;

/// `pool` with its command line checked and its files read.
pub(super) struct PoolJob {
    pub(super) model: PathBuf,
    pub(super) output: PathBuf,
    pub(super) changes: PoolChanges,
    /// Of the output.
    _lock: Lock,
}

impl PoolJob {
    pub(super) fn check(args: PoolArgs) -> anyhow::Result<Self> {
        if args.prices.is_none() && args.remove.is_empty() && args.add.is_none() {
            return Err(usage_error(
                "nothing to change; give --prices, --remove or --add",
            ));
        }
        // Before the work and not only when writing: adding an LLM searches the neighbors of all train prompts.
        check_output(&args.output, &args.model, args.force)?;
        let lock = Lock::of(&args.output)?;
        Ok(Self {
            _lock: lock,
            model: args.model,
            output: args.output,
            changes: PoolChanges {
                removed: args.remove,
                added: args.add.as_deref().map(ModelScores::read).transpose()?,
                prices: args.prices.as_deref().map(Prices::read).transpose()?,
                allow_worse: args.allow_worse,
                data_dir: args.data_dir.data_dir,
            },
        })
    }
}

/// Refuses an output folder in whose place something would be lost.
fn check_output(output: &Path, model: &Path, force: bool) -> anyhow::Result<()> {
    let (real, real_model) = (real_path(output), real_path(model));
    if real.starts_with(&real_model) || real_model.starts_with(&real) {
        return Err(usage_error(format!(
            "`--output {}` would overwrite the router of `--model {}`, or lie in its folder; the changed router needs a folder of its own",
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
