use std::collections::HashMap;

use dataset::EqualPrompts;
use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

use crate::{Error, Result};

/// Which rows judge together, and which rows the router that they judge is fitted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folds {
    of_row: Vec<Option<u32>>,
    n_folds: u32,
    order: Order,
    groups: Option<Vec<usize>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// A fold is predicted by fits to all others.
    Any,
    /// A fold is predicted by a fit to lower folds and to the rows of none.
    EarlierFirst,
}

impl Folds {
    /// Folds of nearly the same number of rows, drawn by the seed. Rows of one group, in `groups` one number per row, are in one fold.
    ///
    /// Groups are shuffled, and dealt from the largest to the smallest, each to the fold that has the fewest rows so far. Without groups, sizes
    /// differ by at most 1.
    ///
    /// # Errors
    /// [`Error::BadFolds`] for fewer than 2 folds or fewer groups than folds; [`Error::GroupCount`].
    ///
    /// ```
    /// let folds = fitting::Folds::shuffled(7, 3, 42, None)?;
    /// let mut sizes: Vec<usize> = (0..3).map(|fold| folds.judged(fold).len()).collect();
    /// sizes.sort_unstable();
    /// assert_eq!(sizes, [2, 2, 3]);
    /// # Ok::<(), fitting::Error>(())
    /// ```
    pub fn shuffled(
        n_rows: usize,
        n_folds: u32,
        seed: u64,
        groups: Option<&[usize]>,
    ) -> Result<Self> {
        let kept = groups.map(<[usize]>::to_vec);
        if let Some(groups) = groups
            && groups.len() != n_rows
        {
            return Err(Error::GroupCount {
                n_groups: groups.len(),
                n_rows,
            });
        }
        let mut groups = members(n_rows, groups);
        if n_folds < 2 || groups.len() < n_folds as usize {
            return Err(Error::BadFolds {
                n_groups: groups.len(),
                n_folds: n_folds as usize,
            });
        }
        groups.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        // Stable, so that groups of one size stay in their drawn order.
        groups.sort_by_key(|rows| std::cmp::Reverse(rows.len()));
        let mut sizes = vec![0; n_folds as usize];
        let mut of_row = vec![None; n_rows];
        for rows in groups {
            let (fold, size) = (0..)
                .zip(&mut sizes)
                .min_by_key(|(_, size)| **size)
                .expect("at least two folds");
            *size += rows.len();
            for row in rows {
                of_row[row] = Some(fold);
            }
        }
        Ok(Self {
            of_row,
            n_folds,
            order: Order::Any,
            groups: kept,
        })
    }

    /// Rows in the order of their times, cut into `n_blocks` blocks of nearly the same number: the first is only trained on, and each other one
    /// is predicted by a fit to all earlier ones. Rows of one time are in one block; so are rows of one group, that of its first.
    ///
    /// # Errors
    /// [`Error::BadFolds`] when fewer than two blocks come out; [`Error::GroupCount`].
    pub fn in_order(times: &[f64], n_blocks: u32, groups: Option<&[usize]>) -> Result<Self> {
        let n_rows = times.len();
        if let Some(groups) = groups
            && groups.len() != n_rows
        {
            return Err(Error::GroupCount {
                n_groups: groups.len(),
                n_rows,
            });
        }
        // A group is as early as its first row: its later rows would otherwise be judged by a router that was fitted on it.
        let mut first: Vec<f64> = times.to_vec();
        for rows in members(n_rows, groups) {
            let earliest = rows
                .iter()
                .map(|&row| times[row])
                .min_by(f64::total_cmp)
                .expect("a group has rows");
            rows.iter().for_each(|&row| first[row] = earliest);
        }
        let mut order: Vec<usize> = (0..n_rows).collect();
        order.sort_by(|&a, &b| first[a].total_cmp(&first[b]));
        let mut blocks = vec![0; n_rows];
        for (position, pair) in order.windows(2).enumerate() {
            let (before, row) = (pair[0], pair[1]);
            let by_position = (position + 1) * n_blocks as usize / n_rows;
            blocks[row] = if first[row].total_cmp(&first[before]).is_eq() {
                blocks[before]
            } else {
                by_position
            };
        }
        // Long runs of one time leave blocks empty; the others move up.
        let mut used: Vec<usize> = blocks.clone();
        used.sort_unstable();
        used.dedup();
        if used.len() < 2 {
            return Err(Error::BadFolds {
                n_groups: used.len(),
                n_folds: n_blocks as usize,
            });
        }
        let number = |block| used.binary_search(block).expect("one of them") as u32;
        Ok(Self {
            of_row: (blocks.iter())
                .map(|block| number(block).checked_sub(1))
                .collect(),
            n_folds: used.len() as u32 - 1,
            order: Order::EarlierFirst,
            groups: groups.map(<[usize]>::to_vec),
        })
    }

    /// The fold of each row, from 0; none for rows that are only trained on.
    pub fn of_row(&self) -> &[Option<u32>] {
        &self.of_row
    }

    /// The groups that the folds keep whole, one number per row; `None` where every row is by itself. What is chosen within a fit keeps them whole,
    /// too.
    pub fn groups(&self) -> Option<&[usize]> {
        self.groups.as_deref()
    }

    /// How many folds there are.
    pub fn n_folds(&self) -> u32 {
        self.n_folds
    }

    /// Whether a fold is predicted by earlier rows only.
    pub fn is_in_order(&self) -> bool {
        self.order == Order::EarlierFirst
    }

    /// The rows of a fold, ascending.
    pub fn judged(&self, fold: u32) -> Vec<usize> {
        self.rows(|of_row| of_row == Some(fold))
    }

    /// The rows that the router of a fold is fitted on, ascending.
    pub fn trained(&self, fold: u32) -> Vec<usize> {
        self.rows(|of_row| match self.order {
            Order::Any => of_row != Some(fold),
            Order::EarlierFirst => of_row.is_none_or(|of_row| of_row < fold),
        })
    }

    fn rows(&self, is_wanted: impl Fn(Option<u32>) -> bool) -> Vec<usize> {
        let rows = self.of_row.iter().enumerate();
        rows.filter(|&(_, &of_row)| is_wanted(of_row))
            .map(|(row, _)| row)
            .collect()
    }
}

/// The rows of each group, groups in the order of their first rows.
fn members(n_rows: usize, groups: Option<&[usize]>) -> Vec<Vec<usize>> {
    let Some(groups) = groups else {
        return (0..n_rows).map(|row| vec![row]).collect();
    };
    let mut numbers = HashMap::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    for (row, group) in groups.iter().enumerate() {
        let number = *numbers.entry(group).or_insert(members.len());
        if number == members.len() {
            members.push(Vec::new());
        }
        members[number].push(row);
    }
    members
}

/// What stays together: rows that share a number in at least one grouping, and rows that are linked through others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    /// For each row the first row that it is together with.
    first: Vec<usize>,
}

impl Together {
    /// Every row by itself.
    pub fn new(n_rows: usize) -> Self {
        Self {
            first: (0..n_rows).collect(),
        }
    }

    /// Keeps the rows of each of these groups together, too.
    ///
    /// # Errors
    /// [`Error::GroupCount`] when there is not one number per row.
    pub fn join(mut self, groups: &[usize]) -> Result<Self> {
        let n_rows = self.first.len();
        if groups.len() != n_rows {
            return Err(Error::GroupCount {
                n_groups: groups.len(),
                n_rows,
            });
        }
        for rows in members(n_rows, Some(groups)) {
            for pair in rows.windows(2) {
                let (a, b) = (self.root(pair[0]), self.root(pair[1]));
                self.first[a.max(b)] = a.min(b);
            }
        }
        for row in 0..n_rows {
            self.first[row] = self.root(row);
        }
        Ok(self)
    }

    /// Keeps rows of one value of a column together, too. Rows without a value, which are empty texts, belong to nobody.
    ///
    /// # Errors
    /// As [`Together::join`].
    pub fn join_values(self, values: &[String]) -> Result<Self> {
        self.join(&EqualPrompts::groups_of_values(values))
    }

    /// Keeps equal prompts together, too.
    ///
    /// # Errors
    /// As [`Together::join`].
    pub fn join_prompts<'a>(self, prompts: impl IntoIterator<Item = &'a String>) -> Result<Self> {
        self.join(&EqualPrompts::groups(prompts))
    }

    /// One number per row, equal for rows that stay together.
    pub fn groups(&self) -> &[usize] {
        &self.first
    }

    fn root(&self, mut row: usize) -> usize {
        while self.first[row] != row {
            row = self.first[row];
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn folds_are_a_partition_that_keeps_groups_whole(
            groups in prop::collection::vec(0_usize..6, 2..40), n_folds in 2_u32..5, seed: u64,
        ) {
            match Folds::shuffled(groups.len(), n_folds, seed, Some(&groups)) {
                Ok(folds) => {
                    for fold in 0..n_folds {
                        let (judged, trained) = (folds.judged(fold), folds.trained(fold));
                        prop_assert!(!judged.is_empty());
                        prop_assert_eq!(judged.len() + trained.len(), groups.len());
                        for row in judged {
                            prop_assert!(trained.iter().all(|&other| groups[other] != groups[row]));
                        }
                    }
                }
                Err(_) => {
                    let mut distinct = groups.clone();
                    distinct.sort_unstable();
                    distinct.dedup();
                    prop_assert!(distinct.len() < n_folds as usize);
                }
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        let folds = |seed| Folds::shuffled(50, 5, seed, None).expect("enough rows");
        assert_eq!(folds(1), folds(1));
        assert_ne!(folds(1), folds(2));
    }

    #[test]
    fn later_rows_are_judged_by_earlier_ones() {
        // Times of rows 1 and 4 are equal, so that they are in one block although the cut is between them.
        let times = [5.0, 2.0, 0.0, 1.0, 2.0, 9.0];
        let folds = Folds::in_order(&times, 3, None).expect("enough rows");
        assert_eq!(
            folds.of_row(),
            [Some(1), Some(0), None, None, Some(0), Some(1)]
        );
        assert_eq!(folds.trained(0), [2, 3]);
        assert_eq!(folds.trained(1), [1, 2, 3, 4]);
        assert_eq!(folds.judged(1), [0, 5]);
        assert!(folds.is_in_order());
        // Row 5 goes with row 2, which is the first of all.
        let groups = [0, 1, 2, 3, 4, 2];
        let folds = Folds::in_order(&times, 3, Some(&groups)).expect("enough rows");
        assert_eq!(folds.of_row()[5], None);
        let error = Folds::in_order(&[1.0, 1.0, 1.0], 3, None).expect_err("one time");
        assert!(matches!(error, Error::BadFolds { n_groups: 1, .. }));
    }

    #[test]
    fn rows_are_together_through_others() {
        let together = Together::new(5).join(&[0, 1, 2, 0, 3]).expect("five");
        let together = together.join(&[7, 8, 8, 9, 9]).expect("five");
        assert_eq!(together.groups(), [0, 1, 1, 0, 0]);
        assert!(Together::new(2).join(&[0]).is_err());
        // Users a, none, none, b, a; prompts 0, 1, 2, 1, 3.
        let texts = |texts: [&str; 5]| texts.map(str::to_owned);
        let users = Together::new(5).join_values(&texts(["a", "", "", "b", "a"]));
        let together = users
            .expect("five")
            .join_prompts(&texts(["0", "1", "2", "1", "3"]));
        assert_eq!(together.expect("five").groups(), [0, 1, 2, 1, 0]);
    }
}
