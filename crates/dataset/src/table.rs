//! Parquet in and out, with errors that name the file. Everything above works with plain vectors and matrices.

use std::{collections::HashSet, ops::Range, path::Path, path::PathBuf, sync::Arc};

use arrow_array::{
    ArrayRef, FixedSizeListArray, Float32Array, Float64Array, RecordBatch, StringArray, UInt32Array,
};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use ndarray::{ArrayView2, ArrayViewMut1};
use parquet::{
    arrow::ArrowWriter,
    basic::{Compression, ZstdLevel},
    file::{metadata::KeyValue, properties::WriterProperties},
};
use tables::{ParquetFile, Place};
use untrusted_files::Budget;

use crate::{AtomicFile, Error, Result};

/// Rows of a row group, and so the most that a reader has to hold of one column besides its result.
const ROWS_PER_GROUP: usize = 32_768;

/// Bytes of a column of texts that are handed to the Parquet writer at a time. It counts them in 32 bits, in a batch as in a page.
pub(crate) const MAX_TEXT_BYTES: usize = 64 << 20;

/// Bytes of the longest text that is written: half of what the format can count.
const LONGEST_TEXT: usize = 1 << 30;

/// Writes record batches to a file that appears when [`TableWriter::finish`] is called.
pub(crate) struct TableWriter {
    path: PathBuf,
    schema: SchemaRef,
    writer: ArrowWriter<AtomicFile>,
    n_rows: usize,
}

impl TableWriter {
    pub(crate) fn create(
        path: &Path,
        schema: SchemaRef,
        key_values: &[(&str, String)],
    ) -> Result<Self> {
        let key_values = key_values
            .iter()
            .map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()))
            .collect();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
            // By default the library writes its own version here, and the same rows would give other bytes after an update.
            .set_created_by(format!("carrot {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(key_values))
            .build();
        let writer = ArrowWriter::try_new(
            AtomicFile::create(path)?,
            Arc::clone(&schema),
            Some(properties),
        )
        .map_err(Error::parquet(path))?;
        Ok(Self {
            path: path.to_owned(),
            schema,
            writer,
            n_rows: 0,
        })
    }

    /// The path that the finished file will have.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn write(&mut self, columns: Vec<ArrayRef>) -> Result<()> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|source| {
            Error::Arrow {
                path: self.path.clone(),
                source,
            }
        })?;
        self.n_rows += batch.num_rows();
        self.writer
            .write(&batch)
            .map_err(Error::parquet(&self.path))
    }

    /// Adds a pair to the footer, for what is known only after the rows are.
    pub(crate) fn add_key_value(&mut self, key: &str, value: String) {
        self.writer
            .append_key_value_metadata(KeyValue::new(key.to_owned(), value));
    }

    /// Writes the footer, makes the file durable and gives it its name. Returns the number of rows.
    pub(crate) fn finish(self) -> Result<usize> {
        self.writer
            .into_inner()
            .map_err(Error::parquet(&self.path))?
            .commit()?;
        Ok(self.n_rows)
    }
}

/// A Parquet file whose footer has been read, of whatever writer.
pub(crate) struct TableReader {
    file: ParquetFile,
}

impl TableReader {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = ParquetFile::open(path)?;
        let mut names = HashSet::new();
        for field in file.schema().fields() {
            // Columns are found by name, so the second one could never be read.
            if !names.insert(field.name()) {
                let (path, column) = (path.to_owned(), field.name().clone());
                return Err(tables::Error::DuplicateColumn { path, column }.into());
            }
        }
        Ok(Self { file })
    }

    /// Opens a table and refuses one without rows.
    pub(crate) fn open_filled(path: &Path) -> Result<Self> {
        let reader = Self::open(path)?;
        match reader.n_rows() {
            0 => Err(Error::Empty {
                path: path.to_owned(),
            }),
            _ => Ok(reader),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.file.n_rows()
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        self.file.schema()
    }

    pub(crate) fn has(&self, column: &str) -> bool {
        self.schema().column_with_name(column).is_some()
    }

    pub(crate) fn key_value(&self, key: &str) -> Option<&str> {
        self.file.key_value(key)
    }

    /// Refuses a table whose rows would take more than the memory budget where they are kept: a few bytes can declare any number of rows.
    pub(crate) fn check_size(&self, bytes_per_row: usize) -> Result<()> {
        let n_bytes = (self.n_rows() as u64).saturating_mul(bytes_per_row as u64);
        let fits = Budget::get().check(format!("{} rows", self.n_rows()), n_bytes);
        fits.map_err(|source| Error::OverBudget {
            path: self.path().to_owned(),
            source,
        })
    }

    /// Reads only these columns, batch by batch.
    pub(crate) fn batches(self, columns: &[&str]) -> Result<Batches> {
        Ok(Batches {
            path: self.path().to_owned(),
            batches: self.file.batches(columns)?,
            first_row: 0,
        })
    }
}

/// The batches of a file, each with the number of its first row.
pub(crate) struct Batches {
    path: PathBuf,
    batches: tables::Batches,
    first_row: usize,
}

impl Iterator for Batches {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.batches.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(error.into())),
        };
        let first_row = self.first_row;
        self.first_row += batch.num_rows();
        Some(Ok(Batch {
            path: self.path.clone(),
            batch,
            first_row,
        }))
    }
}

/// Some rows of some columns.
pub(crate) struct Batch {
    path: PathBuf,
    batch: RecordBatch,
    /// From 0.
    pub(crate) first_row: usize,
}

impl Batch {
    pub(crate) fn n_rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// A column, and where it stands.
    fn column<'a>(&'a self, name: &'a str) -> Result<(Place<'a>, &'a ArrayRef)> {
        let place = Place {
            path: &self.path,
            column: name,
            n_before: self.first_row,
        };
        let array = self.batch.column_by_name(name);
        let array = array.ok_or_else(|| Error::MissingColumn {
            path: self.path.clone(),
            column: name.to_owned(),
        })?;
        Ok((place, array))
    }

    /// Appends a text column, which may have no nulls.
    pub(crate) fn extend_text(&self, name: &str, into: &mut Vec<String>) -> Result<()> {
        let (place, array) = self.column(name)?;
        let mut texts = Vec::with_capacity(array.len());
        tables::extend_texts(place, array, &mut texts)?;
        for (i, text) in texts.into_iter().enumerate() {
            into.push(text.ok_or_else(|| Error::NullValue {
                path: self.path.clone(),
                column: name.to_owned(),
                row: self.first_row + i + 1,
            })?);
        }
        Ok(())
    }

    fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let (place, array) = self.column(name)?;
        let mut numbers = Vec::with_capacity(array.len());
        tables::extend_numbers(place, array, &mut numbers)?;
        Ok(numbers)
    }

    /// Copies a number column into a column of a matrix; null becomes NaN.
    pub(crate) fn copy_f32(&self, name: &str, mut into: ArrayViewMut1<'_, f32>) -> Result<()> {
        for (to, from) in into.iter_mut().zip(self.numbers(name)?) {
            *to = from as f32;
        }
        Ok(())
    }

    /// Copies a number column into a column of a matrix; null becomes NaN.
    pub(crate) fn copy_f64(&self, name: &str, mut into: ArrayViewMut1<'_, f64>) -> Result<()> {
        for (to, from) in into.iter_mut().zip(self.numbers(name)?) {
            *to = from;
        }
        Ok(())
    }

    /// Appends vectors of one length, `dim`, which the first one sets.
    pub(crate) fn extend_vectors(
        &self,
        name: &str,
        dim: &mut Option<usize>,
        into: &mut Vec<f32>,
    ) -> Result<()> {
        let (place, array) = self.column(name)?;
        Ok(tables::extend_vectors(place, array, dim, into)?)
    }
}

/// A text column without nulls.
pub(crate) fn text_field(name: &str) -> Field {
    Field::new(name, DataType::Utf8, false)
}

/// A text column's values.
pub(crate) fn text_array(values: &[String]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// A nullable float32 column's values; NaN becomes null.
pub(crate) fn f32_array(values: impl Iterator<Item = f32>) -> ArrayRef {
    Arc::new(
        values
            .map(|value| (!value.is_nan()).then_some(value))
            .collect::<Float32Array>(),
    )
}

/// A nullable float64 column's values; NaN becomes null.
pub(crate) fn f64_array(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(
        values
            .map(|value| (!value.is_nan()).then_some(value))
            .collect::<Float64Array>(),
    )
}

/// A nullable count column's values; NaN becomes null.
pub(crate) fn u32_array(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(
        values
            .map(|value| (!value.is_nan()).then_some(value as u32))
            .collect::<UInt32Array>(),
    )
}

/// The type of an embedding column.
pub(crate) fn list_type(dim: usize) -> DataType {
    DataType::FixedSizeList(
        Arc::new(Field::new("item", DataType::Float32, false)),
        dim as i32,
    )
}

/// The rows of a matrix as fixed-size lists.
pub(crate) fn list_array(path: &Path, rows: ArrayView2<'_, f32>) -> Result<ArrayRef> {
    let values: Float32Array = rows.iter().copied().collect::<Vec<f32>>().into();
    let item = Arc::new(Field::new("item", DataType::Float32, false));
    let list = FixedSizeListArray::try_new(
        item,
        rows.ncols() as i32,
        Arc::new(values),
        None::<NullBuffer>,
    )
    .map_err(|source| Error::Arrow {
        path: path.to_owned(),
        source,
    })?;
    Ok(Arc::new(list))
}

/// Cuts rows into blocks, none of which has more than `max_bytes` in a column of texts unless it is one row.
///
/// # Errors
/// [`Error::LongText`] for one text that is longer than any batch may be.
pub(crate) fn text_blocks(
    path: &Path,
    texts: &[(&str, &[String])],
    max_bytes: usize,
) -> Result<Vec<Range<usize>>> {
    let n_rows = texts.first().map_or(0, |(_, text)| text.len());
    let mut blocks = Vec::new();
    let mut first = 0;
    let mut n_bytes = vec![0; texts.len()];
    for row in 0..n_rows {
        for ((column, text), n_bytes) in texts.iter().zip(&mut n_bytes) {
            let len = text[row].len();
            if len > LONGEST_TEXT {
                return Err(Error::LongText {
                    path: path.to_owned(),
                    column: (*column).to_owned(),
                    row: row + 1,
                    n_bytes: len,
                    limit: LONGEST_TEXT,
                });
            }
            *n_bytes += len;
        }
        if row > first && n_bytes.iter().any(|&n| n > max_bytes) {
            blocks.push(first..row);
            first = row;
            for ((_, text), n_bytes) in texts.iter().zip(&mut n_bytes) {
                *n_bytes = text[row].len();
            }
        }
    }
    if first < n_rows {
        blocks.push(first..n_rows);
    }
    Ok(blocks)
}

/// A schema from its fields.
pub(crate) fn schema(fields: Vec<Field>) -> SchemaRef {
    Arc::new(Schema::new(fields))
}

/// Refuses a table with a duplicate id.
pub(crate) fn check_unique_ids(path: &Path, ids: &[String]) -> Result<()> {
    let mut first_rows = std::collections::HashMap::with_capacity(ids.len());
    for (i, id) in ids.iter().enumerate() {
        if let Some(first) = first_rows.insert(id.as_str(), i) {
            return Err(Error::DuplicateId {
                path: path.to_owned(),
                id: id.clone(),
                first_row: first + 1,
                row: i + 1,
            });
        }
    }
    Ok(())
}
