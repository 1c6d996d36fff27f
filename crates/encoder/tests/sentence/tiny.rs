//! Folders made from the golden tiny BERT.

use std::{
    fs,
    path::{Path, PathBuf},
};

use encoder::{Embedded, Error, ModelFiles, PromptEmbedder, SentenceEmbedder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::common::golden;

/// A folder in the layout of version 2, with room for changes.
pub(crate) struct Folder {
    root: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self {
            root: tempfile::tempdir().unwrap(),
        };
        let tiny = golden("tiny-bert");
        for file in [
            "config.json",
            "model.safetensors",
            "tokenizer.json",
            "sentence_bert_config.json",
            "1_Pooling/config.json",
        ] {
            folder.write(file, &fs::read(tiny.join(file)).unwrap());
        }
        folder.write_json(
            "modules.json",
            &modules(&[("Transformer", ""), ("Pooling", "1_Pooling")]),
        );
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.file(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    pub(crate) fn write_json(&self, name: &str, value: &Value) {
        self.write(name, value.to_string().as_bytes());
    }

    /// Sets a key of a JSON object; `null` removes it.
    pub(crate) fn set(&self, name: &str, key: &str, value: Value) {
        let mut object = match self.file(name).exists() {
            true => serde_json::from_slice(&self.read(name)).unwrap(),
            false => json!({}),
        };
        object[key] = value;
        self.write_json(name, &object);
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.file(name)).unwrap();
    }

    pub(crate) fn load(&self) -> Result<SentenceEmbedder, Error> {
        SentenceEmbedder::load(&ModelFiles::in_folder(self.path())?)
    }

    /// What is said of a folder that cannot be used, with all causes.
    pub(crate) fn error(&self) -> String {
        let error = self.load().map(|_| ()).unwrap_err();
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text += &format!(": {cause}");
            source = cause.source();
        }
        text
    }
}

/// modules.json as versions before 5.4 write it, by classes and folders.
pub(crate) fn modules(steps: &[(&str, &str)]) -> Value {
    let step = |(idx, (class, path)): (usize, &(&str, &str))| {
        let class = format!("sentence_transformers.models.{class}");
        json!({"idx": idx, "name": idx.to_string(), "path": path, "type": class})
    };
    steps.iter().enumerate().map(step).collect()
}

pub(crate) fn embed(embedder: &SentenceEmbedder, prompts: &[String]) -> Embedded {
    embedder.embed(prompts, &|_| ()).unwrap()
}
