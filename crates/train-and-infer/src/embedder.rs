use std::{collections::BTreeMap, path::Path};

use cli_support::usage_error;
use dataset::{BadName, DatasetDir, FolderName, Part, Precision};
use fitting::EmbedderSettings;
use hub::{ModelPlace, is_hub_id};
use static_embeddings::StaticFiles;
use tracing::info;

/// What a router predicts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// The embedding that the user chose.
    ChosenEmbedding,
    /// The sentence embedding that the settings name.
    SentenceEmbedding,
    /// The prompts themselves.
    Prompts,
}

/// What turns prompts into embeddings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Embedder {
    /// The name of its folder under `data/<dataset>/embeddings/`.
    pub(crate) name: String,
    /// The model that computes the embeddings; `None` where they are on disk and no model is known.
    pub(crate) model: Option<ModelPlace>,
    /// What that model has to be distilled from first, if it is not there.
    pub(crate) source: Option<EmbedderSource>,
    /// How exactly the model multiplies.
    pub(crate) precision: Precision,
}

/// A sentence embedder that a static one is distilled from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EmbedderSource {
    /// As the settings or the user call it.
    pub(crate) name: String,
    pub(crate) place: ModelPlace,
}

/// Where the model of a name is: in the folder that the settings give a short name, in a folder, or on the hub.
pub(crate) fn place(
    name: &str,
    short_names: &BTreeMap<String, EmbedderSettings>,
    models_dir: &Path,
) -> ModelPlace {
    let Some(config) = short_names.get(name) else {
        return ModelPlace::of(name);
    };
    let folder = models_dir.join(&config.folder);
    match &config.hub {
        Some(hub) if !folder.is_dir() => ModelPlace::Hub(hub.clone()),
        _ => ModelPlace::Folder(folder),
    }
}

/// The name of the folder, under the models folder, of the static embedder that is distilled from a model.
pub(crate) fn folder_of_distilled(
    source: &str,
    short_names: &BTreeMap<String, EmbedderSettings>,
) -> String {
    let of_source = |it: &&EmbedderSettings| it.distilled_from.as_deref() == Some(source);
    match short_names.values().find(of_source) {
        Some(known) => known.folder.clone(),
        None => {
            let last = Path::new(source).file_name().unwrap_or_default();
            format!("static-{}", last.to_string_lossy())
        }
    }
}

impl Embedder {
    /// Finds what a name on the command line means: a short name, a folder, embeddings on disk, or a hub id, in this order.
    pub(crate) fn resolve(
        name: &str,
        short_names: &BTreeMap<String, EmbedderSettings>,
        models_dir: &Path,
        dir: &DatasetDir,
    ) -> anyhow::Result<Self> {
        let is_on_disk = |name: &str| {
            Part::ALL
                .iter()
                .all(|&part| dir.embeddings(name, part).is_file())
        };
        if let Some(config) = short_names.get(name) {
            // A local model comes before embeddings on disk, because only a model can replace those of an older version of the data set; the
            // hub comes last, so that nothing is downloaded as long as there are embeddings.
            let is_installed = models_dir.join(&config.folder).is_dir();
            let model = match !is_installed && is_on_disk(name) {
                true => None,
                false => Some(place(name, short_names, models_dir)),
            };
            let source = match &config.distilled_from {
                Some(source) if !is_installed && model.is_some() => Some(EmbedderSource {
                    name: source.clone(),
                    place: place(source, short_names, models_dir),
                }),
                _ => None,
            };
            return Ok(Self {
                name: name.parse::<FolderName>().map_err(bad_name)?.to_string(),
                model,
                source,
                precision: Precision::F32,
            });
        }
        match ModelPlace::of(name) {
            ModelPlace::Folder(folder) => {
                // A path such as `..` has no last part to name the embeddings after.
                if let Some(last) = folder.file_name() {
                    let last = last.to_string_lossy();
                    let name = last.parse().or_else(|_| FolderName::encode(&last));
                    return Ok(Self {
                        name: name.map_err(bad_name)?.to_string(),
                        model: Some(ModelPlace::Folder(folder.clone())),
                        source: None,
                        precision: Precision::F32,
                    });
                }
            }
            place if is_hub_id(name) => {
                return Ok(Self {
                    name: FolderName::encode(name).map_err(bad_name)?.to_string(),
                    model: Some(place),
                    source: None,
                    precision: Precision::F32,
                });
            }
            ModelPlace::Hub(_) => {
                // By their folder's name, or by the name of the server's model that made them.
                let names = [name.parse::<FolderName>(), FolderName::encode(name)];
                let on_disk = names
                    .into_iter()
                    .flatten()
                    .find(|it| is_on_disk(it.as_str()));
                if let Some(name) = on_disk {
                    return Ok(Self {
                        name: name.to_string(),
                        model: None,
                        source: None,
                        precision: Precision::F32,
                    });
                }
            }
        }
        let known: Vec<&str> = short_names.keys().map(String::as_str).collect();
        Err(usage_error(format!(
            "`{name}` is not an embedding: it is neither a name from the settings ({}), nor a folder, nor embeddings under `{}`, nor a hub \
             id of the form owner/name",
            known.join(", "),
            dir.root().join("embeddings").display()
        )))
    }
}

impl Embedder {
    /// The same in another precision than float32: its embeddings have a folder of their own. Token vectors stay as they are, since nothing multiplies
    /// them, and so do embeddings that were made elsewhere.
    pub(crate) fn in_precision(
        self,
        precision: Precision,
        dir: &DatasetDir,
    ) -> anyhow::Result<Self> {
        if precision.is_f32() || self.is_static()? {
            return Ok(self);
        }
        let name = format!("{}-{precision}", self.name);
        let name = name.parse::<FolderName>().map_err(bad_name)?.to_string();
        let is_on_disk = Part::ALL
            .iter()
            .all(|&part| dir.embeddings(&name, part).is_file());
        if self.model.is_none() && !is_on_disk {
            info!(
                "using the embeddings `{}` as they are: no model is known that could compute them in {precision}",
                self.name
            );
            return Ok(self);
        }
        Ok(Self {
            name,
            precision,
            ..self
        })
    }

    /// Whether it is known to be made of token vectors: a model on the hub that was not downloaded yet is not.
    fn is_static(&self) -> anyhow::Result<bool> {
        Ok(match &self.model {
            Some(ModelPlace::Folder(folder)) if folder.is_dir() => {
                StaticFiles::wanted(folder)?.is_some()
            }
            _ => self.source.is_some(),
        })
    }
}

fn bad_name(error: BadName) -> anyhow::Error {
    usage_error(format!("the embedding's name: {error}"))
}
