mod batch;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use dataset::{Error as DatasetError, Field};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    file::metadata::ParquetMetaData,
};

use self::batch::Batch;
use crate::rows::Rows;

/// Rows decoded at a time.
const ROWS_PER_BATCH: usize = 4096;
const TEXTS: [&str; 3] = ["key", "dataset", "prompt"];
/// An LLM's numbers as the source names them, and what they are.
const NUMBERS: [(&str, Field); 3] = [
    ("score", Field::Score),
    ("num_input_tokens", Field::InputTokens),
    ("num_output_tokens", Field::OutputTokens),
];

/// One file of a part, whose footer has been read.
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
                // Its group would have the name of a column of texts, and whatever looks for one by name would find the other.
                ensure!(
                    !TEXTS.contains(&model.as_str()),
                    "`{}` has an LLM called `{model}`, which is the name of a column of texts; rename the LLM",
                    path.display()
                );
                models.push(model.clone());
            }
        }
        let mut leaves = Vec::new();
        for name in TEXTS {
            // The whole path counts: a field of some LLM could have the same name.
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
                // Parquet stores sizes with a sign. A negative one comes from a damaged footer, and here only a log message is at stake.
                let n_bytes = u64::try_from(column.compressed_size()).unwrap_or_default();
                bytes.all += n_bytes;
                if self.leaves.contains(&i) {
                    bytes.read += n_bytes;
                }
            }
        }
        bytes
    }

    /// Adds the rows to others, of these LLMs in this order. The answers are neither read nor decoded.
    ///
    /// polars would do the rest of this program's work, but takes a group of columns whole or not at all.
    pub(crate) fn read(self, models: &[String], rows: &mut Rows) -> anyhow::Result<()> {
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
        let n_before = rows.keys.len();
        for batch in reader {
            let batch = batch.with_context(|| cannot_read(&path))?;
            let batch = Batch {
                path: &path,
                first_row: rows.keys.len() - n_before,
                columns: &batch,
            };
            batch.read(models, rows)?;
        }
        Ok(())
    }
}

fn column_name(model: &str, field: &str) -> String {
    format!("{model}.{field}")
}

fn cannot_read(path: &Path) -> String {
    format!("cannot read `{}` as Parquet", path.display())
}
