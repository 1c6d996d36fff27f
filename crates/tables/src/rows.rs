//! Tables of any length in memory that does not grow with them.

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use untrusted_files::Budget;

use crate::{
    Error, Files, Format, Result, Table, csv, jsonl,
    parquet::{ParquetFile, Stream},
    table::Kinds,
};

/// The longest row of a text file. One without line breaks, or with a quote that is never closed, would fill the memory.
pub(crate) const MAX_ROW: u64 = 64 << 20;
/// Rows of a text file that are held at a time end with the one that has reached so many bytes.
pub(crate) const MAX_CHUNK: usize = 16 << 20;

/// The rows of one file in their order, some at a time, with all that is needed to write them again as they are.
pub struct Rows {
    path: PathBuf,
    n_rows_per_chunk: usize,
    pub(crate) source: Source,
}

/// What is read.
pub(crate) enum Source {
    Parquet(Box<Stream>),
    JsonLines(jsonl::Lines),
    /// None for an empty file, which has no header.
    Csv(Option<Box<csv::Rows>>),
}

/// Some rows.
pub struct Chunk {
    /// The wanted columns of these rows, and the names of all.
    pub table: Table,
    /// How many rows of the file come before these.
    pub n_before: usize,
    pub(crate) held: Held,
}

/// The rows as they are in the file.
pub(crate) enum Held {
    Arrow(RecordBatch),
    /// Lines without the break at their end.
    Json(Vec<Vec<u8>>),
    /// The fields of the columns that have a name.
    Csv(Vec<Vec<Option<String>>>),
}

impl Rows {
    /// Opens a file, to be read by so many rows at a time. Its extension names its format.
    ///
    /// # Errors
    /// As for [`Files::find`]; [`Error::NotAFile`] for a folder; every [`Error`] of its header or footer.
    ///
    /// # Panics
    /// If the number of rows is 0.
    pub fn open(path: &Path, n_rows_per_chunk: usize) -> Result<Self> {
        assert!(n_rows_per_chunk > 0, "a chunk has rows");
        let is_folder = path.metadata().is_ok_and(|it| it.is_dir());
        if is_folder {
            return Err(Error::NotAFile {
                path: path.to_owned(),
                found: "a folder; give the files in it one by one",
            });
        }
        let budget = Budget::of(MAX_ROW);
        let source = match Files::find(path, None)?.format() {
            Format::Parquet => {
                // Of the whole file nothing is kept, so its size needs no limit.
                let file = ParquetFile::open_within(path, Budget::of(u64::MAX))?;
                Source::Parquet(Stream::open(file, n_rows_per_chunk)?.into())
            }
            Format::JsonLines => Source::JsonLines(jsonl::Lines::open(path, budget, false)?),
            Format::Csv { delimiter, escape } => {
                let rows = csv::Rows::open(path, delimiter, escape, budget, false)?;
                Source::Csv(rows.map(Box::new))
            }
        };
        Ok(Self {
            path: path.to_owned(),
            n_rows_per_chunk,
            source,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the columns, where the file says them before its rows: lines of JSON each have their own, and an empty CSV file has none.
    pub fn names(&self) -> Option<Vec<String>> {
        match &self.source {
            Source::Parquet(stream) => Some(stream.names().to_vec()),
            Source::JsonLines(_) | Source::Csv(None) => None,
            Source::Csv(Some(rows)) => Some(rows.names().cloned().collect()),
        }
    }

    /// The next rows, `None` at the end.
    ///
    /// # Errors
    /// Every [`Error`] of a row: each names the file, and the column and the row where there is one.
    pub fn next(&mut self, kinds: Kinds<'_>) -> Result<Option<Chunk>> {
        let chunk = match &mut self.source {
            Source::Parquet(stream) => return stream.next(kinds),
            Source::JsonLines(lines) => next_lines(lines, &self.path, self.n_rows_per_chunk, kinds),
            Source::Csv(None) => return Ok(None),
            Source::Csv(Some(rows)) => next_rows(rows, self.n_rows_per_chunk, kinds),
        }?;
        Ok((chunk.table.n_rows > 0).then_some(chunk))
    }
}

fn next_lines(
    lines: &mut jsonl::Lines,
    path: &Path,
    n_rows: usize,
    kinds: Kinds<'_>,
) -> Result<Chunk> {
    let n_before = lines.n_rows();
    let mut table = Table::of(path);
    let mut seen = std::collections::HashSet::new();
    let (mut held, mut n_bytes) = (Vec::new(), 0);
    let mut line = Vec::new();
    while held.len() < n_rows && n_bytes < MAX_CHUNK && lines.next(&mut line)? {
        jsonl::add(&mut table, &mut seen, lines.n_rows(), &line, kinds)?;
        n_bytes += line.len();
        held.push(line.trim_ascii().to_vec());
    }
    jsonl::fill(&mut table);
    Ok(Chunk {
        table,
        n_before,
        held: Held::Json(held),
    })
}

fn next_rows(rows: &mut csv::Rows, n_rows: usize, kinds: Kinds<'_>) -> Result<Chunk> {
    let n_before = rows.n_rows();
    let mut columns = rows.columns(kinds);
    let (mut held, mut n_bytes) = (Vec::new(), 0);
    while held.len() < n_rows && n_bytes < MAX_CHUNK && rows.next()? {
        rows.push_to(&mut columns)?;
        let texts = rows.texts()?;
        let lengths = texts.iter().flatten().map(String::len);
        n_bytes += lengths.sum::<usize>();
        held.push(texts);
    }
    Ok(Chunk {
        table: rows.table(columns, held.len()),
        n_before,
        held: Held::Csv(held),
    })
}
