use std::path::{Path, PathBuf};

use dataset::{Standardizer, atomic, write_atomically};
use routers::{Forest, Mf};
use tempfile::TempDir;

use crate::{KnnParts, Record, Result, card, forest, knn, mf, scale};

pub(crate) const ROUTER: &str = "router.safetensors";
const CARD: &str = "README.md";

/// A router's folder in the making: it is filled beside its place, and takes it when it is whole.
///
/// Dropped without [`NewFolder::commit`], it leaves nothing behind, and an older router stays.
#[derive(Debug)]
pub struct NewFolder {
    place: PathBuf,
    staging: TempDir,
}

impl NewFolder {
    /// Makes an empty folder beside `place`, for example `models/synthetic/carrot-knn`.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] when it cannot be created.
    pub fn create(place: &Path) -> Result<Self> {
        // An older folder may have been set aside by a run that was killed between its two renames; it must be back before it is
        // replaced.
        recover(place)?;
        Ok(Self {
            place: place.to_owned(),
            staging: atomic::temporary_folder(atomic::parent(place))?,
        })
    }

    /// Puts an older router back in its place if writing a newer one was cut off between two renames. Opening and creating do so too.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`].
    pub fn recover(place: &Path) -> Result<()> {
        recover(place)
    }

    /// Where the folder is while it is made: networks are written into folders in it.
    pub fn path(&self) -> &Path {
        self.staging.path()
    }

    /// Writes nearest neighbors.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] when the disk is full, say.
    pub fn write_knn(&self, parts: &KnnParts<'_>) -> Result<()> {
        knn::write(&self.path().join(ROUTER), parts)
    }

    /// Writes a forest.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] when the disk is full, say.
    pub fn write_forest(&self, forest: &Forest) -> Result<()> {
        forest::write(&self.path().join(ROUTER), forest)
    }

    /// Writes a matrix factorization into a folder of this one, which the record names.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] when the disk is full, say.
    pub fn write_mf(&self, name: &str, mf: &Mf) -> Result<()> {
        mf::write(&self.path().join(name), mf)
    }

    /// Writes the way back from z-scores to dollars: mean and deviation for each LLM.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] when the disk is full, say.
    pub fn write_scale(&self, scale: &Standardizer) -> Result<()> {
        scale::write(self.path(), scale)
    }

    /// Writes the record and the model card, makes everything durable, and puts the folder in its place; an older one is removed.
    ///
    /// At a crash between the two renames that this takes, the older folder waits under another name, from which
    /// [`crate::SavedRouter::open`] and [`NewFolder::create`] bring it back.
    ///
    /// # Errors
    /// [`crate::Error::BadRecord`] for a record that no reader would accept; [`crate::Error::Dataset`] when the disk is full, say.
    pub fn commit(self, record: &Record) -> Result<()> {
        write_atomically(self.path().join(CARD), card::text(record).as_bytes())?;
        // Last of the files: a folder without `router.json` is not a router, so nothing half-written can be opened.
        record.write(self.path())?;
        atomic::sync_tree(self.path())?;
        // No system call replaces a folder that is not empty. So the older one is set aside first, under a name that `recover` knows.
        let retired = retired(&self.place);
        let has_older = self.place.is_dir();
        if has_older {
            atomic::rename(&self.place, &retired)?;
        }
        if let Err(error) = atomic::rename(self.path(), &self.place) {
            // Better the older router than none.
            if has_older {
                atomic::rename(&retired, &self.place)?;
            }
            return Err(error.into());
        }
        // Nothing to clean up any more: the folder has its final name.
        _ = self.staging.keep();
        Ok(atomic::remove_folder(&retired)?)
    }
}

/// Puts an older folder back if the one that was to replace it never took its place, and removes what is left of one that was replaced.
///
/// # Errors
/// [`crate::Error::Dataset`] when a folder cannot be renamed or removed.
pub(crate) fn recover(place: &Path) -> Result<()> {
    let retired = retired(place);
    if !retired.is_dir() {
        Ok(())
    } else if place.is_dir() {
        Ok(atomic::remove_folder(&retired)?)
    } else {
        Ok(atomic::rename(&retired, place)?)
    }
}

/// Where an older folder waits while a new one takes its place: a folder that is not empty cannot be replaced by one rename.
fn retired(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".replaced-{name}"))
}
