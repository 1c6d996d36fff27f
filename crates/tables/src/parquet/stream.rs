use std::path::PathBuf;

use arrow_schema::SchemaRef;
use parquet::{
    arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions},
    file::metadata::KeyValue,
    schema::types::SchemaDescPtr,
};
use untrusted_files::Budget;

use super::{Batches, ParquetFile, guarded, read};
use crate::{
    Result, Table,
    rows::{Chunk, Held},
    table::Kinds,
};

/// All columns of a file, some rows at a time.
pub(crate) struct Stream {
    path: PathBuf,
    names: Vec<String>,
    batches: Batches,
    n_read: usize,
    pub(super) written: Written,
}

/// What the file's writer said of its columns, of which a copy should say the same.
#[derive(Debug, Clone)]
pub(super) struct Written {
    /// As batches have them: texts as views.
    pub(super) as_read: SchemaRef,
    /// As the writer had them.
    pub(super) as_written: SchemaRef,
    pub(super) in_file: SchemaDescPtr,
    pub(super) key_values: Vec<KeyValue>,
}

impl Stream {
    pub(crate) fn open(file: ParquetFile, n_rows_per_chunk: usize) -> Result<Self> {
        let names = read::names(&file.path, file.schema())?;
        let metadata = file.metadata.metadata();
        let footer = metadata.file_metadata();
        let plain = guarded(&file.path, || {
            ArrowReaderMetadata::try_new(metadata.clone(), ArrowReaderOptions::new())
        })?;
        let written = Written {
            as_read: file.schema().clone(),
            as_written: plain.schema().clone(),
            in_file: footer.schema_descr_ptr(),
            key_values: footer.key_value_metadata().cloned().unwrap_or_default(),
        };
        let leaves: Vec<usize> = (0..written.in_file.num_columns()).collect();
        Ok(Self {
            path: file.path.clone(),
            names,
            // Of what is read, each batch has to fit by itself.
            batches: file.batches_by(&leaves, n_rows_per_chunk, Some(Budget::get()))?,
            n_read: 0,
            written,
        })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The next rows, `None` at the end.
    pub(crate) fn next(&mut self, kinds: Kinds<'_>) -> Result<Option<Chunk>> {
        // Files of some writers have row groups without rows.
        let batch = loop {
            match self.batches.next().transpose()? {
                Some(batch) if batch.num_rows() == 0 => {}
                Some(batch) => break batch,
                None => return Ok(None),
            }
        };
        let mut table = Table::of(&self.path);
        table.names.clone_from(&self.names);
        read::add_columns(&mut table, kinds);
        let n_before = self.n_read;
        read::extend(&mut table, &batch, n_before, kinds)?;
        self.n_read += batch.num_rows();
        Ok(Some(Chunk {
            table,
            n_before,
            held: Held::Arrow(batch),
        }))
    }
}
