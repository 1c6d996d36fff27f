//! Separated values with a header.

mod records;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use untrusted_files::Budget;

use self::records::{Record, Records};
use crate::{Error, Kind, Result, Table, table::Kinds, text};

/// Separators that people use, and spreadsheets where the comma is the decimal mark.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// A column that is read.
enum Column {
    Texts(Vec<Option<String>>),
    Numbers(Vec<f64>),
    /// Without a name in the header: it has to be empty, or count rows.
    Nameless,
    Unwanted,
}

/// A file behind its header, row by row.
pub(crate) struct Rows {
    path: PathBuf,
    records: Records,
    record: Record,
    /// Of all columns, empty where the header has no name.
    names: Vec<String>,
    delimiter: u8,
    escape: Option<u8>,
    n_rows: usize,
    has_warned: bool,
}

impl Rows {
    /// Reads the header; none in an empty file. The file has to fit in the budget as a whole where `is_whole`, and else row by row.
    pub(crate) fn open(
        path: &Path,
        delimiter: u8,
        escape: Option<u8>,
        budget: Budget,
        is_whole: bool,
    ) -> Result<Option<Self>> {
        let mut records = Records::open(path, delimiter, escape, budget, is_whole)?;
        let mut record = Record::default();
        if !records.next(&mut record)? {
            return Ok(None);
        }
        Ok(Some(Self {
            path: path.to_owned(),
            names: header(path, &record, delimiter)?,
            records,
            record,
            delimiter,
            escape,
            n_rows: 0,
            has_warned: false,
        }))
    }

    /// How many rows have been read.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The names of the columns that have one.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.names.iter().filter(|name| !name.is_empty())
    }

    /// Reads the next row that is not blank; false at the end.
    pub(crate) fn next(&mut self) -> Result<bool> {
        while self.records.next(&mut self.record)? {
            if self.record.is_blank() && self.names.len() > 1 {
                continue;
            }
            let row = self.n_rows + 1;
            if self.record.len() != self.names.len() {
                return Err(Error::FieldCount {
                    path: self.path.clone(),
                    row,
                    found: self.record.len(),
                    expected: self.names.len(),
                    has_backslash_quotes: self.records.has_backslash_quotes(),
                });
            }
            self.n_rows = row;
            if !self.has_warned && self.record.holds_rows(self.delimiter) {
                self.has_warned = true;
                tracing::warn!(
                    "row {row} of `{}` has a quoted field with lines that look like rows of the table; a quote may be missing",
                    self.path.display()
                );
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// How long the row is.
    pub(crate) fn n_bytes(&self) -> usize {
        (0..self.names.len())
            .map(|i| self.record.field(i).len())
            .sum()
    }

    /// The fields of the row as texts, of the columns that have a name.
    pub(crate) fn texts(&self) -> Result<Vec<Option<String>>> {
        let named = (0..self.names.len()).filter(|&i| !self.names[i].is_empty());
        named.map(|i| self.text(i)).collect()
    }

    /// A field of the row; `None` is null.
    fn text(&self, i: usize) -> Result<Option<String>> {
        let field = self.field(i)?;
        // MySQL and Hive, which escape, write null as an escaped letter.
        let is_none = field.is_empty() || self.escape.is_some() && field == "\\N";
        let is_null = is_none && !self.record.is_quoted(i);
        Ok((!is_null).then(|| field.to_owned()))
    }

    fn field(&self, i: usize) -> Result<&str> {
        let row = self.n_rows;
        text::utf8(&self.path, self.record.field(i), || format!("row {row}"))
    }

    /// What is read of the columns, which are empty yet. By position: looking up a name for every field would hash it once per row.
    pub(crate) fn columns(&self, kinds: Kinds<'_>) -> Columns {
        let kind = |name: &String| match kinds(name) {
            _ if name.is_empty() => Column::Nameless,
            Some(Kind::Text | Kind::Any) => Column::Texts(Vec::new()),
            Some(Kind::Number) => Column::Numbers(Vec::new()),
            None => Column::Unwanted,
        };
        Columns(self.names.iter().map(kind).collect())
    }

    /// Appends the row to the columns.
    pub(crate) fn push_to(&self, columns: &mut Columns) -> Result<()> {
        let row = self.n_rows;
        for (i, column) in columns.0.iter_mut().enumerate() {
            match column {
                Column::Texts(texts) => texts.push(self.text(i)?),
                Column::Numbers(numbers) => {
                    let name = &self.names[i];
                    numbers.push(text::number(&self.path, name, row, self.field(i)?)?);
                }
                Column::Nameless => check_nameless(&self.path, i, row, self.field(i)?)?,
                Column::Unwanted => {}
            }
        }
        Ok(())
    }

    /// The columns as a table of so many rows.
    pub(crate) fn table(&self, columns: Columns, n_rows: usize) -> Table {
        let mut table = Table::of(&self.path);
        table.n_rows = n_rows;
        for (name, column) in self.names.iter().zip(columns.0) {
            match column {
                Column::Texts(texts) => _ = table.texts.insert(name.clone(), texts),
                Column::Numbers(numbers) => _ = table.numbers.insert(name.clone(), numbers),
                Column::Nameless | Column::Unwanted => {}
            }
        }
        table.names = self.names().cloned().collect();
        table
    }
}

/// The columns of some rows.
pub(crate) struct Columns(Vec<Column>);

/// Reads a file.
pub(crate) fn read(
    path: &Path,
    delimiter: u8,
    escape: Option<u8>,
    kinds: Kinds<'_>,
    budget: Budget,
) -> Result<Table> {
    let Some(mut rows) = Rows::open(path, delimiter, escape, budget, true)? else {
        return Ok(Table::of(path));
    };
    let mut columns = rows.columns(kinds);
    while rows.next()? {
        rows.push_to(&mut columns)?;
    }
    let n_rows = rows.n_rows();
    Ok(rows.table(columns, n_rows))
}

/// The names of the columns; an empty one where a cell is empty.
fn header(path: &Path, record: &Record, delimiter: u8) -> Result<Vec<String>> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for i in 0..record.len() {
        let name = text::utf8(path, record.field(i), || "the header".to_owned())?.trim();
        if !name.is_empty() && !seen.insert(name.to_owned()) {
            return Err(Error::DuplicateColumn {
                path: path.to_owned(),
                column: name.to_owned(),
            });
        }
        names.push(name.to_owned());
    }
    let alone = names.first().filter(|_| names.len() == 1);
    let other = alone.and_then(|name| {
        let others = DELIMITERS.into_iter().filter(|&other| other != delimiter);
        let counts =
            others.map(|other| (name.bytes().filter(|&byte| byte == other).count(), other));
        counts.max().filter(|&(n, _)| n > 0)
    });
    if let (Some(name), Some((_, found))) = (alone, other) {
        return Err(Error::Delimiter {
            path: path.to_owned(),
            header: text::shortened(name).escape_debug().to_string(),
            expected: delimiter as char,
            found: found as char,
        });
    }
    Ok(names)
}

/// Spreadsheets leave empty columns behind, and pandas writes its row numbers as a first column without a name. Other values need a name.
fn check_nameless(path: &Path, i: usize, row: usize, field: &str) -> Result<()> {
    let field = field.trim();
    let is_row_number = i == 0 && field.parse::<u64>().is_ok();
    if field.is_empty() || is_row_number {
        return Ok(());
    }
    Err(Error::NamelessColumn {
        path: path.to_owned(),
        position: i + 1,
        row,
        found: text::shortened(field),
    })
}
