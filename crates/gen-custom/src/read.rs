//! The three formats, each read into the same [`Columns`].

mod csv;
mod frame;
mod jsonl;
mod parquet;

use std::path::Path;

use cli_support::usage_error;

use crate::{
    args::Format,
    columns::{Columns, Wanted},
};

/// The format that a file's extension names.
pub(crate) fn format_of(path: &Path) -> anyhow::Result<Format> {
    let extension = path
        .extension()
        .map(|text| text.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("csv") => Ok(Format::Csv),
        Some("jsonl" | "ndjson") => Ok(Format::Jsonl),
        Some("parquet" | "pq") => Ok(Format::Parquet),
        _ => Err(usage_error(format!(
            "the extension of `{}` is not one of .csv, .jsonl, .parquet; name the format with --format",
            path.display()
        ))),
    }
}

/// Reads the wanted columns of a file.
pub(crate) fn read(path: &Path, format: Format, wanted: Wanted<'_>) -> anyhow::Result<Columns> {
    match format {
        Format::Csv => csv::read(path, wanted),
        Format::Jsonl => jsonl::read(path, wanted),
        Format::Parquet => parquet::read(path, wanted),
    }
}
