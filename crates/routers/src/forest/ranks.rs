//! Every feature's values replaced by their ranks, once for all trees.

use ndarray::ArrayView2;
use rayon::prelude::*;

/// Features that are ranked together: as many float32 as a cache line holds, so that a row-major matrix is read by whole lines.
const FEATURES_PER_BLOCK: usize = 16;

/// An unsigned integer that holds a rank.
pub(super) trait Rank: Copy + Send + Sync + 'static {
    fn new(rank: u32) -> Self;
    fn get(self) -> u32;
}

impl Rank for u16 {
    fn new(rank: u32) -> Self {
        rank as Self
    }

    fn get(self) -> u32 {
        self.into()
    }
}

impl Rank for u32 {
    fn new(rank: u32) -> Self {
        rank
    }

    fn get(self) -> u32 {
        self
    }
}

/// Ranks of all features, column by column. Equal values have one rank, and ranks are dense from 0.
pub(super) struct Ranks<R> {
    n_rows: usize,
    ranks: Vec<R>,
    n_distinct: Vec<u32>,
}

impl<R: Rank> Ranks<R> {
    /// Ranks a matrix of finite values of shape `(n_rows, n_features)`. `R` must be able to count the rows.
    pub(super) fn new(values: ArrayView2<'_, f32>) -> Self {
        let (n_rows, n_features) = values.dim();
        let mut ranks = vec![R::new(0); n_rows * n_features];
        let mut n_distinct = vec![0; n_features];
        ranks
            .par_chunks_mut(FEATURES_PER_BLOCK * n_rows)
            .zip(n_distinct.par_chunks_mut(FEATURES_PER_BLOCK))
            .enumerate()
            .for_each_init(Vec::new, |keys, (block, (ranks, n_distinct))| {
                let first = block * FEATURES_PER_BLOCK;
                keys.clear();
                keys.resize(ranks.len(), 0_u64);
                for (row, values) in values.rows().into_iter().enumerate() {
                    for i in 0..n_distinct.len() {
                        let value = u64::from(ordered(values[first + i]));
                        keys[i * n_rows + row] = value << 32 | row as u64;
                    }
                }
                let columns = keys
                    .chunks_exact_mut(n_rows)
                    .zip(ranks.chunks_exact_mut(n_rows));
                for ((keys, ranks), n_distinct) in columns.zip(n_distinct) {
                    *n_distinct = rank(keys, ranks);
                }
            });
        Self {
            n_rows,
            ranks,
            n_distinct,
        }
    }

    pub(super) fn n_features(&self) -> usize {
        self.n_distinct.len()
    }

    /// The rank of every row's value of one feature.
    pub(super) fn of(&self, feature: u32) -> &[R] {
        let start = feature as usize * self.n_rows;
        &self.ranks[start..start + self.n_rows]
    }

    /// How many values one feature has; ranks are below it.
    pub(super) fn n_distinct(&self, feature: u32) -> u32 {
        self.n_distinct[feature as usize]
    }
}

/// Sorts keys of value and row, and writes each row's rank; returns the number of distinct values.
fn rank<R: Rank>(keys: &mut [u64], ranks: &mut [R]) -> u32 {
    keys.sort_unstable();
    let mut rank = 0;
    let mut previous = keys[0] >> 32;
    for key in keys {
        let value = *key >> 32;
        rank += u32::from(value != previous);
        previous = value;
        ranks[*key as u32 as usize] = R::new(rank);
    }
    rank + 1
}

/// An integer that compares as the finite value does.
#[inline(always)]
pub(super) fn ordered(value: f32) -> u32 {
    // The bits of positive float32 order as the numbers do. Those of negative ones order the other way round, so they are inverted, and the sign
    // bit is turned over to put them below. Adding zero makes -0 and 0 one value.
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 1 {
        !bits
    } else {
        bits | 1 << 31
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn equal_values_share_a_rank() {
        let values = array![
            [0.0, 5.0],
            [-0.0, f32::MIN],
            [1e-40, 5.0],
            [-1.0, f32::MAX],
            [2.0, 5.0]
        ];
        let ranks = Ranks::<u16>::new(values.view());
        assert_eq!(ranks.of(0), [1, 1, 2, 0, 3]);
        assert_eq!(ranks.of(1), [1, 0, 1, 2, 1]);
        assert_eq!((ranks.n_distinct(0), ranks.n_distinct(1)), (4, 3));
    }

    #[test]
    fn every_feature_is_ranked_in_its_place() {
        // More features than a block has, and a last block that is not full.
        let values = Array2::from_shape_fn((7, 35), |(row, feature)| {
            ((row * (feature + 1)) % 7) as f32 - 3.0
        });
        let ranks = Ranks::<u32>::new(values.view());
        for feature in 0..35 {
            let column = values.column(feature);
            for (row, &rank) in ranks.of(feature as u32).iter().enumerate() {
                let mut below: Vec<f32> = column
                    .iter()
                    .copied()
                    .filter(|&v| v < column[row])
                    .collect();
                below.sort_by(f32::total_cmp);
                below.dedup();
                assert_eq!(rank as usize, below.len(), "feature {feature}, row {row}");
            }
        }
    }
}
