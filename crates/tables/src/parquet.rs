//! Parquet files of any writer. What a file says of its size is compared with what it holds before anything is allocated for it.

mod cells;
mod checks;
mod read;
mod shown_json;
mod stream;
mod write;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{Array as _, RecordBatch, cast::AsArray as _};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{
            ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
            ParquetRecordBatchReaderBuilder,
        },
    },
    errors::ParquetError,
};
use untrusted_files::{Budget, guard};

pub(crate) use self::{
    read::{read, read_chunks},
    shown_json::json_values,
    stream::Stream,
    write::ParquetWriter,
};
use crate::{Error, Result, files};

/// Rows of a batch: few enough that a batch of long prompts stays small in memory.
const ROWS_PER_BATCH: usize = 4096;

/// A Parquet file whose footer has been read, and whose number of rows has been found to be true.
#[derive(Debug)]
pub struct ParquetFile {
    path: PathBuf,
    file: Arc<File>,
    metadata: ArrowReaderMetadata,
    n_rows: usize,
    budget: Budget,
}

impl ParquetFile {
    /// Opens a file, with [`Budget::get`] as its budget.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::NotAFile`] or [`Error::Mistaken`] for what is no Parquet file; [`Error::Damaged`], [`Error::Parquet`] or
    /// [`Error::Panicked`] for a broken one; [`Error::OverBudget`] for one with more rows than memory can hold.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_within(path, Budget::get())
    }

    /// Opens a file that may take so much memory.
    ///
    /// # Errors
    /// As for [`ParquetFile::open`].
    pub fn open_within(path: &Path, budget: Budget) -> Result<Self> {
        let (mut file, start) = files::open(path)?;
        checks::magic(path, &mut file, &start)?;
        let file = Arc::new(file);
        let metadata = guarded(path, || {
            let plain = ArrowReaderMetadata::load(&*file, ArrowReaderOptions::new())?;
            Ok(with_views(&plain).unwrap_or(plain))
        })?;
        checks::compressions(path, metadata.metadata())?;
        let n_rows = checks::n_rows(path, &file, metadata.metadata(), budget)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            metadata,
            n_rows,
            budget,
        })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The columns as [`ParquetFile::batches`] gives them: texts as views, whatever type their writer gave them.
    pub fn schema(&self) -> &SchemaRef {
        self.metadata.schema()
    }

    /// A value of the footer.
    pub fn key_value(&self, key: &str) -> Option<&str> {
        let footer = self.metadata.metadata().file_metadata();
        let mut pairs = footer.key_value_metadata()?.iter();
        pairs.find(|pair| pair.key == key)?.value.as_deref()
    }

    /// Reads only these columns, batch by batch, in the file's order.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], and as for [`ParquetFile::batches_of_leaves`].
    pub fn batches(self, columns: &[&str]) -> Result<Batches> {
        let mut roots = Vec::new();
        for column in columns {
            // Before any page is read: the reader would leave a missing column out without a word.
            let Ok(index) = self.schema().index_of(column) else {
                return Err(Error::MissingColumn {
                    path: self.path,
                    column: (*column).to_owned(),
                });
            };
            roots.push(index);
        }
        // By index of the root column: a name may hold a dot, which Parquet takes for a path.
        let schema = self.metadata.parquet_schema();
        let is_wanted = |&leaf: &usize| roots.contains(&schema.get_column_root_idx(leaf));
        let leaves: Vec<usize> = (0..schema.num_columns()).filter(is_wanted).collect();
        self.batches_of_leaves(&leaves)
    }

    /// The paths of the columns that hold values, in the file's order. A field of a struct is one of them; the struct is not.
    pub fn leaves(&self) -> impl Iterator<Item = &[String]> {
        let columns = self.metadata.parquet_schema().columns().iter();
        columns.map(|column| column.path().parts())
    }

    /// Bytes that the column of this number among the [leaves](ParquetFile::leaves) takes in the file.
    pub fn n_bytes_of_leaf(&self, leaf: usize) -> u64 {
        let groups = self.metadata.metadata().row_groups().iter();
        let chunks = groups.filter_map(|group| group.columns().get(leaf));
        // Parquet stores sizes with a sign. A negative one comes from a damaged footer.
        chunks
            .map(|chunk| u64::try_from(chunk.compressed_size()).unwrap_or(0))
            .fold(0, u64::saturating_add)
    }

    /// Reads only the columns of these numbers among the [leaves](ParquetFile::leaves): of a struct, the fields that are wanted.
    ///
    /// # Errors
    /// [`Error::Damaged`] where a column's pages do not hold what the footer says; [`Error::OverBudget`] where they hold more than memory does;
    /// [`Error::Io`], [`Error::Parquet`] or [`Error::Panicked`].
    pub fn batches_of_leaves(self, leaves: &[usize]) -> Result<Batches> {
        self.batches_by(leaves, ROWS_PER_BATCH, None)
    }

    /// The same with so many rows a batch. Where there is a budget of one batch, each has to keep to it, and else all together to the file's.
    fn batches_by(
        self,
        leaves: &[usize],
        n_rows_per_batch: usize,
        budget_of_batch: Option<Budget>,
    ) -> Result<Batches> {
        checks::columns(
            &self.path,
            &self.file,
            self.metadata.metadata(),
            leaves,
            self.budget,
        )?;
        let file = self
            .file
            .try_clone()
            .map_err(Error::io("open", &self.path))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata);
        let mask = ProjectionMask::leaves(builder.parquet_schema(), leaves.iter().copied());
        let reader = guarded(&self.path, || {
            builder
                .with_projection(mask)
                .with_batch_size(n_rows_per_batch)
                .build()
        })?;
        Ok(Batches {
            path: self.path,
            reader: Some(reader),
            n_rows: self.n_rows,
            n_read: 0,
            n_bytes: 0,
            budget: budget_of_batch.unwrap_or(self.budget),
            is_kept: budget_of_batch.is_none(),
        })
    }
}

/// The batches of a file. They end with an error where the rows are not as many as the footer says, or hold more than memory does.
pub struct Batches {
    path: PathBuf,
    /// None once there is nothing more to read.
    reader: Option<ParquetRecordBatchReader>,
    n_rows: usize,
    n_read: usize,
    n_bytes: u64,
    budget: Budget,
    /// Whether earlier batches count as still being in memory.
    is_kept: bool,
}

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = self.reader.take()?;
        let step = guarded(&self.path, || {
            Ok(reader.next().transpose()?.map(|batch| (batch, reader)))
        });
        match step {
            Err(error) => Some(Err(error)),
            Ok(None) if self.n_read == self.n_rows => None,
            Ok(None) => Some(Err(self.wrong_number())),
            Ok(Some((batch, reader))) => {
                self.reader = Some(reader);
                Some(self.checked(batch))
            }
        }
    }
}

impl Batches {
    fn checked(&mut self, batch: RecordBatch) -> Result<RecordBatch> {
        self.n_read += batch.num_rows();
        let before = if self.is_kept { self.n_bytes } else { 0 };
        self.n_bytes = before + n_bytes(&batch);
        let fits = self.budget.check("its columns", self.n_bytes);
        if self.n_read > self.n_rows || fits.is_err() {
            self.reader = None;
        }
        fits.map_err(Error::over_budget(&self.path))?;
        if self.n_read > self.n_rows {
            return Err(self.wrong_number());
        }
        Ok(batch)
    }

    fn wrong_number(&self) -> Error {
        Error::Damaged {
            path: self.path.clone(),
            what: format!(
                "its footer says {} rows, and {} were read",
                self.n_rows, self.n_read
            ),
        }
    }
}

/// How many bytes the values take where each has a place of its own: one text of a dictionary may stand in every row.
fn n_bytes(batch: &RecordBatch) -> u64 {
    let columns = batch.columns().iter();
    let bytes = columns.map(|column| {
        let of_views = match column.data_type() {
            DataType::Utf8View => column.as_string_view().lengths().map(u64::from).sum(),
            DataType::BinaryView => column.as_binary_view().lengths().map(u64::from).sum(),
            _ => return column.get_array_memory_size() as u64,
        };
        let of_views: u64 = of_views;
        of_views + 16 * column.len() as u64
    });
    bytes.sum()
}

/// Runs the library's code on a file.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, ParquetError>) -> Result<T> {
    match guard(read) {
        Ok(outcome) => outcome.map_err(|source| Error::Parquet {
            path: path.to_owned(),
            source,
        }),
        Err(source) => Err(Error::Panicked {
            path: path.to_owned(),
            source,
        }),
    }
}

/// The same file with texts read as views. A text of a dictionary is then kept once, however many rows have it: a file of 20 kB can hold
/// a text of a megabyte in ten thousand rows.
fn with_views(plain: &ArrowReaderMetadata) -> Option<ArrowReaderMetadata> {
    let schema = plain.schema();
    let field = |field: &Arc<Field>| {
        let viewed = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
            DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
            DataType::Dictionary(_, values) if values.is_string() => DataType::Utf8View,
            _ => return Arc::clone(field),
        };
        Arc::new(field.as_ref().clone().with_data_type(viewed))
    };
    let fields: Vec<Arc<Field>> = schema.fields().iter().map(field).collect();
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    ArrowReaderMetadata::try_new(Arc::clone(plain.metadata()), options).ok()
}
