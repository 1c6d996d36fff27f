use std::{
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use arrow_array::{Array as _, RecordBatch, cast::AsArray as _};
use dataset::{Error as DatasetError, Field};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    file::metadata::ParquetMetaData,
};

use crate::numbers::{numbers, texts};

/// Rows decoded at a time.
const ROWS_PER_BATCH: usize = 4096;
const TEXTS: [&str; 3] = ["key", "dataset", "prompt"];
/// An LLM's numbers as the source names them, and what they are.
const NUMBERS: [(&str, Field); 3] = [
    ("score", Field::Score),
    ("num_input_tokens", Field::InputTokens),
    ("num_output_tokens", Field::OutputTokens),
];

/// One file of a part, of which the footer was read.
pub(crate) struct Shard {
    pub(crate) path: PathBuf,
    /// The LLMs in the file's order.
    pub(crate) models: Vec<String>,
    builder: ParquetRecordBatchReaderBuilder<File>,
    /// The columns that are read, by their numbers among all that hold values.
    leaves: Vec<usize>,
}

/// How much of a file is read, in bytes as they lie on disk.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bytes {
    pub(crate) read: u64,
    pub(crate) all: u64,
}

/// The rows of one file.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) keys: Vec<String>,
    pub(crate) datasets: Vec<String>,
    pub(crate) prompts: Vec<String>,
    /// In the order asked for.
    pub(crate) models: Vec<ModelRows>,
}

/// One LLM in the rows of one file; NaN where null.
#[derive(Debug, Clone, Default)]
pub(crate) struct ModelRows {
    pub(crate) scores: Vec<f64>,
    pub(crate) input_tokens: Vec<f64>,
    pub(crate) output_tokens: Vec<f64>,
}

impl Shard {
    /// Reads the footer, and finds the columns. An LLM is a group of columns with a `score`.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
        // Arrow's own types may be stored beside Parquet's. Without them text is of one type, whatever wrote it.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .with_context(|| cannot_read(path))?;
        let columns = builder.parquet_schema().columns().iter();
        let columns: Vec<&[String]> = columns.map(|column| column.path().parts()).collect();
        let missing = |column: String| DatasetError::MissingColumn {
            path: path.to_owned(),
            column,
        };

        let mut models = Vec::new();
        for parts in &columns {
            if let [model, field] = parts
                && field == NUMBERS[0].0
            {
                models.push(model.clone());
            }
        }
        let mut leaves = Vec::new();
        for name in TEXTS {
            let found = columns.iter().position(|parts| **parts == [name]);
            leaves.push(found.ok_or_else(|| missing(name.to_owned()))?);
        }
        for model in &models {
            for (field, _) in NUMBERS {
                let found = columns.iter().position(
                    |parts| matches!(parts, [root, leaf] if root == model && leaf == field),
                );
                leaves.push(found.ok_or_else(|| missing(column_name(model, field)))?);
            }
        }
        ensure!(
            !models.is_empty(),
            "`{}` has no LLM: each is a group of columns {}",
            path.display(),
            NUMBERS
                .map(|(field, _)| format!("`MODEL.{field}`"))
                .join(", ")
        );
        Ok(Self {
            path: path.to_owned(),
            models,
            builder,
            leaves,
        })
    }

    pub(crate) fn bytes(&self) -> Bytes {
        let metadata: &ParquetMetaData = self.builder.metadata();
        let mut bytes = Bytes::default();
        for group in metadata.row_groups() {
            for (i, column) in group.columns().iter().enumerate() {
                let n_bytes = u64::try_from(column.compressed_size()).unwrap_or_default();
                bytes.all += n_bytes;
                if self.leaves.contains(&i) {
                    bytes.read += n_bytes;
                }
            }
        }
        bytes
    }

    /// Reads the rows, of these LLMs in this order. The answers are neither read nor decoded.
    ///
    /// polars would do the rest of this program's work, but takes a group of columns whole or not at all.
    pub(crate) fn read(self, models: &[String]) -> anyhow::Result<Rows> {
        let Self {
            path,
            builder,
            leaves,
            ..
        } = self;
        let mask = ProjectionMask::leaves(builder.parquet_schema(), leaves);
        let reader = builder
            .with_projection(mask)
            .with_batch_size(ROWS_PER_BATCH)
            .build()
            .with_context(|| cannot_read(&path))?;
        let mut rows = Rows {
            models: vec![ModelRows::default(); models.len()],
            ..Rows::default()
        };
        for batch in reader {
            let batch = batch.with_context(|| cannot_read(&path))?;
            let batch = Batch {
                path: &path,
                first_row: rows.keys.len(),
                columns: &batch,
            };
            rows.keys.extend(batch.texts("key")?);
            rows.datasets.extend(batch.texts("dataset")?);
            rows.prompts.extend(batch.texts("prompt")?);
            for (model, into) in models.iter().zip(&mut rows.models) {
                let numbers = |(name, field)| batch.numbers(model, name, field);
                let [score, input_tokens, output_tokens] = NUMBERS;
                into.scores.extend(numbers(score)?);
                into.input_tokens.extend(numbers(input_tokens)?);
                into.output_tokens.extend(numbers(output_tokens)?);
            }
        }
        Ok(rows)
    }
}

/// Some rows of a file.
struct Batch<'a> {
    path: &'a Path,
    first_row: usize,
    columns: &'a RecordBatch,
}

impl Batch<'_> {
    fn texts(&self, name: &str) -> anyhow::Result<Vec<String>> {
        let array = self.columns.column_by_name(name);
        let array = array.expect("`Shard::open` found the column");
        let values = texts(array).ok_or_else(|| DatasetError::ColumnType {
            path: self.path.to_owned(),
            column: name.to_owned(),
            expected: "text".to_owned(),
            found: array.data_type().to_string(),
        })?;
        let value = |(i, value): (usize, Option<String>)| {
            value.ok_or_else(|| DatasetError::NullValue {
                path: self.path.to_owned(),
                column: name.to_owned(),
                row: self.first_row + i + 1,
            })
        };
        Ok(values
            .into_iter()
            .enumerate()
            .map(value)
            .collect::<Result<_, _>>()?)
    }

    fn numbers(&self, model: &str, name: &str, field: Field) -> anyhow::Result<Vec<f64>> {
        let group = self.columns.column_by_name(model);
        let group = group
            .and_then(|group| group.as_struct_opt())
            .expect("`Shard::open` found a group of columns");
        let array = group
            .column_by_name(name)
            .expect("`Shard::open` found the column");
        let mut values = numbers(array).ok_or_else(|| DatasetError::ColumnType {
            path: self.path.to_owned(),
            column: column_name(model, name),
            expected: "numbers".to_owned(),
            found: array.data_type().to_string(),
        })?;
        for (i, value) in values.iter_mut().enumerate() {
            // A group that is null has values below it all the same, of no meaning.
            if group.is_null(i) {
                *value = f64::NAN;
            }
            ensure!(
                field.admits(*value),
                DatasetError::OutOfRange {
                    path: self.path.to_owned(),
                    column: column_name(model, name),
                    row: self.first_row + i + 1,
                    value: *value,
                    expected: field.range(),
                }
            );
        }
        Ok(values)
    }
}

fn column_name(model: &str, field: &str) -> String {
    format!("{model}.{field}")
}

fn cannot_read(path: &Path) -> String {
    format!("cannot read `{}` as Parquet", path.display())
}
