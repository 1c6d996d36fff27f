use std::path::{Path, PathBuf};

use dataset::{sha256_bytes, sha256_file};

use crate::{Error, Result};

/// The files of a sentence-transformers model, in whatever folder each lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// `config.json`, the encoder's shape.
    pub config: PathBuf,
    /// `model.safetensors`, the encoder's weights.
    pub weights: PathBuf,
    /// `tokenizer.json`, as the tokenizers library writes it.
    pub tokenizer: PathBuf,
    /// `1_Pooling/config.json`, how tokens' vectors become one; without it their mean is taken.
    pub pooling: Option<PathBuf>,
    /// `sentence_bert_config.json`, the longest text.
    pub sentence_bert: Option<PathBuf>,
    /// `modules.json`, the list of steps.
    pub modules: Option<PathBuf>,
}

/// Whether a model can do without a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// There is no model without it.
    Required,
    /// It has a default.
    Optional,
}

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const TOKENIZER: &str = "tokenizer.json";
const POOLING: &str = "1_Pooling/config.json";
const SENTENCE_BERT: &str = "sentence_bert_config.json";
const MODULES: &str = "modules.json";

impl ModelFiles {
    /// What a downloader must fetch, by names relative to the model's folder.
    pub const FILES: &[(&str, Need)] = &[
        (CONFIG, Need::Required),
        (WEIGHTS, Need::Required),
        (TOKENIZER, Need::Required),
        (POOLING, Need::Optional),
        (SENTENCE_BERT, Need::Optional),
        (MODULES, Need::Optional),
    ];

    /// Finds the files under their usual names.
    ///
    /// # Errors
    /// [`Error::MissingFile`] when a required one is not there.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let optional = |file| Some(folder.join(file)).filter(|path| path.is_file());
        let required = |file| {
            optional(file).ok_or_else(|| Error::MissingFile {
                folder: folder.to_owned(),
                file,
            })
        };
        Ok(Self {
            config: required(CONFIG)?,
            weights: required(WEIGHTS)?,
            tokenizer: required(TOKENIZER)?,
            pooling: optional(POOLING),
            sentence_bert: optional(SENTENCE_BERT),
            modules: optional(MODULES),
        })
    }

    /// One SHA-256 over all files that determine the vectors, in lower-case hexadecimal; where they lie does not matter.
    ///
    /// # Errors
    /// [`Error::Dataset`] when one cannot be read.
    pub fn sha256(&self) -> Result<String> {
        let Self {
            config,
            weights,
            tokenizer,
            pooling,
            sentence_bert,
            modules,
        } = self;
        let files = [
            (CONFIG, Some(config)),
            (WEIGHTS, Some(weights)),
            (TOKENIZER, Some(tokenizer)),
            (POOLING, pooling.as_ref()),
            (SENTENCE_BERT, sentence_bert.as_ref()),
            (MODULES, modules.as_ref()),
        ];
        let mut listing = String::new();
        for (name, path) in files {
            if let Some(path) = path {
                listing += &format!("{}  {name}\n", sha256_file(path)?);
            }
        }
        Ok(sha256_bytes(listing.as_bytes()))
    }
}
