use std::{
    ffi::{OsStr, OsString},
    fs,
    path::{Path, PathBuf},
};

use atomic_files::{TemporaryFolder, link_tree, move_missing};
use dataset::{DatasetDir, DatasetInfo, Part, PartHashes, atomic};

use crate::Result;

/// A data set in the making: its files are written to a temporary folder beside `data/<name>/` and take the place of the older ones together.
///
/// Dropped without [`Staging::commit`], it leaves the old data set as it was.
#[derive(Debug)]
pub struct Staging {
    target: DatasetDir,
    staged: DatasetDir,
    /// The folder of the data set, or the one that it is a link to.
    place: PathBuf,
    // Removed with everything in it when this is dropped.
    folder: TemporaryFolder,
}

impl Staging {
    /// Creates the temporary folder.
    ///
    /// # Errors
    /// [`dataset::Error::Io`] when it cannot be created.
    pub fn new(data_dir: &Path, name: &str) -> Result<Self> {
        let target = DatasetDir::new(data_dir, name);
        // A link to a folder, on a larger disk say, stays one: it is that folder which is exchanged.
        let place = fs::canonicalize(target.root()).unwrap_or_else(|_| target.root().to_owned());
        let folder = atomic::temporary_folder(atomic::parent(&place))?;
        Ok(Self {
            staged: DatasetDir::new(folder.path(), name),
            target,
            place,
            folder,
        })
    }

    /// Where to write the splits, and the expectations if there are any.
    pub fn dir(&self) -> &DatasetDir {
        &self.staged
    }

    /// Adds the parts' hashes to the description, and exchanges the folder of the data set for the new one, so that there is at any moment the whole
    /// old data set or the whole new one. What else is in the folder, embeddings and predictions above all, is in the new one too; its hashes
    /// tell what is out of date. Expectations of an older data set go with it.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] when the disk refuses; the old data set is as it was then.
    pub fn commit(self, info: &DatasetInfo) -> Result<DatasetDir> {
        let Self {
            target,
            staged,
            place,
            folder,
        } = self;
        // Recorded here, where the parts are whole: whoever reads them later can tell them from those of another run.
        let part_sha256 = Some(PartHashes::of(&staged)?);
        let info = DatasetInfo {
            part_sha256,
            ..info.clone()
        };
        info.write(&staged.info())?;
        atomic::sync_tree(staged.root())?;
        let made = made_names(&target);
        let is_made = |name: &OsStr| made.iter().any(|it| it == name);
        if place.is_dir() {
            link_tree(&place, staged.root(), &is_made)
                .map_err(dataset::Error::io("keep what is in", &place))?;
        }
        atomic::replace_folder(staged.root(), &place)?;
        // What another program finished in the older folder after its files had been linked.
        if staged.root().is_dir() {
            move_missing(staged.root(), &place, &is_made)
                .map_err(dataset::Error::io("keep what was added to", &place))?;
        }
        drop(folder);
        Ok(target)
    }
}

/// The names of what a generator makes in a data set's folder: a new data set has its own, or none.
fn made_names(dir: &DatasetDir) -> Vec<OsString> {
    let made = Part::ALL.map(|part| [dir.split(part), dir.truth(part)]);
    let made = made.into_iter().flatten().chain([dir.info()]);
    let name = |path: PathBuf| {
        let below = path.strip_prefix(dir.root()).ok()?;
        below.iter().next().map(OsStr::to_owned)
    };
    made.filter_map(name).collect()
}
