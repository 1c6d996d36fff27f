use std::path::{Component, Path, PathBuf};

use dataset::{sha256_bytes, sha256_file};
use encoder::{Error, Result, read_json};
use serde::Deserialize;

const MODULES: &str = "modules.json";
pub(crate) const CONFIG: &str = "config.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
/// The class of static embeddings in sentence-transformers, whose layout Model2Vec writes.
const CLASS: &str = "StaticEmbedding";
/// What config.json of a folder that has no modules.json calls itself.
const MODEL_TYPE: &str = "model2vec";

/// The files of a static embedder in one folder: as Model2Vec writes them, or sentence-transformers, in whose layout they may be in a folder of their
/// own.
///
/// Source: model2vec 0.10, `persistence`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticFiles {
    folder: PathBuf,
    pub(crate) weights: PathBuf,
    pub(crate) tokenizer: PathBuf,
}

/// An entry of modules.json.
#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    class: String,
    #[serde(default)]
    path: String,
}

/// What config.json says.
#[derive(Deserialize)]
struct Config {
    model_type: Option<String>,
}

impl StaticFiles {
    /// Finds a static embedder's files; `None` in a folder that holds another kind of model, or none.
    ///
    /// # Errors
    /// [`Error::MissingFile`]; [`Error::Unsupported`] for steps other than normalization after the embeddings; [`Error::OutsideFolder`];
    /// [`Error::Mistaken`] or [`Error::Dataset`] for a file that cannot be read.
    pub fn find(folder: &Path) -> Result<Option<Self>> {
        let Some(inner) = inner_folder(folder)? else {
            return Ok(None);
        };
        let files = folder.join(inner);
        for file in [WEIGHTS, TOKENIZER] {
            if !files.join(file).is_file() {
                return Err(Error::MissingFile {
                    folder: files,
                    file: file.to_owned(),
                });
            }
        }
        Ok(Some(Self {
            folder: folder.to_owned(),
            weights: files.join(WEIGHTS),
            tokenizer: files.join(TOKENIZER),
        }))
    }

    /// What a downloader must fetch of a static embedder in a folder of which it has modules.json or config.json, by names relative to the
    /// folder; `None` where that is of another kind.
    ///
    /// # Errors
    /// As [`StaticFiles::find`], but for [`Error::MissingFile`].
    pub fn wanted(folder: &Path) -> Result<Option<Vec<String>>> {
        let inner = inner_folder(folder)?;
        let name = |inner: &Path, file: &str| inner.join(file).to_string_lossy().replace('\\', "/");
        Ok(inner.map(|inner| [WEIGHTS, TOKENIZER].map(|file| name(&inner, file)).into()))
    }

    /// One SHA-256 over all files that determine the vectors, in lower-case hexadecimal; where the folder lies does not matter. config.json is not
    /// among them, as nothing in it does.
    ///
    /// # Errors
    /// [`Error::Dataset`] when one cannot be read.
    pub fn sha256(&self) -> Result<String> {
        let mut listing = String::new();
        for path in [&self.weights, &self.tokenizer] {
            let name = path.strip_prefix(&self.folder).unwrap_or(path);
            let name = name.to_string_lossy().replace('\\', "/");
            listing += &format!("{}  {name}\n", sha256_file(path)?);
        }
        Ok(sha256_bytes(listing.as_bytes()))
    }
}

/// The folder of a static embedder's files, relative to the model's.
fn inner_folder(folder: &Path) -> Result<Option<PathBuf>> {
    let path = folder.join(MODULES);
    if !path.is_file() {
        let config = folder.join(CONFIG);
        if !config.is_file() {
            return Ok(None);
        }
        let Config { model_type } = read_json(&config)?;
        return Ok((model_type.as_deref() == Some(MODEL_TYPE)).then(PathBuf::new));
    }
    let modules: Vec<Module> = read_json(&path)?;
    let Some((first, rest)) = modules.split_first() else {
        return Ok(None);
    };
    if class(&first.class) != Some(CLASS) {
        return Ok(None);
    }
    if let Some(other) = rest.iter().find(|it| class(&it.class) != Some("Normalize")) {
        return Err(Error::Unsupported {
            path,
            key: "type",
            found: other.class.clone(),
            supported: "`Normalize` of sentence_transformers after `StaticEmbedding`".to_owned(),
        });
    }
    // `.` is the model's own folder, as Model2Vec writes it.
    let mut inner = PathBuf::new();
    for component in Path::new(&first.path).components() {
        match component {
            Component::Normal(part) => inner.push(part),
            Component::CurDir => {}
            _ => {
                return Err(Error::OutsideFolder {
                    path,
                    found: first.path.clone(),
                });
            }
        }
    }
    Ok(Some(inner))
}

/// The last part of the name of a class of sentence-transformers. Others' classes are code, whatever they are called.
fn class(name: &str) -> Option<&str> {
    name.strip_prefix("sentence_transformers.")?
        .rsplit('.')
        .next()
}
