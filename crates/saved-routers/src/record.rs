use std::{collections::BTreeSet, path::Path};

use dataset::{CostKind, ModelInfo, Pair, Precision, Truncate, atomic, check_model_name, json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Contents, Error, Result, SavedFile, TokenLines, contents::Contradiction, files};

/// The version of the format that this crate reads and writes.
pub const FORMAT_VERSION: u32 = 1;

/// `router.json`: what a saved router is, and what it was made from. Holds no date, so that the same fit gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Record {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The router, by its name in train-and-infer.
    pub router: String,
    /// The data set.
    pub dataset: String,
    /// SHA-256 of the train part that it was fitted on.
    pub train_sha256: String,
    /// The LLMs with their prices, in the order of every output.
    pub models: Vec<ModelInfo>,
    /// What has to be predicted to know a cost.
    pub cost_kind: CostKind,
    /// The two LLMs that a binary router chooses between.
    pub pair: Option<Pair>,
    /// What makes the embeddings that the router predicts from, unless it reads prompts itself.
    pub embedder: Option<Embedder>,
    /// What the LLMs bill for a prompt, by the tokens of its text; none where nothing could count them. Versions before this key did not
    /// record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_lines: Option<TokenLines>,
    /// The network that training started from, for networks.
    pub base: Option<Base>,
    /// What lies beside this file.
    pub contents: Contents,
    /// The parameters in force, defaults included.
    pub config: Value,
    /// What was chosen or measured in the fit.
    pub results: Value,
    /// Program and version that wrote it.
    pub made_by: String,
    /// The other files of the folder, which writing the record fills in; versions before this key did not record them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<SavedFile>,
}

/// What turned prompts into embeddings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Embedder {
    /// Its name under `data/<dataset>/embeddings/`.
    pub name: String,
    /// The folder or hub id of its model, if one was known.
    pub model: Option<String>,
    /// SHA-256 over its model's files, if one was known.
    pub sha256: Option<String>,
    /// The server that computed them, if one did and it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Length of an embedding.
    pub dim: usize,
    /// Which part of prompts that are too long is cut off; none where the model's files decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncate: Option<Truncate>,
    /// How exactly its model multiplies.
    #[serde(default, skip_serializing_if = "Precision::is_f32")]
    pub precision: Precision,
    /// The license that its model card states.
    pub license: Option<String>,
}

/// The network that training started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Base {
    /// The folder or hub id.
    pub model: String,
    /// SHA-256 of its weights.
    pub sha256: String,
    /// The license that its model card states.
    pub license: Option<String>,
}

pub(crate) const RECORD: &str = "router.json";
/// The key of the config that lists changes of the LLMs.
pub(crate) const EDITS: &str = "edits";

impl Record {
    /// Reads and checks `router.json` in a folder.
    ///
    /// # Errors
    /// [`Error::NoRouter`], [`Error::FormatVersion`], [`Error::BadRecord`], or [`Error::Dataset`] when it cannot be read as JSON.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = atomic::set_aside(folder).join(RECORD);
        if !path.is_file() {
            return Err(Error::NoRouter {
                folder: folder.to_owned(),
            });
        }
        let record: Self = json::read_versioned(&path, FORMAT_VERSION)?;
        record.check(&path)?;
        Ok(record)
    }

    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(RECORD);
        let this = Self {
            files: files::of(folder)?,
            ..self.clone()
        };
        this.check(&path)?;
        Ok(json::write(&path, &this)?)
    }

    /// Whether costs are computed from tokens and prices, rather than predicted in dollars. False for a router of a pair, which predicts none.
    pub fn needs_prices(&self) -> bool {
        self.contents.needs_prices()
    }

    /// Whether its LLMs were changed after the fit, see [`crate::PoolEdit`]. If so, `edits` in its config lists the changes.
    pub fn is_edited(&self) -> bool {
        self.config.get(EDITS).is_some()
    }

    /// Refuses a record whose parts contradict each other.
    fn check(&self, path: &Path) -> Result<()> {
        let bad = |key, found: String, expected: &str| {
            Err(Error::BadRecord {
                path: path.to_owned(),
                key,
                found,
                expected: expected.to_owned(),
            })
        };
        for model in &self.models {
            check_model_name(path, &model.name)?;
        }
        files::check_names(path, &self.files)?;
        // LLMs are asked for by name. With a name twice it would be open whose numbers are meant.
        let names: BTreeSet<&str> = self.models.iter().map(|model| &*model.name).collect();
        if names.is_empty() || names.len() != self.models.len() {
            let found = format!("a list of {}", self.models.len());
            return bad("models", found, "at least one LLM, without duplicates");
        }
        if let Some(pair) = &self.pair {
            for name in [&pair.small, &pair.large] {
                if !names.contains(&**name) {
                    return bad("pair", format!("with `{name}`"), "two of `models`");
                }
            }
        }
        match &self.embedder {
            // Without the embedder's name nobody could make embeddings that these weights understand.
            None if !self.contents.reads_prompts() => {
                return bad(
                    "embedder",
                    "absent".to_owned(),
                    "what made the router's embeddings",
                );
            }
            Some(embedder) if embedder.dim == 0 => {
                return bad("dim", "0".to_owned(), "at least 1");
            }
            _ => {}
        }
        if self.contents.needs_pair() && self.pair.is_none() {
            let expected = "the LLMs that a binary router chooses between";
            return bad("pair", "absent".to_owned(), expected);
        }
        match self.contents.contradiction() {
            Some(Contradiction {
                key,
                found,
                expected,
            }) => bad(key, found, expected),
            None => Ok(()),
        }
    }
}
