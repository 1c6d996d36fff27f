use std::{collections::HashSet, fmt, fs, path::Path};

use anyhow::{Context as _, bail};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use crate::columns::{Columns, Kind, Wanted, checked_number};

/// Reads one flat JSON object a line. A key that a line lacks is null there; columns are in the order in which their keys first appear.
pub(crate) fn read(path: &Path, wanted: Wanted<'_>) -> anyhow::Result<Columns> {
    let bytes = fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut columns = Columns::default();
    let mut seen = HashSet::new();
    // Most files end with a line break, which would otherwise begin one more row.
    let lines = bytes.trim_ascii_end();
    if lines.is_empty() {
        return Ok(columns);
    }
    for line in lines.split(|&byte| byte == b'\n') {
        let row = columns.n_rows + 1;
        let Entries(entries) = serde_json::from_slice(line).with_context(|| {
            format!(
                "cannot read row {row} of `{}` as a JSON object",
                path.display()
            )
        })?;
        for (name, value) in entries {
            if seen.insert(name.clone()) {
                columns.names.push(name.clone());
            }
            match wanted.kind(&name) {
                Some(Kind::Text) => {
                    let text = text(path, &name, row, value)?;
                    // A key may first appear in a later line: the rows before it are null.
                    let column = columns.texts.entry(name).or_default();
                    column.resize(row - 1, None);
                    column.push(text);
                }
                Some(Kind::Number) => {
                    let number = number(path, &name, row, &value)?;
                    let column = columns.numbers.entry(name).or_default();
                    column.resize(row - 1, f64::NAN);
                    column.push(number);
                }
                None => {}
            }
        }
        columns.n_rows = row;
    }
    for column in columns.texts.values_mut() {
        column.resize(columns.n_rows, None);
    }
    for column in columns.numbers.values_mut() {
        column.resize(columns.n_rows, f64::NAN);
    }
    Ok(columns)
}

fn text(path: &Path, column: &str, row: usize, value: Value) -> anyhow::Result<Option<String>> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok((!text.is_empty()).then_some(text)),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(Some(number.to_string())),
        other => bail!(
            "column `{column}` of `{}` is `{other}` in row {row}, expected text",
            path.display()
        ),
    }
}

fn number(path: &Path, column: &str, row: usize, value: &Value) -> anyhow::Result<f64> {
    match (value, value.as_f64()) {
        (Value::Null, _) => Ok(f64::NAN),
        (_, Some(number)) => checked_number(path, column, row, number),
        _ => bail!(
            "column `{column}` of `{}` is `{value}` in row {row}, expected a number",
            path.display()
        ),
    }
}

/// The entries of an object in their order; serde_json's own map would sort them.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries: Vec<(String, Value)> = Vec::new();
                let mut keys = HashSet::new();
                while let Some((key, value)) = map.next_entry::<String, Value>()? {
                    // JSON allows it, and most readers then silently keep the last value.
                    if !keys.insert(key.clone()) {
                        return Err(A::Error::custom(format_args!("duplicate key `{key}`")));
                    }
                    entries.push((key, value));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}
