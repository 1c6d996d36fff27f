use serde::{Deserialize, Serialize};

use crate::{Backend, Error, Result};

/// How k is chosen among the candidates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Selection {
    /// The paper's way: unshuffled folds, the k with the best R2.
    Paper,
    /// The paper's criterion on shuffled folds: the k with the best R2. For tables in the order of their tasks, whose unshuffled folds ask for what
    /// no neighbor knows, and for tables with unknown values.
    R2,
    /// By what routing gains: shuffled folds; for scores the k with the highest out-of-fold utility, for costs the k with the least squared
    /// error of differences between LLMs.
    Utility,
    /// Whoever knows the table decides: [`Selection::Paper`] where no value is unknown and the rows are in random order, else
    /// [`Selection::R2`]. A fit that is not told ([`CheckedKnnParams::selecting`]) takes the paper's way.
    Auto,
}

/// Hyper-parameters of [`crate::Knn`], as configs/routers.toml has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KnnParams {
    /// Numbers of neighbors to choose from; all selections but the paper's add larger ones for many rows ([`grown_neighbors`]).
    pub n_neighbors: Vec<usize>,
    /// Folds of the cross-validation that chooses.
    pub n_folds: usize,
    /// Rows that k is chosen by, drawn by the seed: each is predicted from its nearest among all others, so that k is that of the whole. 0: by
    /// cross-validation of all rows, each predicted from those of other folds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tune_queries: usize,
    /// By what k is chosen.
    pub selection: Selection,
    /// Seed of the order of rows that folds are cut from where they are shuffled, and of the rows that k is chosen by.
    pub seed: u64,
    /// How neighbors are searched for.
    pub backend: Backend,
}

/// A search by all rows is what there was before there was another, and what it depends on is recorded as it was.
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Hyper-parameters that can be fitted with.
#[derive(Debug, Clone)]
pub struct CheckedKnnParams(pub(super) KnnParams);

impl KnnParams {
    /// Refuses what no fit can use.
    ///
    /// # Errors
    /// [`Error::BadParameter`] unless `n_neighbors` ascends from at least 1 and `n_folds` is at least 2.
    pub fn check(self) -> Result<CheckedKnnParams> {
        let ascends = self.n_neighbors.windows(2).all(|pair| pair[0] < pair[1]);
        if self.n_neighbors.first().is_none_or(|&k| k == 0) || !ascends {
            return Err(Error::BadParameter {
                name: "n-neighbors",
                found: format!("{:?}", self.n_neighbors),
                expected: "an ascending list of numbers of at least 1",
            });
        }
        if self.n_folds < 2 {
            return Err(Error::BadParameter {
                name: "n-folds",
                found: self.n_folds.to_string(),
                expected: "at least 2",
            });
        }
        Ok(CheckedKnnParams(self))
    }
}

/// The largest candidate is at most this part of the rows: a sixteenth still tells where a prompt lies.
const LARGEST_PART: usize = 16;
/// And the lists of neighbors take at most this many bytes, 4 for each row and neighbor.
const MOST_LIST_BYTES: usize = 4 << 30;

/// Numbers of neighbors to choose from for so many rows: the given ones, and the last one doubled as long as it is at most a sixteenth of the rows
/// and lists of that many neighbors of each row take at most 4 GiB.
///
/// The best k grows with the rows, in few dimensions nearly in proportion to them; with a largest candidate of 512 CARROT (KNN) stops learning at
/// some 8,192 rows there (crate `rate-study`). [`Selection::Paper`] chooses from the given ones, the others from these; so does every selection by
/// sampled rows ([`KnnParams::tune_queries`]), whose lists are few, so that at a million rows 10,000 of them let k grow to 32,768.
///
/// ```
/// use routers::grown_neighbors;
/// assert_eq!(grown_neighbors(&[256, 512], 14_234), [256, 512]);
/// assert_eq!(grown_neighbors(&[256, 512], 40_000), [256, 512, 1024, 2048]);
/// assert_eq!(grown_neighbors(&[256, 512], 1_000_000), [256, 512, 1024]);
/// ```
pub fn grown_neighbors(n_neighbors: &[usize], n_rows: usize) -> Vec<usize> {
    grown_for(n_neighbors, n_rows, n_rows)
}

/// The same where there are lists for so many rows only.
pub(super) fn grown_for(n_neighbors: &[usize], n_rows: usize, n_lists: usize) -> Vec<usize> {
    let mut grown = n_neighbors.to_vec();
    let most = (n_rows / LARGEST_PART).min(MOST_LIST_BYTES / 4 / n_lists.max(1));
    while let Some(next) = grown.last().map(|k| 2 * k).filter(|&k| k > 0 && k <= most) {
        grown.push(next);
    }
    grown
}

impl CheckedKnnParams {
    /// The same, with another way to choose k.
    pub fn selecting(mut self, selection: Selection) -> Self {
        self.0.selection = selection;
        self
    }

    /// The parameters as they were given.
    pub fn params(&self) -> &KnnParams {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_checked_parameters_can_fit() {
        for (n_neighbors, n_folds, is_good) in [
            (vec![2, 4, 8], 5, true),
            (vec![1], 2, true),
            (vec![], 5, false),
            (vec![0, 2], 5, false),
            (vec![4, 2], 5, false),
            (vec![2, 2], 5, false),
            (vec![2], 1, false),
        ] {
            let params = KnnParams {
                n_neighbors,
                n_folds,
                tune_queries: 0,
                selection: Selection::Auto,
                seed: 42,
                backend: Backend::Gemm,
            };
            assert_eq!(params.clone().check().is_ok(), is_good, "{params:?}");
        }
    }
}
