//! Cuts of a node, and what they are worth.

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
        // Not carried from bucket to bucket: what is left of these keys depends on which buckets were skipped before.
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
            // (l + a)^2 - l^2 = a (2 l + a), and the same with the other sign on the right: one class changes, so the sums over classes
            // need not be taken again.
            left_squares += added * (2.0 * before + added);
            right_squares -= added * (2.0 * (totals[class] - before) - added);
            left[class] = before + added;
            weight += added;
            n_left += 1;
            let place = (pair[0] >> 32) as u32;
            // Equal values cannot be parted, whatever the score between them would be.
            if place == (pair[1] >> 32) as u32 || !self.are_enough(n_left) {
                continue;
            }
            // The node's own impurity is the same for all its cuts, so the weighted Gini sum is compared without it, and without a
            // division by the node's weight.
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

/// Sorts by place, and says whose place it is.
#[inline(always)]
pub(super) fn key(place: u32, sample: usize) -> u64 {
    u64::from(place) << 32 | sample as u64
}
