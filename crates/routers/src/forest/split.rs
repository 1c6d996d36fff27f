//! The best split of a node on one feature.

use ndarray::ArrayView2;

use super::{
    buckets::Buckets,
    ranks::{Rank, Ranks, ordered},
};

/// Nodes with fewer rows are sorted at once: filling buckets would cost more than it saves. Measured at 384 features, 48 to 192 are equally
/// fast; 128 rows of 1,536 values are 768 KiB, which a core's own cache still holds.
const MIN_ROWS_FOR_BUCKETS: usize = 128;

/// What trees are grown from.
pub(super) struct Table<'v, R> {
    pub(super) values: ArrayView2<'v, f32>,
    pub(super) ranks: Ranks<R>,
    pub(super) n_classes: usize,
}

/// Where the samples of a node stand in the order of one feature.
///
/// A small node reads the values themselves. Its rows, and those of all nodes below it, stay in the cache, whereas the ranks of one feature
/// bring a whole cache line for each row, which is no use for the next feature.
#[derive(Clone, Copy)]
pub(super) enum Places<'a, R> {
    /// The rank of each row.
    Ranks(&'a [R]),
    /// The values of all features, and which one it is.
    Values(ArrayView2<'a, f32>, usize),
}

impl<R: Rank> Table<'_, R> {
    pub(super) fn places(&self, feature: u32, n_samples: usize) -> Places<'_, R> {
        if n_samples < MIN_ROWS_FOR_BUCKETS {
            Places::Values(self.values.view(), feature as usize)
        } else {
            Places::Ranks(self.ranks.of(feature))
        }
    }
}

impl<R: Rank> Places<'_, R> {
    #[inline(always)]
    pub(super) fn of(&self, sample: &Sample) -> u32 {
        match self {
            Self::Ranks(ranks) => ranks[sample.row as usize].get(),
            Self::Values(values, feature) => ordered(values[[sample.row as usize, *feature]]),
        }
    }
}

/// A row in a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) row: u32,
    /// How often the bootstrap drew it.
    pub(super) weight: u32,
    pub(super) class: u8,
}

/// A way to cut a node in two. Samples whose place in the order of the feature is at most `place` go left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Split {
    pub(super) feature: u32,
    pub(super) place: u32,
    /// `sum of squares / weight`, of the left side plus of the right side, over the class weights of a side: the larger, the smaller is the
    /// mean Gini impurity of the two sides.
    pub(super) score: f64,
}

impl Split {
    /// What any split is better than.
    pub(super) const NONE: Self = Self {
        feature: u32::MAX,
        place: 0,
        score: f64::NEG_INFINITY,
    };

    /// Keeps the better one: the higher score, then the feature that was drawn first, then the lower place. That is scikit-learn's order, and
    /// it does not depend on the order in which the splits of one feature are looked at.
    #[inline(always)]
    pub(super) fn improve(&mut self, other: Self) {
        let is_better = other.score > self.score
            || other.score == self.score
                && other.feature == self.feature
                && other.place < self.place;
        if is_better {
            *self = other;
        }
    }
}

/// The class weights of a node.
#[derive(Debug, Clone, Default)]
pub(super) struct Totals {
    pub(super) classes: Vec<f64>,
    pub(super) weight: f64,
    pub(super) sum_of_squares: f64,
}

impl Totals {
    pub(super) fn count(&mut self, samples: &[Sample], n_classes: usize) {
        self.classes.clear();
        self.classes.resize(n_classes, 0.0);
        for sample in samples {
            self.classes[sample.class as usize] += f64::from(sample.weight);
        }
        self.weight = self.classes.iter().sum();
        self.sum_of_squares = self.classes.iter().map(|weight| weight * weight).sum();
    }

    pub(super) fn is_pure(&self) -> bool {
        self.classes.contains(&self.weight)
    }
}

/// Class weights left of a cut that moves right, row by row. All numbers are integers, so that no sum is rounded.
pub(super) struct Sweep<'a> {
    pub(super) feature: u32,
    pub(super) samples: &'a [Sample],
    pub(super) totals: &'a Totals,
    pub(super) min_samples_leaf: usize,
}

impl Sweep<'_> {
    /// Offers every cut between two neighbors of `keys`, which are sorted and hold a sample's place and its index each. `left` holds the
    /// class weights of the `n_left` samples that are left of all of them.
    pub(super) fn offer_cuts(
        &self,
        keys: &[u64],
        left: &mut [f64],
        mut n_left: usize,
        best: &mut Split,
    ) {
        let totals = &self.totals.classes[..left.len()];
        let mut weight = 0.0;
        let (mut left_squares, mut right_squares) = (0.0, 0.0);
        for (left, total) in left.iter().zip(totals) {
            weight += left;
            left_squares += left * left;
            right_squares += (total - left) * (total - left);
        }
        for pair in keys.windows(2) {
            let sample = self.samples[pair[0] as u32 as usize];
            let (class, added) = (sample.class as usize, f64::from(sample.weight));
            let before = left[class];
            left_squares += added * (2.0 * before + added);
            right_squares -= added * (2.0 * (totals[class] - before) - added);
            left[class] = before + added;
            weight += added;
            n_left += 1;
            let place = (pair[0] >> 32) as u32;
            if place == (pair[1] >> 32) as u32 || !self.are_enough(n_left) {
                continue;
            }
            let score = left_squares / weight + right_squares / (self.totals.weight - weight);
            best.improve(Split {
                feature: self.feature,
                place,
                score,
            });
        }
    }

    /// Whether both sides keep as many samples as a leaf must have.
    pub(super) fn are_enough(&self, n_left: usize) -> bool {
        n_left >= self.min_samples_leaf && self.samples.len() - n_left >= self.min_samples_leaf
    }
}

/// Finds splits; its buffers are used again for the next feature.
#[derive(Default)]
pub(super) struct Splitter {
    keys: Vec<u64>,
    left: Vec<f64>,
    buckets: Buckets,
}

impl Splitter {
    /// Improves `best` by what `sweep.feature` has to offer; false if all samples have the same value.
    pub(super) fn consider<R: Rank>(
        &mut self,
        sweep: &Sweep<'_>,
        table: &Table<'_, R>,
        best: &mut Split,
    ) -> bool {
        let places = table.places(sweep.feature, sweep.samples.len());
        if let Places::Ranks(ranks) = places {
            let n_distinct = table.ranks.n_distinct(sweep.feature);
            if self.buckets.consider(sweep, ranks, n_distinct, best) {
                return true;
            }
        }
        self.sort_and_sweep(sweep, places, best)
    }

    fn sort_and_sweep<R: Rank>(
        &mut self,
        sweep: &Sweep<'_>,
        places: Places<'_, R>,
        best: &mut Split,
    ) -> bool {
        self.keys.clear();
        let samples = sweep.samples.iter().enumerate();
        self.keys
            .extend(samples.map(|(i, sample)| key(places.of(sample), i)));
        self.keys.sort_unstable();
        let (first, last) = (self.keys[0], self.keys[self.keys.len() - 1]);
        if first >> 32 == last >> 32 {
            return false;
        }
        self.left.clear();
        self.left.resize(sweep.totals.classes.len(), 0.0);
        sweep.offer_cuts(&self.keys, &mut self.left, 0, best);
        true
    }
}

/// Sorts by place, and says whose place it is.
#[inline(always)]
pub(super) fn key(place: u32, sample: usize) -> u64 {
    u64::from(place) << 32 | sample as u64
}
