//! Tables as pandas, polars, DuckDB, Spark, Excel and databases write them, through the public interface.

mod csv;
mod folders;
mod jsonl;
mod mutations;
mod parquet;
mod rows;
mod sample;
mod shown;
mod vectors;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use ::parquet::{arrow::ArrowWriter, file::properties::WriterProperties};
use arrow_array::{ArrayRef, RecordBatch};
use tables::{Files, Format, Kind, Result, Table};
use tempfile::TempDir;

/// A folder of tables.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("created");
        fs::write(&path, bytes).expect("written");
        path
    }
}

/// `id`, `prompt` and `task` are text; `score`, `cost` and `<model>/...` numbers; anything else is left alone.
fn kind(column: &str) -> Option<Kind> {
    match column {
        "id" | "prompt" | "task" => Some(Kind::Text),
        "score" | "cost" => Some(Kind::Number),
        _ => column.contains('/').then_some(Kind::Number),
    }
}

fn read(path: &Path) -> Result<Table> {
    read_as(path, None)
}

fn read_as(path: &Path, format: Option<Format>) -> Result<Table> {
    Table::read(&Files::find(path, format)?, &kind)
}

/// The message and its causes.
fn refused(path: &Path) -> String {
    told(read(path).expect_err("to be refused"))
}

fn told(error: tables::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    text
}

fn texts(table: &Table, column: &str) -> Vec<Option<String>> {
    table.texts[column].clone()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|&text| Some(text.to_owned())).collect()
}

/// NaN as none, to be compared.
fn numbers(table: &Table, column: &str) -> Vec<Option<f64>> {
    let numbers = table.numbers[column].iter();
    numbers
        .map(|&number| (!number.is_nan()).then_some(number))
        .collect()
}

/// A Parquet file in memory.
fn parquet_of(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    parquet_with(columns, WriterProperties::builder().build())
}

fn parquet_with(columns: Vec<(&str, ArrayRef)>, properties: WriterProperties) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    );
    let batch = batch.expect("columns of one length");
    let mut bytes = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("written");
    bytes
}

fn strings(texts: &[&str]) -> ArrayRef {
    Arc::new(arrow_array::StringArray::from(texts.to_vec()))
}
