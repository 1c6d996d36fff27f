use std::{
    fs::{self, File},
    io,
    path::Path,
};

use dataset::{DatasetDir, DatasetInfo, Part};
use tempfile::TempDir;

use crate::{Error, Result};

/// A data set in the making: its files are written to a temporary folder inside `data/<name>/` and take their places together.
///
/// Dropped without [`Staging::commit`], it leaves the old data set as it was.
#[derive(Debug)]
pub struct Staging {
    target: DatasetDir,
    staged: DatasetDir,
    folder: TempDir,
}

impl Staging {
    /// Makes the temporary folder.
    ///
    /// # Errors
    /// [`Error::Io`] when it cannot be made.
    pub fn new(data_dir: &Path, name: &str) -> Result<Self> {
        let target = DatasetDir::new(data_dir, name);
        let root = target.root();
        fs::create_dir_all(root).map_err(Error::io("create the folder", root))?;
        let folder = tempfile::Builder::new()
            .prefix(".partial-")
            .tempdir_in(root)
            .map_err(Error::io("create a folder in", root))?;
        Ok(Self {
            staged: DatasetDir::new(folder.path(), name),
            target,
            folder,
        })
    }

    /// Where to write the splits, and the truth if there is one.
    pub fn dir(&self) -> &DatasetDir {
        &self.staged
    }

    /// Puts the files in their places. `dataset.json` is the mark of a whole data set: the old one goes first, the new one comes last.
    /// The truth of an older data set of that name is removed where the new one has none.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Dataset`] when the disk refuses.
    pub fn commit(self, info: &DatasetInfo) -> Result<DatasetDir> {
        let Self {
            target,
            staged,
            folder,
        } = self;
        info.write(&staged.info())?;
        remove_if_there(&target.info())?;
        for part in Part::ALL {
            replace(&staged.split(part), &target.split(part))?;
            replace(&staged.truth(part), &target.truth(part))?;
        }
        replace(&staged.info(), &target.info())?;
        folder
            .close()
            .map_err(Error::io("remove a temporary folder of", target.root()))?;
        Ok(target)
    }
}

/// Moves a staged file to its place; where none was staged, removes what is there.
fn replace(staged: &Path, target: &Path) -> Result<()> {
    if !staged.is_file() {
        return remove_if_there(target);
    }
    let folder = target
        .parent()
        .expect("every file of a data set lies in a folder");
    fs::create_dir_all(folder).map_err(Error::io("create the folder", folder))?;
    fs::rename(staged, target).map_err(Error::io("rename a finished file to", target))?;
    sync_folder(folder)
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove the old", path)(error))
        }
        _ => Ok(()),
    }
}

/// A rename is durable only once its folder is.
fn sync_folder(folder: &Path) -> Result<()> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(Error::io("sync the folder", folder))
}
