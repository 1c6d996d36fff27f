//! One flat JSON object a line. A key that a line lacks is null there; columns are in the order in which their keys first appear.

pub(crate) mod columns;
mod scan;

use std::{
    collections::HashSet,
    fmt,
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use untrusted_files::Budget;

use self::scan::{Oddities, key_at};
use crate::{Error, FINITE, Kind, ONE_VALUE, Result, Table, table::Kinds, text};

/// The lines of a file that hold anything.
pub(crate) struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    /// Of one line.
    budget: Budget,
    n_rows: usize,
}

impl Lines {
    /// Opens a file, which has to fit in the budget as a whole where `is_whole`, and else line by line.
    pub(crate) fn open(path: &Path, budget: Budget, is_whole: bool) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            reader: text::open(path, is_whole.then_some(budget))?,
            budget,
            n_rows: 0,
        })
    }

    /// How many lines have been read.
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// Reads the next line; false at the end.
    pub(crate) fn next(&mut self, line: &mut Vec<u8>) -> Result<bool> {
        loop {
            line.clear();
            // Where the length of the whole file has been checked, it may still grow while it is read.
            let limit = self.budget.bytes().saturating_add(1);
            let mut rest = (&mut self.reader).take(limit);
            let n = rest.read_until(b'\n', line);
            if n.map_err(Error::io("read", &self.path))? == 0 {
                return Ok(false);
            }
            let row = self.n_rows + 1;
            self.budget
                .check(format!("row {row}"), line.len() as u64)
                .map_err(Error::over_budget(&self.path))?;
            // Files that were put together from others have empty lines between them.
            let record = line.trim_ascii();
            if record.is_empty() {
                continue;
            }
            if row == 1 && record.starts_with(b"[") {
                return Err(Error::NotLines {
                    path: self.path.clone(),
                    found: "a JSON array",
                    cure: ".[]",
                });
            }
            self.n_rows = row;
            return Ok(true);
        }
    }
}

/// Reads a file.
pub(crate) fn read(path: &Path, kinds: Kinds<'_>, budget: Budget) -> Result<Table> {
    let mut lines = Lines::open(path, budget, true)?;
    let mut table = Table::of(path);
    let mut seen = HashSet::new();
    let mut line = Vec::new();
    while lines.next(&mut line)? {
        add(&mut table, &mut seen, lines.n_rows(), &line, kinds)?;
        // Each line may bring a key that no other has, and each key a column as long as the file.
        let row = table.n_rows;
        let n_values = (table.numbers.len() as u64).saturating_mul(row as u64);
        let declared = n_values.saturating_mul(size_of::<f64>() as u64);
        if declared > budget.bytes() {
            let what = format!("{} columns of {row} rows", table.numbers.len());
            budget
                .check(what, declared)
                .map_err(Error::over_budget(path))?;
        }
    }
    fill(&mut table);
    Ok(table)
}

/// Adds a line as the next row of a table. `row` is its number in the file, for messages; `seen` holds the keys so far.
pub(crate) fn add(
    table: &mut Table,
    seen: &mut HashSet<String>,
    row: usize,
    line: &[u8],
    kinds: Kinds<'_>,
) -> Result<()> {
    let n_before = table.n_rows;
    for (name, value) in entries(&table.path, row, line.trim_ascii(), kinds)? {
        if seen.insert(name.clone()) {
            table.names.push(name.clone());
        }
        match (value, kinds(&name)) {
            (Some(value), Some(kind @ (Kind::Text | Kind::Any))) => {
                let text = match kind {
                    Kind::Any => as_shown(&table.path, &name, row, value)?,
                    _ => as_text(&table.path, &name, row, value)?,
                };
                // A key may first appear in a later line: the rows before it are null.
                let column = table.texts.entry(name).or_default();
                column.resize(n_before, None);
                column.push(text);
            }
            (Some(value), Some(Kind::Number)) => {
                let number = as_number(&table.path, &name, row, &value)?;
                let column = table.numbers.entry(name).or_default();
                column.resize(n_before, f64::NAN);
                column.push(number);
            }
            _ => {}
        }
    }
    table.n_rows += 1;
    Ok(())
}

/// Makes all columns as long as the table: the last rows may have lacked a key.
pub(crate) fn fill(table: &mut Table) {
    for column in table.texts.values_mut() {
        column.resize(table.n_rows, None);
    }
    for column in table.numbers.values_mut() {
        column.resize(table.n_rows, f64::NAN);
    }
}

/// The keys of a line, with the values of those that are wanted.
pub(crate) fn entries(
    path: &Path,
    row: usize,
    line: &[u8],
    kinds: Kinds<'_>,
) -> Result<Vec<(String, Option<Value>)>> {
    text::utf8(path, line, || format!("row {row}"))?;
    let error = match parse(line, kinds) {
        Ok(entries) => return Ok(entries),
        Err(error) => error,
    };
    if row == 1 && line == b"{" {
        return Err(Error::NotLines {
            path: path.to_owned(),
            found: "JSON with objects of several lines",
            cure: ".",
        });
    }
    let wrong = |column: String, found: String, expected| Error::Value {
        path: path.to_owned(),
        column,
        row,
        found,
        expected,
    };
    // Python writes what JSON has no word for.
    let odd = Oddities::of(line, kinds);
    if let Some((column, word)) = odd.infinity {
        return Err(wrong(column, word.to_owned(), FINITE));
    }
    let error = match odd.patched.map(|patched| parse(&patched, kinds)) {
        Some(Ok(entries)) => return Ok(entries),
        _ => error,
    };
    if let Some((column, escape)) = odd.half_character {
        let found = format!("text with half of a surrogate pair, `{escape}`,");
        let expected = "whole characters; an emoji may have been cut in two";
        return Err(wrong(column, found, expected));
    }
    Err(Error::Json {
        path: path.to_owned(),
        row,
        column: key_at(line, error.column()),
        source: error,
    })
}

fn as_text(path: &Path, column: &str, row: usize, value: Value) -> Result<Option<String>> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(Some(number.to_string())),
        other => Err(wrong_value(
            path,
            column,
            row,
            &other,
            "text or a whole number",
        )),
    }
}

/// A text, a number or a truth value as text.
fn as_shown(path: &Path, column: &str, row: usize, value: Value) -> Result<Option<String>> {
    match value {
        Value::Bool(truth) => Ok(Some(truth.to_string())),
        // Whole numbers keep all their digits; others are shown as those of a Parquet file are.
        Value::Number(number) if number.is_f64() => Ok(number.as_f64().map(|n| n.to_string())),
        Value::Null | Value::String(_) | Value::Number(_) => as_text(path, column, row, value),
        other => Err(wrong_value(path, column, row, &other, ONE_VALUE)),
    }
}

/// A number, or a text that is one: databases with numbers wider than JavaScript's, BigQuery for one, write them so.
fn as_number(path: &Path, column: &str, row: usize, value: &Value) -> Result<f64> {
    match value {
        Value::Null => Ok(f64::NAN),
        Value::Bool(truth) => Ok(f64::from(*truth)),
        Value::Number(number) => match number.as_f64() {
            Some(number) if number.is_finite() => Ok(number),
            _ => Err(wrong_value(path, column, row, value, FINITE)),
        },
        Value::String(text) => text::number(path, column, row, text),
        other => Err(wrong_value(path, column, row, other, "a number")),
    }
}

fn wrong_value(
    path: &Path,
    column: &str,
    row: usize,
    value: &Value,
    expected: &'static str,
) -> Error {
    Error::Value {
        path: path.to_owned(),
        column: column.to_owned(),
        row,
        found: format!("`{}`", text::shortened(&value.to_string())),
        expected,
    }
}

fn parse(line: &[u8], kinds: Kinds<'_>) -> serde_json::Result<Vec<(String, Option<Value>)>> {
    let mut deserializer = serde_json::Deserializer::from_slice(line);
    let entries = Entries(kinds).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(entries)
}

/// The entries of an object in their order; serde_json's own map would sort them. What is not wanted is passed over unread.
struct Entries<'a>(Kinds<'a>);

impl<'de> DeserializeSeed<'de> for Entries<'_> {
    type Value = Vec<(String, Option<Value>)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = Vec<(String, Option<Value>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = match (self.0)(&key) {
                Some(_) => Some(map.next_value::<Value>()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                    None
                }
            };
            // JSON allows it, and most readers then silently keep the last value.
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format_args!("duplicate key `{key}`")));
            }
            entries.push((key, value));
        }
        Ok(entries)
    }
}
