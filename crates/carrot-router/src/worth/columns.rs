//! Columns of a data set that say which rows belong together, and which came first.

use std::collections::HashMap;

use dataset::{DatasetDir, PartTable};

use super::{WorthError, time};

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

    /// How many rows have a value that another row has too.
    pub(crate) fn n_shared(&self) -> usize {
        let mut counts = vec![0_usize; self.names.len()];
        self.of_row.iter().for_each(|&group| counts[group] += 1);
        counts.into_iter().filter(|&n| n > 1).sum()
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

/// Divides rows into blocks of about equal size, each later than the one before: the block of each row. Rows of one time are in one block.
///
/// # Errors
/// [`WorthError::BadTime`]; [`WorthError::TooFewTimes`] where a block would be empty.
pub(crate) fn blocks(
    column: &str,
    values: &[String],
    n_blocks: usize,
) -> Result<Vec<u32>, WorthError> {
    let times = time::parse(column, values)?;
    let n_rows = times.len();
    let mut sorted = times.clone();
    sorted.sort_unstable_by(f64::total_cmp);
    // By the number of earlier rows, which rows of one time have in common.
    let block = |time: &f64| (sorted.partition_point(|it| it < time) * n_blocks / n_rows) as u32;
    let blocks: Vec<u32> = times.iter().map(block).collect();
    let mut is_used = vec![false; n_blocks];
    blocks.iter().for_each(|&it| is_used[it as usize] = true);
    if is_used.contains(&false) {
        return Err(WorthError::TooFewTimes {
            column: column.to_owned(),
            n_rows,
            n_blocks,
        });
    }
    Ok(blocks)
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
        assert_eq!(groups.n_shared(), 4);
    }

    #[test]
    fn blocks_follow_each_other() {
        let check = |values: &[&str], n_blocks, expected: &[u32]| {
            let found = blocks("at", &texts(values), n_blocks).expect("blocks");
            assert_eq!(found, expected, "{values:?}");
        };
        check(&["5", "1", "3", "2", "4"], 5, &[4, 0, 2, 1, 3]);
        check(&["9", "10", "8", "7"], 2, &[1, 1, 0, 0]);
        // By hand: four rows of time 1 have no earlier ones, so they are block 0 though they are more than half.
        check(&["1", "1", "1", "1", "2", "2"], 2, &[0, 0, 0, 0, 1, 1]);
        check(
            &["2026-01-02", "2025-12-31T23:00:00-02:00", "2025-12-31"],
            3,
            &[2, 1, 0],
        );
        for values in [
            &["1", "1", "1"][..],
            &["1", "2"],
            &["1", "1", "1", "1", "1", "1", "2"],
        ] {
            let error = blocks("at", &texts(values), 3).expect_err("too few");
            assert!(matches!(error, WorthError::TooFewTimes { .. }), "{error}");
        }
    }
}
