//! Separated values with a header.

mod records;

use std::{collections::HashSet, path::Path};

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

/// Reads a file.
pub(crate) fn read(
    path: &Path,
    delimiter: u8,
    escape: Option<u8>,
    kinds: Kinds<'_>,
    budget: Budget,
) -> Result<Table> {
    let mut records = Records::open(path, delimiter, escape, budget)?;
    let mut table = Table::of(path);
    let mut record = Record::default();
    if !records.next(&mut record)? {
        return Ok(table);
    }
    let names = header(path, &record, delimiter)?;
    let kind = |name: &String| match kinds(name) {
        _ if name.is_empty() => Column::Nameless,
        Some(Kind::Text | Kind::Any) => Column::Texts(Vec::new()),
        Some(Kind::Number) => Column::Numbers(Vec::new()),
        None => Column::Unwanted,
    };
    // By the position of the column: looking up its name for every field would hash it once per row.
    let mut columns: Vec<Column> = names.iter().map(kind).collect();
    let mut has_warned = false;
    while records.next(&mut record)? {
        let row = table.n_rows + 1;
        if record.is_blank() && names.len() > 1 {
            continue;
        }
        if record.len() != names.len() {
            return Err(Error::FieldCount {
                path: path.to_owned(),
                row,
                found: record.len(),
                expected: names.len(),
                has_backslash_quotes: records.has_backslash_quotes(),
            });
        }
        for (i, column) in columns.iter_mut().enumerate() {
            let field = || text::utf8(path, record.field(i), || format!("row {row}"));
            match column {
                Column::Texts(texts) => {
                    let field = field()?;
                    // MySQL and Hive, which escape, write null as an escaped letter.
                    let is_none = field.is_empty() || escape.is_some() && field == "\\N";
                    let is_null = is_none && !record.is_quoted(i);
                    texts.push((!is_null).then(|| field.to_owned()));
                }
                Column::Numbers(numbers) => {
                    numbers.push(text::number(path, &names[i], row, field()?)?);
                }
                Column::Nameless => check_nameless(path, i, row, field()?)?,
                Column::Unwanted => {}
            }
        }
        table.n_rows = row;
        if !has_warned && record.holds_rows(delimiter) {
            has_warned = true;
            tracing::warn!(
                "row {row} of `{}` has a quoted field with lines that look like rows of the table; a quote may be missing",
                path.display()
            );
        }
    }
    for (name, column) in names.iter().zip(columns) {
        match column {
            Column::Texts(texts) => _ = table.texts.insert(name.clone(), texts),
            Column::Numbers(numbers) => _ = table.numbers.insert(name.clone(), numbers),
            Column::Nameless | Column::Unwanted => {}
        }
    }
    table.names = names.into_iter().filter(|name| !name.is_empty()).collect();
    Ok(table)
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
