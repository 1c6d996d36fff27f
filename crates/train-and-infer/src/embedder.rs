use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use cli_support::usage_error;
use dataset::{DatasetDir, Part};
use hub::is_hub_id;

use crate::config::EmbedderConfig;

/// What turns prompts into vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Embedder {
    /// The name of its folder under `data/<dataset>/embeddings/`.
    pub(crate) name: String,
    /// The model that makes the vectors; `None` where they lie with the data set and no model is at hand.
    pub(crate) model: Option<Model>,
}

/// Where a sentence-transformers model lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Model {
    /// In a folder.
    Folder(PathBuf),
    /// On the hub, under an id.
    Hub(String),
}

impl Embedder {
    /// Finds what a name on the command line stands for: a short name, a folder, vectors on disk, or a hub id, in this order.
    pub(crate) fn resolve(
        name: &str,
        short_names: &BTreeMap<String, EmbedderConfig>,
        models_dir: &Path,
        dir: &DatasetDir,
    ) -> anyhow::Result<Self> {
        let is_on_disk = |name: &str| {
            Part::ALL
                .iter()
                .all(|&part| dir.embeddings(name, part).is_file())
        };
        if let Some(config) = short_names.get(name) {
            let folder = models_dir.join(&config.folder);
            let model = if folder.is_dir() {
                Some(Model::Folder(folder))
            } else if is_on_disk(name) {
                None
            } else {
                Some(Model::Hub(config.hub.clone()))
            };
            return Ok(Self {
                name: name.to_owned(),
                model,
            });
        }
        if let (true, Some(last)) = (Path::new(name).is_dir(), Path::new(name).file_name()) {
            return Ok(Self {
                name: last.to_string_lossy().into_owned(),
                model: Some(Model::Folder(name.into())),
            });
        }
        let folder_name = name.replace('/', "--");
        if is_on_disk(&folder_name) && !is_hub_id(name) {
            return Ok(Self {
                name: folder_name,
                model: None,
            });
        }
        if is_hub_id(name) {
            return Ok(Self {
                name: folder_name,
                model: Some(Model::Hub(name.to_owned())),
            });
        }
        let known: Vec<&str> = short_names.keys().map(String::as_str).collect();
        Err(usage_error(format!(
            "`{name}` is no embedding: it is neither a name from the settings ({}), nor a folder, nor embeddings under `{}`, nor a hub \
             id of the form owner/name",
            known.join(", "),
            dir.root().join("embeddings").display()
        )))
    }
}
