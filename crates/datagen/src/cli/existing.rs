use anyhow::{Context as _, bail};
use dataset::{DatasetDir, DatasetInfo, Part};
use tracing::info;

/// The description of an existing data set that is just what is asked for; `None` if it has to be created. `differences` says in words how
/// an existing one differs.
///
/// # Errors
/// When it differs, or its parts are not those that it describes: it may have cost money, so only `force` overwrites it.
pub(super) fn existing(
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
