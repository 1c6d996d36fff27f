use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::{Result, Source, json};

/// `preds/<router>.json`: how predictions were made, and what it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunManifest {
    /// The data set.
    pub dataset: String,
    /// The router.
    pub router: String,
    /// The embedder, for routers that use one.
    pub embedder: Option<String>,
    /// Seed of everything random in the run, if anything is.
    pub seed: Option<u64>,
    /// Program and version.
    pub made_by: String,
    /// The parameters in force, defaults included.
    pub config: serde_json::Value,
    /// The files that went in.
    pub inputs: Vec<Source>,
    /// What was chosen or measured on the way: k and its cross-validation table, losses ...
    pub results: serde_json::Value,
    /// Wall time of each stage, in order.
    pub stages: Vec<Stage>,
    /// Peak resident memory of the whole process, where the system reports it.
    pub peak_memory_bytes: Option<u64>,
    /// Versions of what computes: libtorch, number of threads, device.
    pub environment: BTreeMap<String, String>,
}

/// One stage of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stage {
    /// What was done.
    pub name: String,
    /// How long it took.
    pub seconds: f64,
}

impl RunManifest {
    /// Reads `preds/<router>.json`.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Json`].
    pub fn read(path: &Path) -> Result<Self> {
        json::read(path)
    }

    /// Writes `preds/<router>.json` atomically.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        json::write(path, self)
    }
}
