use std::path::PathBuf;

use cli_support::Progress;
use hub::{Hub, ModelPlace, PlaceError, WantedFile};
use nets::Need;

use super::license::CARD;
use crate::setup::Setup;

/// The folder with a model's files and, if it has one, its model card; what the hub's cache lacks is downloaded.
pub(super) fn model_folder(
    setup: &Setup,
    place: &ModelPlace,
    files: &[(&'static str, Need)],
) -> Result<PathBuf, PlaceError> {
    let wanted = files.iter().map(|&(name, need)| match need {
        Need::Required => WantedFile::required(name),
        Need::Optional => WantedFile::optional(name),
    });
    // The card is wanted for its license, which the record of a router made from the model repeats.
    let wanted: Vec<WantedFile<'_>> = wanted.chain([WantedFile::optional(CARD)]).collect();
    let hub = Hub::from_env().with_progress(Progress::of_downloads(setup.quiet));
    place.folder(&hub, &wanted)
}
