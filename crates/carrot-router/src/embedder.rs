use std::path::{Path, PathBuf};

use saved_routers::{Embedder, Record};

use crate::{Error, Result};

/// Where to find the embedder that a saved router was fitted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbedderPlace {
    /// In a folder on this machine.
    Folder(PathBuf),
    /// Not on disk; what router.json records may be an id on the Hugging Face hub.
    Elsewhere {
        /// Its short name.
        name: String,
        /// The folder or id that the router was fitted with; `None` if it was fitted on given embeddings.
        recorded: Option<String>,
    },
}

impl EmbedderPlace {
    /// Looks for the embedder of the router in a folder: at the recorded path, seen from the working folder, then under the same name in
    /// `models/` when the router is in `models/<dataset>/<router>`, since a models folder may be moved as a whole. `None` for a router that
    /// reads prompts without an embedder.
    ///
    /// # Errors
    /// [`Error::SavedRouter`] when the folder holds no router.
    pub fn of(folder: &Path) -> Result<Option<Self>> {
        let embedder = match recorded_embedder(folder) {
            Err(Error::NotOnEmbeddings { .. }) => return Ok(None),
            embedder => embedder?,
        };
        // The recorded path first: it is the very folder, whereas another model may have the same name elsewhere.
        let mut places = Vec::new();
        if let Some(model) = embedder.model.as_deref().map(Path::new) {
            places.push(model.to_owned());
            let models_dir = folder.ancestors().nth(2);
            let moved = models_dir.zip(model.file_name());
            places.extend(moved.map(|(dir, name)| dir.join(name)));
        }
        let place = places.into_iter().find(|place| place.is_dir());
        Ok(Some(place.map_or(
            Self::Elsewhere {
                name: embedder.name,
                recorded: embedder.model,
            },
            Self::Folder,
        )))
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

/// What a router on embeddings says about their embedder.
///
/// # Errors
/// [`Error::NotOnEmbeddings`] for a router without one, [`Error::SavedRouter`] when the folder holds no router.
pub(crate) fn recorded_embedder(folder: &Path) -> Result<Embedder> {
    let record = Record::read(folder)?;
    match record.embedder {
        Some(embedder) if record.contents.is_per_model_on_embeddings() => Ok(embedder),
        _ => Err(Error::NotOnEmbeddings {
            folder: folder.to_owned(),
            router: record.router,
        }),
    }
}
