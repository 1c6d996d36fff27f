//! Rows of a table written again, each with more columns behind its own.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use arrow_array::RecordBatch;

use crate::{
    Cell, CellType, Chunk, Error, Format, NewColumn, Place, Result, Rows,
    cell::push_text,
    jsonl,
    parquet::{ParquetWriter, json_values},
    rows::{Held, Source},
};

/// Writes the rows of a table with new columns, as Parquet or as lines of JSON.
///
/// What was there stays as it was: of Parquet the types, of lines of JSON every byte up to the brace at their end. CSV has only text, so its
/// columns become text.
pub struct TableWriter<W: Write + Send> {
    path: PathBuf,
    input: PathBuf,
    new: Vec<NewColumn>,
    form: Form<W>,
}

enum Form<W: Write + Send> {
    JsonLines(W),
    /// Rows of another Parquet file.
    Parquet(ParquetWriter<W>),
    /// Rows of a text file, whose columns are made here.
    ParquetOfText {
        writer: ParquetWriter<W>,
        columns: Vec<NewColumn>,
        n_own: usize,
    },
}

impl<W: Write + Send> TableWriter<W> {
    /// Begins the file at `path`, whose extension names its format, on `out`. Its rows will be those of `rows`. In Parquet, `key_values` go into
    /// the footer.
    ///
    /// # Errors
    /// [`Error::OutputFormat`]; [`Error::TakenColumn`] where the table has one of the new columns; [`Error::NotPassed`] for lines of JSON that
    /// do not make columns; [`Error::WriteParquet`].
    pub fn create(
        out: W,
        path: &Path,
        rows: &Rows,
        new: Vec<NewColumn>,
        key_values: &[(String, String)],
    ) -> Result<Self> {
        check_names(rows.path(), &rows.names().unwrap_or_default(), &new)?;
        let form = match (output_format(path)?, &rows.source) {
            (Format::Parquet, Source::Parquet(stream)) => {
                let stream = Some(&**stream);
                Form::Parquet(ParquetWriter::create(out, path, stream, &new, key_values)?)
            }
            (Format::Parquet, source) => {
                let mut columns = match source {
                    Source::JsonLines(_) => jsonl::columns::columns(rows.path())?,
                    _ => {
                        let names = rows.names().unwrap_or_default().into_iter();
                        names
                            .map(|name| NewColumn::new(name, CellType::Text))
                            .collect()
                    }
                };
                let names: Vec<String> = columns.iter().map(|it| it.name.clone()).collect();
                check_names(rows.path(), &names, &new)?;
                let n_own = columns.len();
                columns.extend_from_slice(&new);
                Form::ParquetOfText {
                    writer: ParquetWriter::create(out, path, None, &columns, key_values)?,
                    columns,
                    n_own,
                }
            }
            _ => Form::JsonLines(out),
        };
        Ok(Self {
            path: path.to_owned(),
            input: rows.path().to_owned(),
            new,
            form,
        })
    }

    /// Writes rows with their values of the new columns: for each column, one value per row.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::WriteParquet`]; [`Error::TakenColumn`] or [`Error::NotPassed`] for what only the rows show.
    ///
    /// # Panics
    /// If there are more or fewer columns or values, or one is of another type.
    pub fn write(&mut self, chunk: &Chunk, cells: Vec<Vec<Cell>>) -> Result<()> {
        assert_eq!(cells.len(), self.new.len(), "values of each new column");
        for cells in &cells {
            assert_eq!(cells.len(), chunk.table.n_rows, "a value for each row");
        }
        match &mut self.form {
            Form::JsonLines(out) => {
                check_names(&self.input, &chunk.table.names, &self.new)?;
                let mut text = String::new();
                let rows = objects(chunk)?;
                for (row, object) in rows.into_iter().enumerate() {
                    push_row(&object, &self.new, &cells, row, &mut text);
                }
                let done = out.write_all(text.as_bytes());
                done.map_err(Error::io("write", &self.path))
            }
            Form::Parquet(writer) => match &chunk.held {
                Held::Arrow(batch) => writer.write(Some(batch), &self.new, &cells),
                _ => unreachable!("the writer was made for the rows of a Parquet file"),
            },
            Form::ParquetOfText {
                writer,
                columns,
                n_own,
            } => {
                let mut all = own_cells(&self.input, chunk, &columns[..*n_own])?;
                all.extend(cells);
                writer.write(None, columns, &all)
            }
        }
    }

    /// Writes what remains, and gives back what was written to.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::WriteParquet`].
    pub fn finish(self) -> Result<W> {
        match self.form {
            Form::JsonLines(mut out) => {
                let flushed: io::Result<()> = out.flush();
                flushed.map_err(Error::io("write", &self.path))?;
                Ok(out)
            }
            Form::Parquet(writer) | Form::ParquetOfText { writer, .. } => writer.finish(),
        }
    }
}

/// The format of a file that is to be written, by its extension.
///
/// # Errors
/// [`Error::OutputFormat`].
pub fn output_format(path: &Path) -> Result<Format> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // What is compressed by its name would not be.
    let is_plain = [".gz", ".zst", ".zstd", ".bz2", ".xz", ".zip"]
        .iter()
        .all(|end| !name.to_ascii_lowercase().ends_with(end));
    match Format::of(path) {
        Some(format @ (Format::Parquet | Format::JsonLines)) if is_plain => Ok(format),
        _ => Err(Error::OutputFormat {
            path: path.to_owned(),
        }),
    }
}

fn check_names(input: &Path, names: &[String], new: &[NewColumn]) -> Result<()> {
    match new.iter().find(|column| names.contains(&column.name)) {
        None => Ok(()),
        Some(column) => Err(Error::TakenColumn {
            path: input.to_owned(),
            column: column.name.clone(),
        }),
    }
}

/// The rows as objects of JSON.
fn objects(chunk: &Chunk) -> Result<Vec<Vec<u8>>> {
    match &chunk.held {
        Held::Json(lines) => Ok(lines.clone()),
        Held::Arrow(batch) => objects_of(batch, chunk),
        Held::Csv(rows) => {
            let object = |fields: &Vec<Option<String>>| {
                let mut json = "{".to_owned();
                for (i, (name, field)) in chunk.table.names.iter().zip(fields).enumerate() {
                    push_key(i, name, &mut json);
                    match field {
                        Some(text) => push_text(text, &mut json),
                        None => json.push_str("null"),
                    }
                }
                (json + "}").into_bytes()
            };
            Ok(rows.iter().map(object).collect())
        }
    }
}

fn objects_of(batch: &RecordBatch, chunk: &Chunk) -> Result<Vec<Vec<u8>>> {
    let mut rows = vec!["{".to_owned(); batch.num_rows()];
    for (i, (field, array)) in batch
        .schema()
        .fields()
        .iter()
        .zip(batch.columns())
        .enumerate()
    {
        let place = Place {
            path: &chunk.table.path,
            column: field.name(),
            n_before: chunk.n_before,
        };
        for (row, value) in rows.iter_mut().zip(json_values(place, array)?) {
            push_key(i, field.name(), row);
            *row += &value;
        }
    }
    Ok(rows
        .into_iter()
        .map(|row| (row + "}").into_bytes())
        .collect())
}

fn push_key(i: usize, name: &str, json: &mut String) {
    if i > 0 {
        json.push(',');
    }
    push_text(name, json);
    json.push(':');
}

/// An object with its values of the new columns put before the brace that ends it, as a line.
fn push_row(object: &[u8], new: &[NewColumn], cells: &[Vec<Cell>], row: usize, text: &mut String) {
    let object = str::from_utf8(object).expect("the reader refuses what is no UTF-8");
    let inner = object.trim_end().strip_suffix('}');
    let inner = inner.expect("the reader refuses what is no object");
    let is_empty = inner.trim().trim_start_matches('{').trim().is_empty();
    text.push_str(inner);
    let first = usize::from(!is_empty);
    for (i, (column, cells)) in new.iter().zip(cells).enumerate() {
        push_key(first + i, &column.name, text);
        cells[row].push_json(&column.cell_type, text);
    }
    text.push_str("}\n");
}

/// The rows of a text file as cells, column by column.
fn own_cells(input: &Path, chunk: &Chunk, columns: &[NewColumn]) -> Result<Vec<Vec<Cell>>> {
    let text = |field: &Option<String>| field.clone().map_or(Cell::Null, Cell::Text);
    match &chunk.held {
        Held::Json(lines) => jsonl::columns::cells(input, chunk.n_before, lines, columns),
        Held::Csv(rows) => {
            let column = |i: usize| rows.iter().map(|fields| text(&fields[i])).collect();
            Ok((0..columns.len()).map(column).collect())
        }
        Held::Arrow(_) => unreachable!("the writer was made for the rows of a text file"),
    }
}
