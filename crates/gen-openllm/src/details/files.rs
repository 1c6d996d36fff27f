use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use hub::{Hub, HubError, HubRepo};
use tracing::{info, warn};

use super::{
    choice::Choice,
    found::Found,
    latest::{Listed, latest},
};
use crate::config::{Config, Model};

/// The owner of the repositories of details.
const LEADERBOARD: &str = "open-llm-leaderboard";

/// Finds the files of the LLMs that a folder has.
pub(crate) fn find_in_folder<'a>(
    config: &'a Config,
    folder: &Path,
    keep_incomplete: bool,
) -> anyhow::Result<Found<'a>> {
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
    let files = choice.files(|model, paths| {
        let own = folder.join(model.details_repo()).join(model.folder());
        Ok(paths.iter().map(|path| own.join(path)).collect())
    })?;
    choice.found(folder.to_owned(), files, notes, |_, path| path.to_owned())
}

/// Finds the files of all LLMs on the hub, and downloads what the cache lacks.
pub(crate) fn find_on_hub<'a>(
    config: &'a Config,
    hub: &Hub,
    keep_incomplete: bool,
) -> anyhow::Result<Found<'a>> {
    // Every LLM has a repository of its own.
    let repo = |model: &Model| HubRepo::dataset(format!("{LEADERBOARD}/{}", model.details_repo()));
    let mut refusals = Refusals::default();
    let mut listed = Vec::new();
    for model in &config.models {
        let Some(listing) = refusals.keep(model, hub.list(&repo(model)))? else {
            continue;
        };
        let folder = format!("{}/", model.folder());
        let paths = listing
            .paths()
            .filter_map(|path| path.strip_prefix(&folder));
        listed.push(latest(&model.name, paths));
    }
    // All refusals at once: accepting twenty licenses one error at a time would take twenty runs.
    refusals.check()?;
    let choice = Choice::of(
        config,
        config.models.iter().collect(),
        listed,
        keep_incomplete,
    );
    // The hub should have every task of some LLM, so a missing one is a mistake in the settings. A folder may have a part only.
    if let Some(task) = config.tasks().find(|task| !choice.tasks.contains(task)) {
        bail!(
            "no LLM has a sample file of `{}` on the hub",
            task.source_name
        );
    }
    let mut refusals = Refusals::default();
    let files = choice.files(|model, paths| {
        info!("sample files of `{}`", model.name);
        let paths: Vec<String> = paths
            .iter()
            .map(|path| format!("{}/{path}", model.folder()))
            .collect();
        Ok(refusals
            .keep(model, hub.files(&repo(model), &paths))?
            .unwrap_or_default())
    })?;
    refusals.check()?;
    choice.found(
        PathBuf::from(LEADERBOARD),
        files,
        Vec::new(),
        |model, path| {
            let name = path.file_name().unwrap_or_default();
            Path::new(&repo(model).id).join(model.folder()).join(name)
        },
    )
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

/// Repositories that the hub does not open, gathered so that one message names all of them: each may need a license to be accepted by hand.
#[derive(Default)]
struct Refusals(Vec<String>);

impl Refusals {
    fn keep<T>(&mut self, model: &Model, result: Result<T, HubError>) -> anyhow::Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(
                error @ (HubError::Gated { .. }
                | HubError::NoRepo { .. }
                | HubError::Refused { .. }),
            ) => {
                self.0.push(format!("\n  `{}`: {error}", model.name));
                Ok(None)
            }
            Err(error) => Err(error)
                .with_context(|| format!("cannot get the sample files of `{}`", model.name)),
        }
    }

    fn check(self) -> anyhow::Result<()> {
        ensure!(
            self.0.is_empty(),
            "the sample files of {} LLMs are not available (use --exclude-model to continue without them):{}",
            self.0.len(),
            self.0.concat()
        );
        Ok(())
    }
}

fn quoted(models: &[&Model]) -> String {
    let names: Vec<String> = models
        .iter()
        .map(|model| format!("`{}`", model.name))
        .collect();
    names.join(", ")
}
