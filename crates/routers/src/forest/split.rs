//! The best split of a node on one feature.

use ndarray::ArrayView2;

use super::{
    buckets::Buckets,
    ranks::{Rank, Ranks, ordered},
    sweep::{Sample, Split, Sweep, key},
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
        // False means that all samples share one bucket, which says nothing about whether they differ inside it: then sorting decides.
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
        // Places and sample numbers are one integer, so that the sort compares and moves 8 bytes; the sample number also makes all keys
        // distinct, and an unstable sort has one result.
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
