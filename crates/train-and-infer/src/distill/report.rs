use std::path::PathBuf;

use serde::Serialize;

/// The result of a distillation.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Report {
    pub(super) status: Status,
    /// The static embedder's folder.
    pub(super) folder: PathBuf,
    /// SHA-256 over its files, as routers on its embeddings record it.
    pub(super) sha256: String,
    /// The sentence embedder that it was distilled from.
    pub(super) source: String,
    pub(super) source_sha256: String,
    pub(super) license: Option<String>,
    pub(super) seconds: f64,
}

/// Whether a static embedder is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// Made in this run.
    Made,
    /// Made earlier of the same model with the same settings.
    Kept,
}

impl Report {
    /// For people.
    pub(super) fn text(&self) -> String {
        let (folder, source) = (self.folder.display(), &self.source);
        let how = match self.status {
            Status::Made => format!("distilled from {source} in {:.1} s", self.seconds),
            Status::Kept => {
                format!("distilled from {source}, kept from an earlier run; --force makes it again")
            }
        };
        let license = self
            .license
            .as_deref()
            .unwrap_or("not stated by the model card");
        format!(
            "{folder}: {how}\n  licence of {source}: {license}\n\
             next: cargo run -p train-and-infer -- --dataset NAME --embedding {folder}\n"
        )
    }
}
