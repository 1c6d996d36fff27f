//! Writes rows as Parquet: those of a Parquet file with the types and the remarks that their writer gave them.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use parquet::{
    arrow::{
        ARROW_SCHEMA_META_KEY, ArrowSchemaConverter, ArrowWriter, arrow_writer::ArrowWriterOptions,
        encode_arrow_schema,
    },
    basic::{Compression, ZstdLevel},
    errors::ParquetError,
    file::{metadata::KeyValue, properties::WriterProperties},
    schema::types::{SchemaDescriptor, Type},
};
use untrusted_files::Budget;

use super::{cells, n_bytes, stream::Stream, stream::Written};
use crate::{Cell, Error, NewColumn, Result};

/// Rows of a row group at the most.
const ROWS_PER_GROUP: usize = 32_768;
/// Bytes of a row group, which is held in memory until it is written.
const BYTES_PER_GROUP: usize = 64 << 20;
/// Bytes that are handed to the library at a time. It counts them in 32 bits.
const MAX_BATCH: u64 = 64 << 20;
/// Bytes of the largest row: half of what the format can count.
const MAX_ROW: u64 = 1 << 30;

/// Writes a file. Its rows are those of another Parquet file, or all of its columns are new.
pub(crate) struct ParquetWriter<W: Write + Send> {
    path: PathBuf,
    schema: SchemaRef,
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Begins a file. `key_values` go into its footer, after those of the file that rows are from.
    pub(crate) fn create(
        out: W,
        path: &Path,
        from: Option<&Stream>,
        new: &[NewColumn],
        key_values: &[(String, String)],
    ) -> Result<Self> {
        let new: Vec<Arc<Field>> = new
            .iter()
            .map(|column| Arc::new(cells::field(&column.name, &column.cell_type)))
            .collect();
        let written = from.map(|stream| &stream.written);
        let schema = with_fields(written.map(|it| &it.as_read), &new);
        let shown = with_fields(written.map(|it| &it.as_written), &new);
        let kept = written.map_or(&[][..], |it| &it.key_values);
        let kept = kept.iter().filter(|pair| {
            pair.key != ARROW_SCHEMA_META_KEY && !key_values.iter().any(|(key, _)| *key == pair.key)
        });
        let own = key_values
            .iter()
            .map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        // What the columns are to Arrow's readers, which not every type of Parquet says: texts are views only here.
        let arrow = KeyValue::new(
            ARROW_SCHEMA_META_KEY.to_owned(),
            encode_arrow_schema(&shown),
        );
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
            .set_max_row_group_bytes(Some(BYTES_PER_GROUP))
            .set_coerce_types(true)
            // By default the library writes its own version here, and the same rows would give other bytes after an update.
            .set_created_by(format!("carrot {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(kept.cloned().chain(own).chain([arrow]).collect()))
            .build();
        let begin = || {
            let options = ArrowWriterOptions::new()
                .with_properties(properties)
                .with_skip_arrow_metadata(true)
                .with_parquet_schema(in_file(written, &schema)?);
            ArrowWriter::try_new_with_options(out, Arc::clone(&schema), options)
        };
        Ok(Self {
            writer: begin().map_err(cannot_write(path))?,
            path: path.to_owned(),
            schema,
        })
    }

    /// Writes rows: columns of the other file, then the new ones.
    pub(crate) fn write(
        &mut self,
        batch: Option<&RecordBatch>,
        new: &[NewColumn],
        cells: &[Vec<Cell>],
    ) -> Result<()> {
        let kept = batch.map_or(&[][..], RecordBatch::columns);
        let array = |(column, cells): (&NewColumn, &Vec<Cell>)| {
            cells::array(&column.cell_type, &cells.iter().collect::<Vec<_>>())
        };
        let new = new.iter().zip(cells).map(array);
        let columns: Vec<ArrayRef> = kept.iter().cloned().chain(new).collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        let batch = batch.map_err(|error| cannot_write(&self.path)(error.into()))?;
        self.write_batch(&batch)
    }

    fn write_batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let (n_rows, n_bytes) = (batch.num_rows(), n_bytes(batch));
        if n_bytes > MAX_BATCH && n_rows > 1 {
            let half = n_rows / 2;
            self.write_batch(&batch.slice(0, half))?;
            return self.write_batch(&batch.slice(half, n_rows - half));
        }
        if n_rows == 1 {
            Budget::of(MAX_ROW)
                .check("one of its rows", n_bytes)
                .map_err(Error::over_budget(&self.path))?;
        }
        self.writer.write(batch).map_err(cannot_write(&self.path))
    }

    /// Writes the footer.
    pub(crate) fn finish(self) -> Result<W> {
        self.writer.into_inner().map_err(cannot_write(&self.path))
    }
}

fn with_fields(schema: Option<&SchemaRef>, new: &[Arc<Field>]) -> SchemaRef {
    let Some(schema) = schema else {
        return Arc::new(Schema::new(new.to_vec()));
    };
    let fields: Vec<Arc<Field>> = schema.fields().iter().chain(new).cloned().collect();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}

/// The types in the file: those of the other file where values are stored in the same way, so that JSON stays JSON and UUIDs stay UUIDs,
/// which Arrow has no types for.
fn in_file(written: Option<&Written>, schema: &Schema) -> Result<SchemaDescriptor, ParquetError> {
    let converter = ArrowSchemaConverter::new().with_coerce_types(true);
    let converted = converter.convert(schema)?;
    let Some(written) = written else {
        return Ok(converted);
    };
    let root = written.in_file.root_schema();
    let originals = root.get_fields();
    let fields = converted.root_schema().get_fields().iter().enumerate();
    let fields = fields.map(|(i, field)| match originals.get(i) {
        Some(original) if is_stored_alike(original, field) => Arc::clone(original),
        _ => Arc::clone(field),
    });
    let root = Type::group_type_builder(root.name()).with_fields(fields.collect());
    Ok(SchemaDescriptor::new(Arc::new(root.build()?)))
}

fn is_stored_alike(a: &Type, b: &Type) -> bool {
    let length = |ty: &Type| match ty {
        Type::PrimitiveType { type_length, .. } => Some(*type_length),
        Type::GroupType { .. } => None,
    };
    length(a).is_some()
        && length(a) == length(b)
        && a.get_physical_type() == b.get_physical_type()
        && a.get_basic_info().repetition() == b.get_basic_info().repetition()
}

fn cannot_write(path: &Path) -> impl FnOnce(ParquetError) -> Error {
    let path = path.to_owned();
    move |source| Error::WriteParquet { path, source }
}
