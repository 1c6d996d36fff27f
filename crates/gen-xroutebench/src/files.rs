use std::{
    fs::File,
    path::{Path, PathBuf},
};

use cli_support::Progress;
use datagen::licence_said_in;
use dataset::Source;
use hub::{Hub, HubRepo};

use crate::config::Config;

/// The card of a data set, in a clone and on the hub.
const CARD: &str = "README.md";

/// The files, wherever they came from.
pub(crate) struct Found {
    /// Answers of the train and of the test part, and the LLMs.
    pub(crate) paths: [PathBuf; 3],
    pub(crate) sources: Vec<Source>,
    /// What the card says.
    pub(crate) licences: Vec<String>,
}

fn names(config: &Config) -> [String; 3] {
    [
        (&config.answers, "train"),
        (&config.answers, "test"),
        (&config.models, "train"),
    ]
    .map(|(folder, part)| format!("{folder}/{part}.parquet"))
}

/// Downloads what the cache lacks.
pub(crate) fn find_on_hub(config: &Config, quiet: bool) -> anyhow::Result<Found> {
    let hub = Hub::from_env().with_progress(Progress::of_downloads(quiet));
    let repo = HubRepo::dataset(&config.repo);
    let names = names(config);
    let paths = hub.files(&repo, &names)?;
    let sources = names.iter().zip(&paths).map(|(name, path)| {
        // The path in the cache is this machine's; the name in the repository is what another person can look up.
        Ok(Source {
            path: Path::new(&config.repo).join(name),
            ..Source::of(path)?
        })
    });
    Ok(Found {
        sources: sources.collect::<Result<_, dataset::Error>>()?,
        // Without a card nothing is said of a licence.
        licences: hub
            .file(&repo, CARD)
            .ok()
            .and_then(|card| said(&card, &config.repo))
            .into_iter()
            .collect(),
        paths: paths.try_into().expect("as many as names"),
    })
}

pub(crate) fn find_in_folder(config: &Config, folder: &Path) -> anyhow::Result<Found> {
    let paths = names(config).map(|name| folder.join(name));
    Ok(Found {
        sources: paths
            .iter()
            .map(|path| Source::of(path))
            .collect::<Result<_, _>>()?,
        licences: said(&folder.join(CARD), &folder.display().to_string())
            .into_iter()
            .collect(),
        paths,
    })
}

fn said(card: &Path, place: &str) -> Option<String> {
    licence_said_in(&format!("{place}/{CARD}"), File::open(card).ok()?)
}
