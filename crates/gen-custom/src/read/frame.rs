use std::path::Path;

use anyhow::Context as _;
use dataset::Error as DatasetError;
use polars::prelude::{Column, DataType};

use crate::columns::checked_number;

/// A column's values as text; whole numbers and categories count as text, an empty text as none.
pub(crate) fn texts(path: &Path, column: &Column) -> anyhow::Result<Vec<Option<String>>> {
    let dtype = column.dtype();
    let is_text =
        dtype.is_string() || dtype.is_integer() || dtype.is_categorical() || dtype.is_null();
    let column = cast(path, column, is_text, &DataType::String, "text")?;
    let texts = column.str()?.iter();
    Ok(texts
        .map(|text| text.filter(|text| !text.is_empty()).map(str::to_owned))
        .collect())
}

/// A column's values as numbers of any width; null becomes NaN.
pub(crate) fn numbers(path: &Path, column: &Column) -> anyhow::Result<Vec<f64>> {
    let dtype = column.dtype();
    let is_number = dtype.is_integer() || dtype.is_float() || dtype.is_null();
    let floats = cast(path, column, is_number, &DataType::Float64, "numbers")?;
    let number = |(i, value): (usize, Option<f64>)| match value {
        None => Ok(f64::NAN),
        Some(value) => checked_number(path, column.name(), i + 1, value),
    };
    floats.f64()?.iter().enumerate().map(number).collect()
}

fn cast(
    path: &Path,
    column: &Column,
    is_allowed: bool,
    to: &DataType,
    expected: &str,
) -> anyhow::Result<Column> {
    if !is_allowed {
        return Err(DatasetError::ColumnType {
            path: path.to_owned(),
            column: column.name().to_string(),
            expected: expected.to_owned(),
            found: column.dtype().to_string(),
        }
        .into());
    }
    // Strict, because a plain cast turns what does not fit into null, which would then count as unknown.
    column.strict_cast(to).with_context(|| {
        format!(
            "cannot read column `{}` of `{}` as {expected}",
            column.name(),
            path.display()
        )
    })
}
