//! Columns of a data set that say which rows belong together.

use std::collections::HashMap;

use dataset::{DatasetDir, PartTable};

use super::WorthError;

/// Rows by the values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Groups {
    /// The values, in the order of their first rows.
    pub(crate) names: Vec<String>,
    /// For each row the position of its value.
    pub(crate) of_row: Vec<usize>,
}

impl Groups {
    /// Groups rows by a column's values.
    pub(crate) fn of(values: &[String]) -> Self {
        let mut positions: HashMap<&str, usize> = HashMap::new();
        let mut names = Vec::new();
        let of_row = values.iter().map(|value| {
            *positions.entry(value).or_insert_with(|| {
                names.push(value.clone());
                names.len() - 1
            })
        });
        let of_row = of_row.collect();
        Self { names, of_row }
    }
}

/// The values of `task` or of a column that was kept.
///
/// # Errors
/// [`WorthError::NoColumn`].
pub(crate) fn values<'a>(
    dir: &DatasetDir,
    table: &'a PartTable,
    column: &str,
) -> Result<&'a [String], WorthError> {
    table.kept(column).ok_or_else(|| {
        let kept = table.kept.names().map(str::to_owned);
        WorthError::NoColumn {
            dataset: dir.name().to_owned(),
            column: column.to_owned(),
            known: std::iter::once("task".to_owned()).chain(kept).collect(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[&str]) -> Vec<String> {
        values.iter().map(|&it| it.to_owned()).collect()
    }

    #[test]
    fn groups_come_in_the_order_of_their_first_rows() {
        let groups = Groups::of(&texts(&["b", "a", "b", "c", "", "a"]));
        assert_eq!(groups.names, ["b", "a", "c", ""]);
        assert_eq!(groups.of_row, [0, 1, 0, 2, 3, 1]);
    }
}
