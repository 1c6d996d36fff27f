use std::path::Path;

use anyhow::Context as _;
use dataset::{Truncate, sha256_file};
use serde::Serialize;
use tables::ParquetFile;

use super::args::OnError;
use crate::{local_model::LocalModel, setup::ModelSetup};

/// The key in the footer of an output.
const KEY: &str = "carrot.embedded-from";

/// All that decides what an output holds.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct MadeFrom {
    input_sha256: String,
    embedder_sha256: String,
    truncate: Option<Truncate>,
    on_error: OnError,
    made_by: &'static str,
}

/// What is known of an output before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// There is none.
    Nothing,
    /// Of the same input by the same embedder, with so many rows.
    Same { n_rows: usize },
    /// Made by `embed`, of something else or by another embedder.
    Other,
    /// Something that `embed` has not made.
    Foreign,
}

impl MadeFrom {
    pub(super) fn of(
        input: &Path,
        model: &LocalModel,
        setup: ModelSetup,
        on_error: OnError,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            input_sha256: sha256_file(input)?,
            embedder_sha256: model.sha256().to_owned(),
            truncate: setup.truncate,
            on_error,
            made_by: concat!("train-and-infer ", env!("CARGO_PKG_VERSION")),
        })
    }

    /// As it is kept.
    pub(super) fn json(&self) -> anyhow::Result<String> {
        serde_json::to_string(self).context("cannot record what embeddings are made from")
    }

    /// The pair for the footer of an output.
    pub(super) fn key_value(&self) -> anyhow::Result<(String, String)> {
        Ok((KEY.to_owned(), self.json()?))
    }

    /// What lies where an output is to be.
    pub(super) fn find(&self, output: &Path) -> anyhow::Result<Found> {
        if !output.try_exists()? {
            return Ok(Found::Nothing);
        }
        // What cannot be read is not an output: those appear when they are whole.
        let Ok(file) = ParquetFile::open(output) else {
            return Ok(Found::Foreign);
        };
        Ok(match file.key_value(KEY) {
            None => Found::Foreign,
            Some(found) if found == self.json()? => Found::Same {
                n_rows: file.n_rows(),
            },
            Some(_) => Found::Other,
        })
    }
}
