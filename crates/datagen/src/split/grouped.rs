use dataset::{EqualPrompts, SplitOrigin, permutation, train_test_split};

use super::{RandomSplit, Rows};
use crate::{Error, RawTable, Result};

/// Splits blocks of rows: rows with one value of the column and rows with one prompt hang together, also over a third row. An empty value is no
/// group.
///
/// Blocks are taken in the order in which their first rows come in the permutation of all rows, into the test part until it has the rows that
/// an ungrouped split would give it; a block that goes beyond that is taken only if at least half of it is wanted, and the smallest one where
/// all are that large. Both parts have the order of that permutation.
pub(super) fn grouped(table: &RawTable, random: RandomSplit, column: &str) -> Result<Rows> {
    let RandomSplit { test_size, seed } = random;
    let values = match column {
        "task" => Some(&table.tasks[..]),
        _ => table.kept.get(column),
    };
    let values = values.ok_or_else(|| Error::NoGroupColumn {
        path: table.path.clone(),
        column: column.to_owned(),
    })?;
    let blocks = EqualPrompts::together(values, &table.prompts);
    let mut n_rows = vec![0; blocks.len()];
    for &block in &blocks {
        n_rows[block] += 1;
    }
    let n = table.n_prompts();
    // For its checks, and its number of test rows.
    let n_wanted = train_test_split(n, test_size, seed)?.test.len();
    let order = permutation(n as u32, seed);
    let mut is_test = vec![None; blocks.len()];
    let mut n_test = 0;
    for &row in &order {
        let block = blocks[row as usize];
        if is_test[block].is_some() {
            continue;
        }
        let n_missing = n_wanted.saturating_sub(n_test);
        let takes = n_missing > 0 && n_rows[block] <= 2 * n_missing;
        is_test[block] = Some(takes);
        n_test += if takes { n_rows[block] } else { 0 };
    }
    if n_test == 0 {
        // Every block has more than twice the rows that are wanted.
        let firsts = order.iter().map(|&row| blocks[row as usize]);
        if let Some(block) = firsts.min_by_key(|&block| n_rows[block]) {
            is_test[block] = Some(true);
        }
    }
    let part = |wanted: bool| -> Vec<usize> {
        let rows = order.iter().map(|&row| row as usize);
        rows.filter(|&row| is_test[blocks[row]] == Some(wanted))
            .collect()
    };
    let (train, test) = (part(false), part(true));
    if train.is_empty() || test.is_empty() {
        return Err(Error::OneGroup {
            path: table.path.clone(),
            column: column.to_owned(),
        });
    }
    Ok(Rows {
        train,
        test,
        n_validation: None,
        origin: SplitOrigin::Grouped {
            test_size,
            seed,
            column: column.to_owned(),
        },
    })
}
