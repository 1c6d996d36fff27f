use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Error, Result, Source, json};

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
    /// SHA-256 of the predictions' file, by which damage shows; versions before this key did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predictions_sha256: Option<String>,
    /// What computed: libtorch, device.
    pub environment: BTreeMap<String, String>,
    /// All that differs between two runs on the same input.
    pub timings: Timings,
}

/// What a run took. No other part of a manifest differs between two runs on the same input.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Timings {
    /// Wall time of each stage, in order.
    pub stages: Vec<Stage>,
    /// Peak resident memory of the whole process, where the system reports it.
    pub peak_memory_bytes: Option<u64>,
    /// The threads that this machine runs at a time, where the system reports it. Results do not depend on it, times do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_threads: Option<usize>,
    /// Other measurements, by name: seconds of a training, tokens per second.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other: BTreeMap<String, f64>,
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
        let mut manifest: Value = json::read(path)?;
        gather_timings(&mut manifest);
        serde_json::from_value(manifest).map_err(Error::json(path))
    }

    /// Writes `preds/<router>.json` atomically.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        json::write(path, self)
    }
}

/// Earlier versions had the parts of `timings` beside it.
fn gather_timings(manifest: &mut Value) {
    let Some(manifest) = manifest.as_object_mut() else {
        return;
    };
    let mut timings = Map::new();
    for key in ["stages", "peak-memory-bytes"] {
        if let Some(value) = manifest.remove(key) {
            timings.insert(key.to_owned(), value);
        }
    }
    if !timings.is_empty() {
        manifest.entry("timings").or_insert(Value::Object(timings));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn manifests_of_earlier_versions_can_be_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("mf.json");
        let manifest = RunManifest {
            dataset: "tiny".to_owned(),
            router: "mf".to_owned(),
            embedder: None,
            seed: Some(3),
            made_by: "a test".to_owned(),
            config: Value::Null,
            inputs: Vec::new(),
            results: Value::Null,
            predictions_sha256: None,
            environment: BTreeMap::new(),
            timings: Timings {
                stages: vec![Stage {
                    name: "fit".to_owned(),
                    seconds: 1.5,
                }],
                peak_memory_bytes: Some(7),
                ..Timings::default()
            },
        };
        manifest.write(&path).expect("written");
        assert_eq!(RunManifest::read(&path).expect("read"), manifest);

        let mut older: Value = json::read(&path).expect("read");
        let timings = older["timings"].take();
        let older_keys = older.as_object_mut().expect("an object");
        older_keys.remove("timings");
        older_keys.extend(timings.as_object().expect("an object").clone());
        fs::write(&path, older.to_string()).expect("written");
        assert_eq!(RunManifest::read(&path).expect("read"), manifest);
    }
}
