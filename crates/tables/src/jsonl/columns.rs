//! Lines of JSON as columns of one type each, for formats that need it. The types are known only at the file's end, so it is read twice.

use std::{collections::HashMap, path::Path};

use serde_json::Value;
use untrusted_files::Budget;

use super::{Lines, entries};
use crate::{Cell, CellType, Error, Kind, NewColumn, Result};

/// More keys than a table has columns: they are values, such as ids.
const MAX_KEYS: usize = 10_000;
/// Whole numbers up to this are floats of 64 bits exactly, 2^53.
const MAX_EXACT: u64 = 1 << 53;
/// Of one line.
const MAX_LINE: u64 = 64 << 20;

/// What the values of a key have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    Text,
    Truth,
    /// Whether a float could hold them all.
    Whole {
        is_exact: bool,
    },
    Double,
}

/// The columns that the lines of a file make, in the order in which their keys first appear.
///
/// # Errors
/// [`Error::NotPassed`] for a key whose values have no common type, or are lists or objects; every [`Error`] of a line.
pub(crate) fn columns(path: &Path) -> Result<Vec<NewColumn>> {
    let mut lines = Lines::open(path, Budget::of(MAX_LINE), false)?;
    let (mut names, mut seen) = (Vec::new(), HashMap::new());
    let mut line = Vec::new();
    while lines.next(&mut line)? {
        let row = lines.n_rows();
        for (name, value) in all_entries(path, row, &line)? {
            let before = seen.get(&name).copied();
            if before.is_none() {
                names.push(name.clone());
                if names.len() > MAX_KEYS {
                    let found = format!("the {}th key of the file", names.len());
                    return Err(not_passed(path, &name, found));
                }
            }
            let before = before.unwrap_or(Seen::Nothing);
            let merged = merged(before, &value)
                .map_err(|found| not_passed(path, &name, format!("{found} in row {row}")))?;
            seen.insert(name, merged);
        }
    }
    let column = |name: String| {
        let cell_type = match seen[&name] {
            // Without a value any type would do.
            Seen::Nothing | Seen::Text => CellType::Text,
            Seen::Truth => CellType::Truth,
            Seen::Whole { .. } => CellType::Whole,
            Seen::Double => CellType::Double,
        };
        NewColumn { name, cell_type }
    };
    Ok(names.into_iter().map(column).collect())
}

/// The rows of lines as cells of these columns, column by column.
///
/// # Errors
/// As for [`columns`], where the file has changed since.
pub(crate) fn cells(
    path: &Path,
    n_before: usize,
    lines: &[Vec<u8>],
    columns: &[NewColumn],
) -> Result<Vec<Vec<Cell>>> {
    let mut cells = vec![vec![Cell::Null; lines.len()]; columns.len()];
    let names = columns.iter().map(|column| column.name.as_str());
    let at: HashMap<&str, usize> = names.zip(0..).collect();
    for (i, line) in lines.iter().enumerate() {
        let row = n_before + i + 1;
        for (name, value) in all_entries(path, row, line)? {
            let cell = at.get(name.as_str()).and_then(|&column| {
                let cell = cell(&value, &columns[column].cell_type)?;
                Some((column, cell))
            });
            let Some((column, cell)) = cell else {
                let found =
                    format!("another kind of value in row {row} than when it was first read");
                return Err(not_passed(path, &name, found));
            };
            cells[column][i] = cell;
        }
    }
    Ok(cells)
}

fn all_entries(path: &Path, row: usize, line: &[u8]) -> Result<Vec<(String, Value)>> {
    let entries = entries(path, row, line.trim_ascii(), &|_| Some(Kind::Any))?;
    let entries = entries.into_iter();
    Ok(entries
        .map(|(name, value)| (name, value.unwrap_or(Value::Null)))
        .collect())
}

/// What the values have been with another one, or what it holds that has no place there.
fn merged(before: Seen, value: &Value) -> Result<Seen, &'static str> {
    let now = match value {
        Value::Null => return Ok(before),
        Value::String(_) => Seen::Text,
        Value::Bool(_) => Seen::Truth,
        Value::Number(number) if number.is_f64() => Seen::Double,
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Seen::Whole {
                is_exact: whole.unsigned_abs() <= MAX_EXACT,
            },
            None => return Err("a whole number beyond 2^63"),
        },
        Value::Array(_) => return Err("a list"),
        Value::Object(_) => return Err("an object"),
    };
    match (before, now) {
        (Seen::Nothing, now) => Ok(now),
        (before, now) if before == now => Ok(now),
        (Seen::Whole { .. }, Seen::Whole { .. }) => Ok(Seen::Whole { is_exact: false }),
        (Seen::Whole { is_exact: true }, Seen::Double)
        | (Seen::Double, Seen::Whole { is_exact: true }) => Ok(Seen::Double),
        (Seen::Whole { .. }, Seen::Double) | (Seen::Double, Seen::Whole { .. }) => {
            Err("a fraction beside whole numbers beyond 2^53")
        }
        (_, Seen::Text) => Err("text beside other values"),
        (_, Seen::Truth) => Err("a truth value beside other values"),
        _ => Err("a number beside other values"),
    }
}

fn cell(value: &Value, cell_type: &CellType) -> Option<Cell> {
    match (value, cell_type) {
        (Value::Null, _) => Some(Cell::Null),
        (Value::String(text), CellType::Text) => Some(Cell::Text(text.clone())),
        (Value::Bool(truth), CellType::Truth) => Some(Cell::Truth(*truth)),
        (Value::Number(number), CellType::Whole) => number.as_i64().map(Cell::Whole),
        (Value::Number(number), CellType::Double) => number.as_f64().map(Cell::Double),
        _ => None,
    }
}

fn not_passed(path: &Path, column: &str, found: String) -> Error {
    Error::NotPassed {
        path: path.to_owned(),
        column: column.to_owned(),
        found,
        format: "Parquet",
        cure: ".jsonl",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_a_key_need_a_common_type() {
        let all = |values: &[Value]| {
            let start = Ok(Seen::Nothing);
            values
                .iter()
                .fold(start, |seen, value| merged(seen?, value))
        };
        let large = json!(9_007_199_254_740_993_i64);
        for (values, expected) in [
            (vec![json!(null)], Ok(Seen::Nothing)),
            (vec![json!("a"), json!(null)], Ok(Seen::Text)),
            (vec![json!(1), json!(2.5)], Ok(Seen::Double)),
            (vec![json!(2.5), json!(1)], Ok(Seen::Double)),
            (
                vec![json!(1), large.clone()],
                Ok(Seen::Whole { is_exact: false }),
            ),
            (
                vec![large, json!(0.5)],
                Err("a fraction beside whole numbers beyond 2^53"),
            ),
            (vec![json!(1), json!("a")], Err("text beside other values")),
            (
                vec![json!("a"), json!(1)],
                Err("a number beside other values"),
            ),
            (
                vec![json!(1), json!(true)],
                Err("a truth value beside other values"),
            ),
            (vec![json!([1])], Err("a list")),
            (vec![json!({})], Err("an object")),
            (vec![json!(u64::MAX)], Err("a whole number beyond 2^63")),
        ] {
            assert_eq!(all(&values), expected, "{values:?}");
        }
    }
}
