use std::path::Path;

use dataset::{DatasetDir, DatasetInfo, Part, PartHashes, atomic};
use tempfile::TempDir;

use crate::Result;

/// A data set in the making: its files are written to a temporary folder inside `data/<name>/` and move to their places together.
///
/// Dropped without [`Staging::commit`], it leaves the old data set as it was.
#[derive(Debug)]
pub struct Staging {
    target: DatasetDir,
    staged: DatasetDir,
    // Removed with everything in it when this is dropped.
    _folder: TempDir,
}

impl Staging {
    /// Creates the temporary folder.
    ///
    /// # Errors
    /// [`dataset::Error::Io`] when it cannot be created.
    pub fn new(data_dir: &Path, name: &str) -> Result<Self> {
        let target = DatasetDir::new(data_dir, name);
        let folder = atomic::temporary_folder(target.root())?;
        Ok(Self {
            staged: DatasetDir::new(folder.path(), name),
            target,
            _folder: folder,
        })
    }

    /// Where to write the splits, and the expectations if there are any.
    pub fn dir(&self) -> &DatasetDir {
        &self.staged
    }

    /// Adds the parts' hashes to the description, and moves the files to their places. `dataset.json` marks a complete data set: the old one goes first, the new one comes last, so that a run
    /// killed in between leaves no description of other files. The expectations of an older data set of that name are removed where the new
    /// one has none.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] when the disk refuses.
    pub fn commit(self, info: &DatasetInfo) -> Result<DatasetDir> {
        let Self { target, staged, .. } = &self;
        // Recorded here, where the parts are whole: whoever reads them later can tell them from those of another run.
        let part_sha256 = Some(PartHashes::of(staged)?);
        let info = DatasetInfo {
            part_sha256,
            ..info.clone()
        };
        info.write(&staged.info())?;
        atomic::remove_file(&target.info())?;
        for part in Part::ALL {
            replace(&staged.split(part), &target.split(part))?;
            replace(&staged.truth(part), &target.truth(part))?;
        }
        replace(&staged.info(), &target.info())?;
        Ok(self.target)
    }
}

/// Moves a staged file to its place; where none was staged, removes the old file.
fn replace(staged: &Path, target: &Path) -> Result<()> {
    if staged.is_file() {
        atomic::rename(staged, target)?;
    } else {
        atomic::remove_file(target)?;
    }
    Ok(())
}
