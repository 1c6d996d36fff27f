use std::path::Path;

use crate::{Model, Record, Result, files, read_whole};

/// A router that was fitted before.
#[derive(Debug, Clone)]
pub struct SavedRouter {
    /// What it is, and what it was made from.
    pub record: Record,
    /// What predicts.
    pub model: Model,
}

impl SavedRouter {
    /// Opens a folder that [`crate::NewFolder`] wrote, and checks all of it.
    ///
    /// The embeddings of k-nearest-neighbors regression are mapped, not read: routers of several processes share the system's cache, and if
    /// [`crate::NewFolder`] replaces the folder, an opened router stays as it was. A file that another program modifies in place changes
    /// predictions of routers that have it open; one that it truncates ends the process by a signal (SIGBUS) at the next search.
    ///
    /// While another router takes the folder's place, this is the older or the newer one, whole.
    ///
    /// # Errors
    /// [`crate::Error::NoRouter`] for another folder; [`crate::Error::FormatVersion`], [`crate::Error::BadRecord`], or any that concerns a file.
    pub fn open(folder: &Path) -> Result<Self> {
        read_whole(folder, |folder| {
            let record = Record::read(folder)?;
            // First, because tensors of another fit may well have the right shapes, and if they have not, this says why.
            files::check_contents(folder, &record.files)?;
            let model = Model::open(folder, &record)?;
            files::check_all_there(folder, &record.files)?;
            Ok(Self { record, model })
        })
    }
}
