use anyhow::{Context as _, bail};
use dataset::{DatasetDir, DatasetInfo, Lock, Part, atomic};
use tracing::info;

/// The description of an existing data set, as [`existing`] finds it, or else the lock of one that is to be made. A dry run makes none and so takes
/// no lock.
///
/// # Errors
/// Those of [`existing`], or at once if another process is making the data set.
pub(super) fn existing_or_lock(
    dir: &DatasetDir,
    force: bool,
    is_dry: bool,
    differences: impl Fn(&DatasetInfo) -> Vec<String>,
) -> anyhow::Result<(Option<DatasetInfo>, Option<Lock>)> {
    if !is_dry {
        // Also where nothing is to be made, and so nothing to be locked.
        atomic::sweep(atomic::parent(dir.root()));
        atomic::sweep_tree(dir.root());
    }
    match existing(dir, force, &differences) {
        Ok(Some(found)) => Ok((Some(found), None)),
        found if is_dry => Ok((found?, None)),
        Ok(None) | Err(_) => {
            let lock = Lock::of(dir.root())?;
            // Another process may have finished it since, or replaced it while it was read.
            Ok((existing(dir, force, differences)?, Some(lock)))
        }
    }
}

/// The description of an existing data set that is just what is asked for; `None` if it has to be created. `differences` says in words how
/// an existing one differs.
///
/// # Errors
/// When it differs, or its parts are not those that it describes: it may have cost money, so only `force` overwrites it.
fn existing(
    dir: &DatasetDir,
    force: bool,
    differences: impl FnOnce(&DatasetInfo) -> Vec<String>,
) -> anyhow::Result<Option<DatasetInfo>> {
    // `dataset.json` is written last, so without it there is no data set, whatever else an interrupted run left.
    if force || !dir.info().is_file() {
        return Ok(None);
    }
    let found = DatasetInfo::read(&dir.info())?;
    let differences = differences(&found);
    if !differences.is_empty() {
        bail!(
            "`{}` already exists with different options ({}); use --force to overwrite it, or --name to give the new one another name",
            dir.root().display(),
            differences.join("; ")
        );
    }
    for part in Part::ALL {
        found
            .check_hash(dir, part)
            .context("use --force to make the data set again")?;
    }
    info!(
        "`{}` already exists; use --force to overwrite it",
        dir.root().display()
    );
    Ok(Some(found))
}
