use std::path::{Path, PathBuf};

use anyhow::Context as _;
use cli_support::Progress;
use encoder::Need;
use hub::{Hub, ModelPlace, WantedFile};
use tracing::info;

use crate::license::CARD;

/// The folder with a model's files and, if it has one, its model card; what the hub's cache lacks is downloaded. `further` says what else the files
/// that are there call for.
pub(crate) fn model_folder(
    quiet: bool,
    place: &ModelPlace,
    files: &[(&str, Need)],
    further: impl Fn(&Path) -> encoder::Result<Vec<String>>,
) -> anyhow::Result<PathBuf> {
    place.folder_with(&hub(quiet), &wanted(files), |folder| {
        further(folder).with_context(|| format!("cannot use the model `{place}`"))
    })
}

/// Says what the hub's cache lacks of several models, and that it is available, before [`model_folder`] downloads the first of them.
#[cfg_attr(
    not(feature = "torch"),
    expect(dead_code, reason = "only networks need several models")
)]
pub(crate) fn survey_models(
    quiet: bool,
    names: &[&str],
    files: &[(&str, Need)],
) -> anyhow::Result<()> {
    let needed = hub(quiet).survey_models(names, &wanted(files))?;
    if !needed.is_nothing() {
        info!("{needed} to download from the hub");
    }
    Ok(())
}

fn wanted<'a>(files: &[(&'a str, Need)]) -> Vec<WantedFile<'a>> {
    let wanted = files.iter().map(|&(name, need)| match need {
        Need::Required => WantedFile::required(name),
        Need::Optional => WantedFile::optional(name),
    });
    // The card is wanted for its license, which the record of a router made from the model repeats.
    wanted.chain([WantedFile::optional(CARD)]).collect()
}

fn hub(quiet: bool) -> Hub {
    Hub::from_env().with_progress(Progress::of_downloads(quiet))
}
