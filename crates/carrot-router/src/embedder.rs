use std::path::{Path, PathBuf};

use saved_routers::{Contents, NewFolder, Record};

use crate::{Error, Result};

/// Where the embedder that a saved router was fitted with may be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbedderPlace {
    /// In a folder on this machine.
    Folder(PathBuf),
    /// Not on disk; what router.json says of it may be an id on the Hugging Face hub.
    Elsewhere {
        /// Its short name.
        name: String,
        /// The folder or id that the router was fitted with, if a model was at hand at all.
        recorded: Option<String>,
    },
}

impl EmbedderPlace {
    /// Looks for the embedder of the router in a folder: under the path that was recorded, seen from the working folder, then under the same
    /// name in `models/` when the router lies in `models/<dataset>/<router>`, as a models folder may be moved as a whole.
    ///
    /// # Errors
    /// [`Error::NotKnn`] for a router without an embedder, [`Error::SavedRouter`] when the folder holds no router.
    pub fn of(folder: &Path) -> Result<Self> {
        NewFolder::recover(folder)?;
        let record = Record::read(folder)?;
        let (Contents::Knn { .. }, Some(embedder)) = (record.contents, record.embedder) else {
            return Err(Error::NotKnn {
                folder: folder.to_owned(),
                router: record.router,
            });
        };
        let mut places = Vec::new();
        if let Some(model) = embedder.model.as_deref().map(Path::new) {
            places.push(model.to_owned());
            let models_dir = folder.ancestors().nth(2);
            let moved = models_dir.zip(model.file_name());
            places.extend(moved.map(|(dir, name)| dir.join(name)));
        }
        let place = places.into_iter().find(|place| place.is_dir());
        Ok(place.map_or(
            Self::Elsewhere {
                name: embedder.name,
                recorded: embedder.model,
            },
            Self::Folder,
        ))
    }

    /// The folder, for the router in another one.
    ///
    /// # Errors
    /// [`Error::NoEmbedder`] when it is not on disk.
    pub fn folder(self, router: &Path) -> Result<PathBuf> {
        match self {
            Self::Folder(folder) => Ok(folder),
            Self::Elsewhere { name, recorded } => Err(Error::NoEmbedder {
                folder: router.to_owned(),
                name,
                recorded,
            }),
        }
    }
}
