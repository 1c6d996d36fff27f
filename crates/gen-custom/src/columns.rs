use std::{collections::HashMap, path::Path};

use anyhow::ensure;
use dataset::{Error as DatasetError, parse_column_name};

/// What a column of the contract holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `id`, `task`, `prompt`, `split`.
    Text,
    /// An LLM's columns.
    Number,
}

/// Which columns of a file to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) excluded_models: &'a [String],
}

/// A file's columns as far as they were wanted.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// All columns, wanted or not, in the file's order.
    pub(crate) names: Vec<String>,
    pub(crate) n_rows: usize,
    // CSV has no other way to write null.
    /// An empty text counts as none.
    pub(crate) texts: HashMap<String, Vec<Option<String>>>,
    /// NaN where the file has nothing; the file itself may hold no NaN.
    pub(crate) numbers: HashMap<String, Vec<f64>>,
}

impl Wanted<'_> {
    /// What to read a column as, or `None` for a column that is not wanted.
    pub(crate) fn kind(&self, column: &str) -> Option<Kind> {
        match column {
            "id" | "task" | "prompt" | "split" => Some(Kind::Text),
            _ => {
                let (model, _) = parse_column_name(column)?;
                let is_excluded = self.excluded_models.iter().any(|name| name == model);
                (!is_excluded).then_some(Kind::Number)
            }
        }
    }
}

/// A number as a file holds it: finite, or refused with its place. Rows count from 1.
pub(crate) fn checked_number(
    path: &Path,
    column: &str,
    row: usize,
    value: f64,
) -> anyhow::Result<f64> {
    ensure!(
        value.is_finite(),
        DatasetError::OutOfRange {
            path: path.to_owned(),
            column: column.to_owned(),
            row,
            value,
            expected: "a finite number, or null where unknown",
        }
    );
    Ok(value)
}
