use std::{collections::HashSet, path::Path, str};

use anyhow::{Context as _, bail};
use csv::{ByteRecord, ErrorKind, ReaderBuilder};

use crate::columns::{Columns, Kind, Wanted, checked_number};

/// What some programs write before the header of a UTF-8 file.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Reads a CSV file with a header. Fields come as bytes, so that a message can name the field that is not UTF-8 or not a number.
pub(crate) fn read(path: &Path, wanted: Wanted<'_>) -> anyhow::Result<Columns> {
    let what = || format!("cannot read `{}`", path.display());
    let mut reader = ReaderBuilder::new()
        // The header is read like any row: as bytes, and with its duplicates, which the reader would let pass.
        .has_headers(false)
        .from_path(path)
        .with_context(what)?;
    let mut record = ByteRecord::new();
    let mut columns = Columns::default();
    if !reader.read_byte_record(&mut record).with_context(what)? {
        return Ok(columns);
    }
    columns.names = header(path, &record)?;
    let kinds: Vec<Option<Kind>> = columns.names.iter().map(|name| wanted.kind(name)).collect();
    // By the position of the column: looking up its name for every field would hash it once per row.
    let mut texts: Vec<Vec<Option<String>>> = vec![Vec::new(); kinds.len()];
    let mut numbers: Vec<Vec<f64>> = vec![Vec::new(); kinds.len()];
    loop {
        let row = columns.n_rows + 1;
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => match error.kind() {
                // The reader counts records from 0 and bytes, a person counts rows.
                ErrorKind::UnequalLengths {
                    expected_len, len, ..
                } => {
                    bail!(
                        "row {row} of `{}` has {len} fields, the header has {expected_len}",
                        path.display()
                    )
                }
                _ => return Err(error).with_context(what),
            },
        }
        for (i, (field, kind)) in record.iter().zip(&kinds).enumerate() {
            let Some(kind) = kind else { continue };
            let field = utf8(path, field, &format!("row {row}"))?;
            match kind {
                Kind::Text => texts[i].push((!field.is_empty()).then(|| field.to_owned())),
                Kind::Number => numbers[i].push(number(path, &columns.names[i], row, field)?),
            }
        }
        columns.n_rows = row;
    }
    for (i, kind) in kinds.into_iter().enumerate() {
        let name = columns.names[i].clone();
        match kind {
            Some(Kind::Text) => _ = columns.texts.insert(name, std::mem::take(&mut texts[i])),
            Some(Kind::Number) => {
                _ = columns
                    .numbers
                    .insert(name, std::mem::take(&mut numbers[i]))
            }
            None => {}
        }
    }
    Ok(columns)
}

fn header(path: &Path, record: &ByteRecord) -> anyhow::Result<Vec<String>> {
    let mut seen = HashSet::new();
    let mut names = Vec::new();
    for (i, name) in record.iter().enumerate() {
        let mut name = utf8(path, name, "the header")?;
        // Spreadsheets write the mark before the first name, which would then be no known column.
        if i == 0 {
            name = name.strip_prefix(BYTE_ORDER_MARK).unwrap_or(name);
        }
        if !seen.insert(name.to_owned()) {
            bail!("duplicate column `{name}` in `{}`", path.display());
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn utf8<'a>(path: &Path, field: &'a [u8], place: &str) -> anyhow::Result<&'a str> {
    str::from_utf8(field).map_err(|error| {
        let byte = field[error.valid_up_to()];
        anyhow::anyhow!(
            "`{}` is not UTF-8: {place} holds the byte 0x{byte:02x}; save it as UTF-8",
            path.display()
        )
    })
}

fn number(path: &Path, column: &str, row: usize, field: &str) -> anyhow::Result<f64> {
    // Written by hand or by a spreadsheet, numbers have spaces around them.
    let field = field.trim();
    if field.is_empty() {
        return Ok(f64::NAN);
    }
    match field.parse() {
        Ok(value) => checked_number(path, column, row, value),
        Err(_) => bail!(
            "column `{column}` of `{}` is `{field}` in row {row}, expected a number",
            path.display()
        ),
    }
}
