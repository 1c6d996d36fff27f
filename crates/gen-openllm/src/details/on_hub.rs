use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use hub::{Hub, HubError, HubListing, HubRepo};
use tracing::{info, warn};

use super::{choice::Choice, found::Found, latest::latest};
use crate::{
    config::{Config, Model},
    preflight::Preflight,
};

/// The owner of the repositories of details.
const LEADERBOARD: &str = "open-llm-leaderboard";

/// Which files of the hub are wanted.
pub(crate) struct OnHub<'a> {
    choice: Choice<'a>,
    /// By the names of LLMs.
    listings: HashMap<&'a str, HubListing>,
    notes: Vec<String>,
}

/// Lists all LLMs' files, chooses, and asks whether the hub would send them. An LLM that the hub does not know is left out with a note; what
/// it knows and does not open is for [`Preflight::check`] to report.
pub(crate) fn list_on_hub<'a>(
    config: &'a Config,
    preflight: &mut Preflight,
    keep_incomplete: bool,
) -> anyhow::Result<OnHub<'a>> {
    let (mut models, mut listed) = (Vec::new(), Vec::new());
    let (mut listings, mut notes, mut absent) = (HashMap::new(), Vec::new(), None);
    for model in &config.models {
        let listing = match preflight.list(&repo(model)) {
            Err(error @ HubError::NoRepo { .. }) => {
                warn!("leaving out `{}`: {error}", model.name);
                // Without what depends on who asks where: the same files make the same bytes.
                notes.push(format!(
                    "left out `{}`, whose sample files `{}` are not on the hub",
                    model.name,
                    repo(model).id
                ));
                absent = Some(error);
                continue;
            }
            other => preflight.keep_files(model, other)?,
        };
        let Some(listing) = listing else { continue };
        let folder = format!("{}/", model.folder());
        let paths = listing
            .paths()
            .filter_map(|path| path.strip_prefix(&folder));
        listed.push(latest(&model.name, paths));
        models.push(model);
        listings.insert(model.name.as_str(), listing);
    }
    if let (true, Some(error)) = (notes.len() == config.models.len(), absent) {
        return Err(error).context("the hub has the sample files of none of the LLMs");
    }
    let choice = Choice::of(config, models, listed, keep_incomplete);
    // The hub should have every task of some LLM, so a missing one is a mistake in the settings. A folder may have a part only.
    if let Some(task) = config.tasks().find(|task| !choice.tasks.contains(task))
        && !choice.models.is_empty()
    {
        bail!(
            "no LLM has a sample file of `{}` on the hub",
            task.source_name
        );
    }
    for (model, paths) in choice.wanted() {
        let surveyed = preflight.survey(
            &repo(model),
            &listings[model.name.as_str()],
            &inner(model, &paths),
        );
        preflight.keep_files(model, surveyed)?;
    }
    Ok(OnHub {
        choice,
        listings,
        notes,
    })
}

impl<'a> OnHub<'a> {
    /// The LLMs whose files are wanted.
    pub(crate) fn models(&self) -> &[&'a Model] {
        &self.choice.models
    }

    /// Downloads what the cache lacks, and hashes the files.
    pub(crate) fn download(self, hub: &Hub) -> anyhow::Result<Found<'a>> {
        let files = self.choice.files(|model, paths| {
            info!("sample files of `{}`", model.name);
            let listing = &self.listings[model.name.as_str()];
            hub.files_of(&repo(model), listing, &inner(model, paths))
                .with_context(|| format!("cannot get the sample files of `{}`", model.name))
        })?;
        let place = PathBuf::from(LEADERBOARD);
        self.choice.found(place, files, self.notes, |model, path| {
            let name = path.file_name().unwrap_or_default();
            Path::new(&repo(model).id).join(model.folder()).join(name)
        })
    }
}

/// Every LLM has a repository of its own.
fn repo(model: &Model) -> HubRepo {
    HubRepo::dataset(format!("{LEADERBOARD}/{}", model.details_repo()))
}

/// Paths in the LLM's repository.
fn inner(model: &Model, paths: &[&str]) -> Vec<String> {
    let folder = model.folder();
    paths
        .iter()
        .map(|path| format!("{folder}/{path}"))
        .collect()
}
