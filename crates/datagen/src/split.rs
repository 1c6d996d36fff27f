mod grouped;

use dataset::{Part, SplitOrigin, train_test_split};

use crate::{Error, RawTable, Result, SourcePart};

/// A random split as scikit-learn's `train_test_split` makes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RandomSplit {
    /// Share of test rows, in (0, 1).
    pub test_size: f64,
    /// Seed of the permutation.
    pub seed: u32,
}

/// Which rows of a table go to which part.
pub(crate) struct Rows {
    /// In the order that the part's file has.
    pub(crate) train: Vec<usize>,
    pub(crate) test: Vec<usize>,
    /// How many of the last train rows are the source's validation part.
    pub(crate) n_validation: Option<usize>,
    pub(crate) origin: SplitOrigin,
}

/// Splits a table: by its own parts where it has them, else at random, groups of rows together where a column names them.
pub(crate) fn split_rows(
    table: &RawTable,
    random: RandomSplit,
    group: Option<&str>,
) -> Result<Rows> {
    match (&table.parts, group) {
        (Some(parts), _) => given(table, parts),
        (None, Some(column)) => grouped::grouped(table, random, column),
        (None, None) => drawn(table.n_prompts(), random),
    }
}

fn drawn(n_prompts: usize, RandomSplit { test_size, seed }: RandomSplit) -> Result<Rows> {
    let rows = train_test_split(n_prompts, test_size, seed)?;
    let widen = |rows: Vec<u32>| rows.into_iter().map(|row| row as usize).collect();
    Ok(Rows {
        train: widen(rows.train),
        test: widen(rows.test),
        n_validation: None,
        origin: SplitOrigin::Random { test_size, seed },
    })
}

fn given(table: &RawTable, parts: &[SourcePart]) -> Result<Rows> {
    let rows_of = |part| (0..parts.len()).filter(move |&i| parts[i] == part);
    let mut train: Vec<usize> = rows_of(SourcePart::Train).collect();
    let validation: Vec<usize> = rows_of(SourcePart::Validation).collect();
    let test: Vec<usize> = rows_of(SourcePart::Test).collect();
    for (rows, part) in [(&train, Part::Train), (&test, Part::Test)] {
        if rows.is_empty() {
            let path = table.path.clone();
            return Err(Error::EmptyPart { path, part });
        }
    }
    // Choices made on the validation rows belong to training, so those rows do; they come last, so that their number identifies them.
    train.extend(&validation);
    Ok(Rows {
        train,
        test,
        n_validation: (!validation.is_empty()).then_some(validation.len()),
        origin: SplitOrigin::Given,
    })
}
