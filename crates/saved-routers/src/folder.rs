use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use dataset::write_atomically;
use routers::{Forest, Mf, labels::Standardizer};
use tempfile::TempDir;

use crate::{Error, KnnParts, Record, Result, card, forest, knn, mf, scale};

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
    /// [`Error::Io`].
    pub fn create(place: &Path) -> Result<Self> {
        let parent = parent(place);
        fs::create_dir_all(parent).map_err(Error::io("create the folder", parent))?;
        recover(place)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".partial-");
        #[cfg(unix)]
        {
            // A temporary folder is private by default; the finished one should be as readable as any other.
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(0o777));
        }
        let staging = builder
            .tempdir_in(parent)
            .map_err(Error::io("create a folder in", parent))?;
        Ok(Self {
            place: place.to_owned(),
            staging,
        })
    }

    /// Puts an older router back in its place if writing a newer one was cut off between two renames. Opening and creating do so too.
    ///
    /// # Errors
    /// [`Error::Io`].
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
    /// [`Error::Io`] when the disk is full, say.
    pub fn write_knn(&self, parts: &KnnParts<'_>) -> Result<()> {
        knn::write(&self.path().join(ROUTER), parts)
    }

    /// Writes a forest.
    ///
    /// # Errors
    /// [`Error::Io`] when the disk is full, say.
    pub fn write_forest(&self, forest: &Forest) -> Result<()> {
        forest::write(&self.path().join(ROUTER), forest)
    }

    /// Writes a matrix factorization into a folder of this one, which the record names.
    ///
    /// # Errors
    /// [`Error::Io`] when the disk is full, say.
    pub fn write_mf(&self, name: &str, mf: &Mf) -> Result<()> {
        mf::write(&self.path().join(name), mf)
    }

    /// Writes the way back from z-scores to dollars: mean and deviation for each LLM.
    ///
    /// # Errors
    /// [`Error::Io`] when the disk is full, say.
    pub fn write_scale(&self, scale: &Standardizer) -> Result<()> {
        scale::write(self.path(), scale)
    }

    /// Writes the record and the model card, makes all durable, and puts the folder in its place; one that is there is removed.
    ///
    /// At a crash between the two renames that this takes, the older folder waits under another name, from which
    /// [`crate::SavedRouter::open`] and [`NewFolder::create`] bring it back.
    ///
    /// # Errors
    /// [`Error::BadRecord`] for a record that no reader would take; [`Error::Io`].
    pub fn commit(self, record: &Record) -> Result<()> {
        write_atomically(self.path().join(CARD), card::text(record).as_bytes())?;
        record.write(self.path())?;
        sync(self.path())?;
        let retired = retired(&self.place);
        let has_older = self.place.is_dir();
        if has_older {
            rename(&self.place, &retired)?;
        }
        if let Err(error) = rename(self.path(), &self.place) {
            if has_older {
                rename(&retired, &self.place)?;
            }
            return Err(error);
        }
        // It bears another name now.
        _ = self.staging.keep();
        let parent = parent(&self.place);
        sync_folder(parent)?;
        remove(&retired)
    }
}

/// Puts an older folder back if the one that was to replace it never took its place, and removes what is left of one that was replaced.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn recover(place: &Path) -> Result<()> {
    let retired = retired(place);
    if !retired.is_dir() {
        Ok(())
    } else if place.is_dir() {
        remove(&retired)
    } else {
        rename(&retired, place)
    }
}

/// Where an older folder waits while a new one takes its place.
fn retired(place: &Path) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".replaced-{name}"))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(Error::io("rename a folder to", to))
}

fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Makes a folder and all in it durable.
fn sync(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).map_err(Error::io("list", folder))? {
        let path = entry.map_err(Error::io("list", folder))?.path();
        if path.is_dir() {
            sync(&path)?;
        } else {
            sync_folder(&path)?;
        }
    }
    sync_folder(folder)
}

fn sync_folder(path: &Path) -> Result<()> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(Error::io("sync", path))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
