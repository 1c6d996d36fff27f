use std::{
    fs,
    path::{Path, PathBuf},
};

use atomic_files::TemporaryFolder;
use dataset::{Quantity, Standardizer, atomic, write_atomically};
use routers::{Cluster, Forest, Kernel, Linear, Mf};

use crate::{
    BlendParts, Contents, Error, KnnParts, Record, Result, blend, card, cluster, forest, kernel,
    knn, linear, mf, record, scale, tensors,
};

pub(crate) const ROUTER: &str = "router.safetensors";
const CARD: &str = "README.md";
/// A router is replaced in the middle of reading it once in a while, and hardly twice in a row.
const MAX_READS: usize = 10;
/// One of these is in each folder that a fit made: it is finished, was damaged, or is in training and has only checkpoints.
const OURS: [&str; 3] = [record::RECORD, ROUTER, CHECKPOINTS];
/// Where a long training keeps its checkpoints, in the place that the router will have.
pub const CHECKPOINTS: &str = "checkpoint";

/// A router's folder in the making: it is filled beside its place, and takes it when it is whole.
///
/// Dropped without [`NewFolder::commit`], it leaves nothing behind, and an older router stays.
#[derive(Debug)]
pub struct NewFolder {
    place: PathBuf,
    staging: TemporaryFolder,
}

impl NewFolder {
    /// Makes an empty folder beside `place`, for example `models/synthetic/carrot-knn`.
    ///
    /// # Errors
    /// [`Error::NotARouter`] when the place is taken by something else, which would be lost; [`Error::Dataset`] when the folder cannot be
    /// created.
    pub fn create(place: &Path) -> Result<Self> {
        Self::check_place(place)?;
        // A link to a folder, on a larger disk say, stays one: it is that folder which is exchanged.
        let place = fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        Ok(Self {
            staging: atomic::temporary_folder(atomic::parent(&place))?,
            place,
        })
    }

    /// Refuses a place that holds something else than a router.
    ///
    /// # Errors
    /// [`Error::NotARouter`], or [`Error::Dataset`] when it cannot be listed.
    pub fn check_place(place: &Path) -> Result<()> {
        match is_replaceable(place)? {
            true => Ok(()),
            false => Err(Error::NotARouter {
                place: place.to_owned(),
            }),
        }
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
        let path = self.path().join(ROUTER);
        tensors::write(&path, &knn::tensors(parts, &path, "")?)
    }

    /// Writes ridge regression, and gives what the record says of it. `quantities` are those of its targets, the score first.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] when the disk is full, say.
    pub fn write_linear(&self, linear: &Linear, quantities: &[Quantity]) -> Result<Contents> {
        tensors::write(
            &self.path().join(ROUTER),
            &linear::tensors(linear, quantities),
        )?;
        Ok(linear::contents(linear, quantities))
    }

    /// Writes kernel ridge regression, and gives what the record says of it. `quantities` are those of its targets, the score first.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] when the disk is full, say.
    pub fn write_kernel(&self, kernel: &Kernel, quantities: &[Quantity]) -> Result<Contents> {
        tensors::write(
            &self.path().join(ROUTER),
            &kernel::tensors(kernel, quantities),
        )?;
        Ok(kernel::contents(kernel, quantities))
    }

    /// Writes means of clusters, and gives what the record says of them. `quantities` are those of the targets, the score first.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] when the disk is full, say.
    pub fn write_cluster(&self, cluster: &Cluster, quantities: &[Quantity]) -> Result<Contents> {
        tensors::write(
            &self.path().join(ROUTER),
            &cluster::tensors(cluster, quantities),
        )?;
        Ok(cluster::contents(cluster, quantities))
    }

    /// Writes a blend, of its learners only those that have weight, and gives what the record says of it.
    ///
    /// # Errors
    /// [`crate::Error::Dataset`] when the disk is full, say.
    pub fn write_blend(&self, parts: &BlendParts<'_>) -> Result<Contents> {
        blend::write(&self.path().join(ROUTER), parts)
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

    /// Writes the record and the model card, makes everything durable, and puts the folder in its place, by one exchange with an older router,
    /// which is removed then. Whoever opens the place finds the one or the other.
    ///
    /// # Errors
    /// [`Error::BadRecord`] for a record that no reader would accept; [`Error::Dataset`] when the disk is full, say.
    pub fn commit(self, record: &Record) -> Result<()> {
        write_atomically(self.path().join(CARD), card::text(record).as_bytes())?;
        // Last of the files: a folder without `router.json` is not a router, so nothing half-written can be opened.
        record.write(self.path())?;
        atomic::sync_tree(self.path())?;
        Ok(atomic::replace_folder(self.path(), &self.place)?)
    }
}

/// Whether a place is free, or holds nothing but an empty folder or what a fit made.
fn is_replaceable(place: &Path) -> Result<bool> {
    if !place.is_dir() {
        return Ok(place.symlink_metadata().is_err());
    }
    let mut entries = fs::read_dir(place).map_err(dataset::Error::io("list", place))?;
    Ok(entries.next().is_none() || OURS.iter().any(|name| place.join(name).exists()))
}

/// Reads from a router's folder; once more if another router has taken its place meanwhile, so that what was read is of one router.
///
/// # Errors
/// Those of `read`.
pub fn read_whole<T, E>(
    place: &Path,
    mut read: impl FnMut(&Path) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    // By its time too: it may have been replaced twice, the second time by one with the same record.
    let record = |folder: &Path| {
        let path = folder.join(record::RECORD);
        let time = path.metadata().and_then(|metadata| metadata.modified());
        fs::read(path).ok().zip(time.ok())
    };
    for _ in 1..MAX_READS {
        let folder = atomic::set_aside(place);
        let before = record(&folder);
        let done = read(&folder);
        if record(&atomic::set_aside(place)) == before {
            return done;
        }
    }
    read(&atomic::set_aside(place))
}
