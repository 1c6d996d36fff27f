use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use cli_support::Progress;
use datagen::SourcePart;
use dataset::{Error as DatasetError, Source};
use hub::{Hub, HubRepo};

use crate::shard_names::{is_shard, shards};

/// Where the files are in the hub's data set, and may be in a folder.
const HUB_FOLDER: &str = "data";

/// The files, wherever they came from.
pub(crate) struct Found {
    /// Where they are, for messages.
    pub(crate) place: PathBuf,
    pub(crate) files: Vec<(SourcePart, PathBuf)>,
    pub(crate) sources: Vec<Source>,
    pub(crate) is_of_hub: bool,
}

/// The files of a data set of the hub, downloaded if the cache lacks them.
pub(crate) fn find_on_hub(repo_id: &str, quiet: bool) -> anyhow::Result<Found> {
    let hub = Hub::from_env().with_progress(Progress::of_downloads(quiet));
    let repo = HubRepo::dataset(repo_id);
    let listing = hub.list(&repo)?;
    let place = format!("{}/{HUB_FOLDER}", repo_id);
    let names = listing
        .paths()
        .filter_map(|path| path.strip_prefix(HUB_FOLDER)?.strip_prefix('/'));
    // Chosen from the listing, so that only the shards are downloaded.
    let files = shards(&place, &names.collect::<Vec<_>>())?;
    let wanted = files.iter().map(|(_, name)| format!("{HUB_FOLDER}/{name}"));
    let paths = hub.files(&repo, &wanted.collect::<Vec<_>>())?;
    let place = PathBuf::from(place);
    let sources = files.iter().zip(&paths).map(|((_, name), path)| {
        // The path in the cache is specific to this machine; the name on the hub is what another person can look up.
        Ok(Source {
            path: place.join(name),
            ..Source::of(path)?
        })
    });
    Ok(Found {
        sources: sources.collect::<Result<_, DatasetError>>()?,
        files: files.iter().map(|(part, _)| *part).zip(paths).collect(),
        place,
        is_of_hub: true,
    })
}

/// The files of a folder; if there are none, of the folder `data` in it.
pub(crate) fn find_in_folder(folder: &Path) -> anyhow::Result<Found> {
    let mut place = folder.to_owned();
    let mut names = names_in(&place)?;
    let inner = folder.join(HUB_FOLDER);
    // A clone of the repository has the files in `data`, a folder of single downloads has them itself.
    if inner.is_dir() && !names.iter().any(|name| is_shard(name)) {
        names = names_in(&inner)?;
        place = inner;
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let files = shards(&place.display().to_string(), &names)?;
    let files: Vec<(SourcePart, PathBuf)> = files
        .into_iter()
        .map(|(part, name)| (part, place.join(name)))
        .collect();
    let sources = files.iter().map(|(_, path)| Source::of(path));
    Ok(Found {
        sources: sources.collect::<Result<_, _>>()?,
        files,
        place,
        is_of_hub: false,
    })
}

/// The names of the files in a folder, as far as they are text.
fn names_in(folder: &Path) -> anyhow::Result<Vec<String>> {
    let cannot = || format!("cannot list the folder `{}`", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot)? {
        let name = entry.with_context(cannot)?.file_name();
        // A name that is not text cannot be that of a shard.
        names.extend(name.to_str().map(str::to_owned));
    }
    Ok(names)
}
