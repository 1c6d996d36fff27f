use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use tracing::warn;

use super::{
    choice::Choice,
    found::Found,
    latest::{Listed, latest},
};
use crate::config::{Config, Model};

/// Which files of a folder are wanted.
pub(crate) struct InFolder<'a> {
    folder: PathBuf,
    choice: Choice<'a>,
    notes: Vec<String>,
}

/// Chooses from what a folder has.
pub(crate) fn list_in_folder<'a>(
    config: &'a Config,
    folder: &Path,
    keep_incomplete: bool,
) -> anyhow::Result<InFolder<'a>> {
    let names = list(folder)?;
    warn_of_unknown(config, &names);
    let mut notes = Vec::new();
    let (models, absent): (Vec<&Model>, Vec<&Model>) = config
        .models
        .iter()
        .partition(|model| names.contains(&model.details_repo()));
    ensure!(
        !models.is_empty(),
        "`{}` has no folder for any LLM: expected `{}`",
        folder.display(),
        config
            .models
            .first()
            .map_or_else(|| "OWNER__NAME-details".to_owned(), Model::details_repo)
    );
    if !absent.is_empty() {
        notes.push(format!("the source has no results for {}", quoted(&absent)));
    }
    let listed = models.iter().map(|model| {
        let own = folder.join(model.details_repo()).join(model.folder());
        Ok(latest(&model.name, list(&own)?.iter().map(String::as_str)))
    });
    let listed: Vec<Listed> = listed.collect::<anyhow::Result<_>>()?;
    let choice = Choice::of(config, models, listed, keep_incomplete);
    ensure!(
        !choice.tasks.is_empty(),
        "`{}` has no sample file of any task: expected `{}`",
        folder.display(),
        folder
            .join("OWNER__NAME-details/OWNER__NAME/samples_leaderboard_TASK_TIME.json")
            .display()
    );
    Ok(InFolder {
        folder: folder.to_owned(),
        choice,
        notes,
    })
}

impl<'a> InFolder<'a> {
    /// The LLMs whose files are wanted.
    pub(crate) fn models(&self) -> &[&'a Model] {
        &self.choice.models
    }

    /// The files, hashed.
    pub(crate) fn find(self) -> anyhow::Result<Found<'a>> {
        let folder = self.folder;
        let files = self.choice.files(|model, paths| {
            let own = folder.join(model.details_repo()).join(model.folder());
            Ok(paths.iter().map(|path| own.join(path)).collect())
        })?;
        self.choice
            .found(folder, files, self.notes, |_, path| path.to_owned())
    }
}

/// The names in a folder, sorted.
fn list(folder: &Path) -> anyhow::Result<Vec<String>> {
    let cannot = || format!("cannot list `{}`", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let name = entry.with_context(cannot)?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    // File systems list in different orders, and logs and notes should not depend on that.
    names.sort();
    Ok(names)
}

fn warn_of_unknown(config: &Config, names: &[String]) {
    let is_known = |name: &str| {
        let mut models = config.models.iter();
        models.any(|model| model.details_repo() == name)
    };
    let unknown = names
        .iter()
        // Anything else in the folder, such as a README, does not point to a mistake.
        .filter(|name| name.ends_with("-details") && !is_known(name));
    let unknown: Vec<String> = unknown.map(|name| format!("`{name}`")).collect();
    if !unknown.is_empty() {
        warn!(
            "left out LLMs that the settings do not list, or that were excluded: {}",
            unknown.join(", ")
        );
    }
}

fn quoted(models: &[&Model]) -> String {
    let names: Vec<String> = models
        .iter()
        .map(|model| format!("`{}`", model.name))
        .collect();
    names.join(", ")
}
