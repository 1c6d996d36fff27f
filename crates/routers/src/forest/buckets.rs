//! Splits of large nodes without sorting them.
//!
//! Ranks are counted into buckets of neighboring ranks. At the edges of buckets the score is known exactly; inside a bucket it is bounded
//! from above. Only buckets whose bound reaches the best score so far are sorted, so the split found is the one that sorting all would find.
//!
//! ```text
//! score = S / W + W / (w (W - w)) * sum over classes k of v_k^2,    v_k = l_k - w T_k / W
//!   T_k, W, S   class weights of the node, their sum, the sum of their squares
//!   l_k, w      class weights left of the cut, their sum
//! ```
//!
//! From the left to the right edge of a bucket that holds the class weights d_k, l_k grows by at most d_k, and w by what the other classes hold.
//! So v_k is at most `v_k(left edge) + (1 - T_k / W) d_k` and at least `v_k(right edge) - (1 - T_k / W) d_k`; `w (W - w)` is concave, so it is
//! least at one of the edges.

use pulp::Arch;

use super::{
    ranks::Rank,
    sweep::{Split, Sweep, key},
};

/// Buckets for each square root of the number of rows. Chance moves v_k by about that root from end to end of a node, so buckets that hold a
/// small part of it have tight bounds; measured, 4 to 8 are equally fast.
const BUCKETS_PER_ROOT: usize = 4;
/// Bounds and scores are computed in different ways. Rounding moves either by a few parts in 10^16 for each class.
const ROUNDING: f64 = 1e-10;

/// Buckets of one node and feature.
#[derive(Default)]
pub(super) struct Buckets {
    /// The rank of each sample.
    ranks: Vec<u32>,
    /// For each bucket and class, the summed weight in the lower half, the number of samples in the upper half.
    cells: Vec<u64>,
    /// For each class and edge, the weight left of it; an edge more than buckets.
    left: Vec<f64>,
    /// The sums of `left` over classes, and of the numbers of samples.
    weight: Vec<f64>,
    n_left: Vec<u32>,
    left_squares: Vec<f64>,
    right_squares: Vec<f64>,
    /// What bounds the sum over v_k^2.
    deviation: Vec<f64>,
    /// For each bucket, the score at its right edge, and a bound of the scores inside it.
    scores: Vec<f64>,
    bounds: Vec<f64>,
    is_open: Vec<bool>,
    keys: Vec<u64>,
    left_of_bucket: Vec<f64>,
}

impl Buckets {
    /// Improves `best`; false, with nothing done, if all samples are in one bucket.
    pub(super) fn consider<R: Rank>(
        &mut self,
        sweep: &Sweep<'_>,
        column: &[R],
        n_distinct: u32,
        best: &mut Split,
    ) -> bool {
        let n_wanted = BUCKETS_PER_ROOT * sweep.samples.len().isqrt();
        // Buckets are runs of 2^shift ranks, so that a rank's bucket is a shift and not a division.
        let mut shift = 0;
        while ((n_distinct - 1) >> shift) as usize >= n_wanted {
            shift += 1;
        }
        let n_buckets = ((n_distinct - 1) >> shift) as usize + 1;
        self.count(sweep, column, shift, n_buckets);
        self.sum(sweep, n_buckets);
        let n_samples = sweep.samples.len() as u32;
        if (0..n_buckets).any(|bucket| self.n_left[bucket + 1] - self.n_left[bucket] == n_samples) {
            return false;
        }
        self.score(sweep);
        self.offer_edges(sweep, shift, n_buckets, best);
        if shift > 0 {
            self.offer_insides(sweep, shift, best);
        }
        true
    }

    fn count<R: Rank>(&mut self, sweep: &Sweep<'_>, column: &[R], shift: u32, n_buckets: usize) {
        let n_classes = sweep.totals.classes.len();
        self.cells.clear();
        self.cells.resize(n_buckets * n_classes, 0);
        // Looked up before they are used: loads that depend on nothing wait for memory together.
        self.ranks.clear();
        self.ranks.extend(
            sweep
                .samples
                .iter()
                .map(|sample| column[sample.row as usize].get()),
        );
        for (sample, rank) in sweep.samples.iter().zip(&self.ranks) {
            let bucket = (rank >> shift) as usize;
            self.cells[bucket * n_classes + sample.class as usize] +=
                // Two counters in one integer: one addition to memory per sample, which is what filling buckets costs. Neither can reach
                // 2^32, as rows are counted by u32.
                1 << 32 | u64::from(sample.weight);
        }
    }

    fn sum(&mut self, sweep: &Sweep<'_>, n_buckets: usize) {
        let n_classes = sweep.totals.classes.len();
        let n_edges = n_buckets + 1;
        self.left.resize(n_classes * n_edges, 0.0);
        self.weight.clear();
        self.weight.resize(n_edges, 0.0);
        self.n_left.clear();
        self.n_left.resize(n_edges, 0);
        for (class, left) in self.left.chunks_exact_mut(n_edges).enumerate() {
            let cells = self.cells[class..].iter().step_by(n_classes);
            let edges = left.iter_mut().zip(&mut self.weight).zip(&mut self.n_left);
            let mut sum = 0;
            for (((left, weight), n_left), cell) in edges.zip(cells.chain([&0])) {
                *left = f64::from(sum as u32);
                *weight += *left;
                *n_left += (sum >> 32) as u32;
                sum += cell;
            }
        }
    }

    fn score(&mut self, sweep: &Sweep<'_>) {
        let totals = sweep.totals;
        let n_edges = self.weight.len();
        let n_buckets = n_edges - 1;
        for values in [
            &mut self.left_squares,
            &mut self.right_squares,
            &mut self.deviation,
        ] {
            values.clear();
            values.resize(n_buckets, 0.0);
        }
        self.scores.resize(n_buckets, 0.0);
        self.bounds.resize(n_buckets, 0.0);
        let (lefts, weight) = (&self.left[..], &self.weight[..]);
        let (left_squares, right_squares) = (
            &mut self.left_squares[..n_buckets],
            &mut self.right_squares[..n_buckets],
        );
        let deviation = &mut self.deviation[..n_buckets];
        let (scores, bounds) = (&mut self.scores[..n_buckets], &mut self.bounds[..n_buckets]);
        // Compiled for each instruction set: wide registers hold several buckets.
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let (weight, next_weight) = (&weight[..n_buckets], &weight[1..][..n_buckets]);
                for (left, &total) in lefts.chunks_exact(n_edges).zip(&totals.classes) {
                    let (left, next_left) = (&left[..n_buckets], &left[1..][..n_buckets]);
                    let share = total / totals.weight;
                    for i in 0..n_buckets {
                        left_squares[i] += next_left[i] * next_left[i];
                        right_squares[i] += (total - next_left[i]) * (total - next_left[i]);
                        let reach = (1.0 - share) * (next_left[i] - left[i]);
                        let highest = left[i] - share * weight[i] + reach;
                        let lowest = next_left[i] - share * next_weight[i] - reach;
                        let furthest = highest.abs().max(lowest.abs());
                        deviation[i] += furthest * furthest;
                    }
                }
                let base = totals.sum_of_squares / totals.weight;
                for i in 0..n_buckets {
                    let right = totals.weight - next_weight[i];
                    scores[i] = left_squares[i] / next_weight[i] + right_squares[i] / right;
                    // Inside the bucket, both sides hold at least one row.
                    let (first, last) =
                        (weight[i].max(1.0), next_weight[i].min(totals.weight - 1.0));
                    let product =
                        (first * (totals.weight - first)).min(last * (totals.weight - last));
                    bounds[i] = base + totals.weight * deviation[i] / product;
                }
            },
        );
    }

    /// Offers the cut at the right edge of each bucket.
    fn offer_edges(&mut self, sweep: &Sweep<'_>, shift: u32, n_buckets: usize, best: &mut Split) {
        for bucket in 0..n_buckets {
            // Not a number where a side is empty; the same as before where the bucket is.
            let score = self.scores[bucket];
            if score >= best.score && sweep.are_enough(self.n_left[bucket + 1] as usize) {
                let place = ((bucket as u32 + 1) << shift) - 1;
                best.improve(Split {
                    feature: sweep.feature,
                    place,
                    score,
                });
            }
        }
    }

    /// Sorts the buckets that may hold a better cut than the best, and offers all cuts inside them.
    fn offer_insides(&mut self, sweep: &Sweep<'_>, shift: u32, best: &mut Split) {
        self.is_open.clear();
        // A bucket whose bound only equals the best score must be opened, too: with equal scores the lower place wins, and it may be
        // inside.
        let limit = best.score * (1.0 - ROUNDING);
        let is_open =
            |(bound, n_left): (&f64, &[u32])| *bound >= limit && n_left[1] - n_left[0] > 1;
        self.is_open
            .extend(self.bounds.iter().zip(self.n_left.windows(2)).map(is_open));
        if !self.is_open.contains(&true) {
            return;
        }
        self.keys.clear();
        for (i, &rank) in self.ranks.iter().enumerate() {
            if self.is_open[(rank >> shift) as usize] {
                self.keys.push(key(rank, i));
            }
        }
        self.keys.sort_unstable();
        let n_edges = self.weight.len();
        let bucket = |key: &u64| (key >> 32) as usize >> shift;
        for keys in self.keys.chunk_by(|a, b| bucket(a) == bucket(b)) {
            let bucket = bucket(&keys[0]);
            self.left_of_bucket.clear();
            self.left_of_bucket
                .extend(self.left[bucket..].iter().step_by(n_edges));
            let n_left = self.n_left[bucket] as usize;
            sweep.offer_cuts(keys, &mut self.left_of_bucket, n_left, best);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::forest::sweep::{Sample, Totals};

    /// A cut's weighted Gini impurity, and the samples on its left: by definition, without any running sum.
    fn impurity(samples: &[Sample], n_classes: usize, goes_left: impl Fn(&Sample) -> bool) -> f64 {
        let side = |is_left: bool| {
            let mut weights = vec![0.0; n_classes];
            for sample in samples.iter().filter(|sample| goes_left(sample) == is_left) {
                weights[sample.class as usize] += f64::from(sample.weight);
            }
            let sum: f64 = weights.iter().sum();
            let squares: f64 = weights.iter().map(|weight| (weight / sum).powi(2)).sum();
            sum * (1.0 - squares)
        };
        side(true) + side(false)
    }

    /// The lowest of the best cuts: the highest rank on its left, and its impurity.
    fn best_by_definition(
        samples: &[Sample],
        column: &[u16],
        n_classes: usize,
        min_samples_leaf: usize,
    ) -> Option<(u16, f64)> {
        let mut ranks: Vec<u16> = samples.iter().map(|s| column[s.row as usize]).collect();
        ranks.sort_unstable();
        let n_left = |rank: u16| ranks.partition_point(|&other| other <= rank);
        let mut cuts = ranks.clone();
        cuts.dedup();
        cuts.pop();
        cuts.retain(|&rank| {
            let n_left = n_left(rank);
            n_left >= min_samples_leaf && samples.len() - n_left >= min_samples_leaf
        });
        let cuts = cuts.into_iter().map(|rank| {
            let goes_left = |sample: &Sample| column[sample.row as usize] <= rank;
            (rank, impurity(samples, n_classes, goes_left))
        });
        cuts.reduce(|best, cut| if cut.1 < best.1 - 1e-9 { cut } else { best })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Whatever the spread of ranks, the classes and the weights: buckets find the cut that is best by definition.
        #[test]
        fn buckets_find_the_best_cut(
            rows in vec((0..3000_u32, 1..4_u32, 0..5_u8, any::<f32>()), 2..400),
            n_distinct in 1..3000_u32,
            signal in 0.0..1.0_f32,
            crowding in 1..3_i32,
            min_samples_leaf in 1..20_usize,
        ) {
            let n_classes = 5;
            let column: Vec<u16> = rows
                .iter()
                .map(|(rank, ..)| {
                    let share = (*rank as f32 / 3000.0).powi(crowding);
                    (share * n_distinct as f32) as u16
                })
                .collect();
            let samples: Vec<Sample> = rows
                .iter()
                .zip(&column)
                .enumerate()
                .map(|(row, ((_, weight, class, chance), rank))| {
                    let is_telling = chance.abs().fract() < signal;
                    let told = u32::from(*rank) * n_classes as u32 / n_distinct;
                    Sample {
                        row: row as u32,
                        weight: *weight,
                        class: if is_telling { told as u8 } else { *class },
                    }
                })
                .collect();
            let mut totals = Totals::default();
            totals.count(&samples, n_classes);
            let sweep = Sweep { feature: 3, samples: &samples, totals: &totals, min_samples_leaf };
            let mut best = Split::NONE;
            let is_done = Buckets::default().consider(&sweep, &column, n_distinct, &mut best);
            let expected = best_by_definition(&samples, &column, n_classes, min_samples_leaf);
            if !is_done {
                // All in one bucket; the caller sorts them.
                prop_assert_eq!(best, Split::NONE);
                return Ok(());
            }
            let Some((rank, least)) = expected else {
                prop_assert_eq!(best, Split::NONE);
                return Ok(());
            };
            let goes_left = |sample: &Sample| u32::from(column[sample.row as usize]) <= best.place;
            let found = impurity(&samples, n_classes, goes_left);
            prop_assert!((found - least).abs() < 1e-6, "{} at {:?}, not {} at {}", found, best, least, rank);
            let score = totals.weight - found;
            prop_assert!((best.score - score).abs() < 1e-6, "{:?} has the score {}", best, score);
        }
    }
}
