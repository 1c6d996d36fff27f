//! One tree.

use std::ops::Range;

use rand::{Rng as _, RngCore};

use super::{
    model::{LEAF, Node},
    params::ForestParams,
    ranks::Rank,
    split::{Splitter, Table},
    sweep::{Sample, Split, Sweep, Totals},
};

/// A tree by itself: children and rows of `leaves` are counted from its own first.
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// For each leaf, the share of each class.
    pub(super) leaves: Vec<f32>,
}

/// A node yet to be split, and where to write down that it has become one.
struct Pending {
    samples: Range<usize>,
    depth: usize,
    parent: Option<(usize, Side)>,
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// Grows trees, one after the other; the buffers are used again.
pub(super) struct Grower<'a, 'v, R> {
    table: &'a Table<'v, R>,
    params: &'a ForestParams,
    n_drawn: usize,
    /// A permutation of all features; those drawn for a split stand in front.
    features: Vec<u32>,
    totals: Totals,
    splitter: Splitter,
    right: Vec<Sample>,
}

impl<'a, 'v, R: Rank> Grower<'a, 'v, R> {
    pub(super) fn new(table: &'a Table<'v, R>, params: &'a ForestParams) -> Self {
        let n_features = table.ranks.n_features();
        Self {
            table,
            params,
            n_drawn: params.max_features.of(n_features),
            features: Vec::new(),
            totals: Totals::default(),
            splitter: Splitter::default(),
            right: Vec::new(),
        }
    }

    pub(super) fn grow(&mut self, mut samples: Vec<Sample>, rng: &mut impl RngCore) -> Tree {
        // Not as the last tree left it: a tree must not depend on the others.
        self.features.clear();
        self.features
            .extend(0..self.table.ranks.n_features() as u32);
        let mut tree = Tree {
            nodes: Vec::new(),
            leaves: Vec::new(),
        };
        // A stack of our own rather than recursion: with one row per leaf a tree on sorted, noisy labels can be as deep as it has rows,
        // and the call stack of a rayon worker is small.
        let mut pending = vec![Pending {
            samples: 0..samples.len(),
            depth: 0,
            parent: None,
        }];
        while let Some(node) = pending.pop() {
            let index = tree.nodes.len();
            match node.parent {
                Some((parent, Side::Left)) => tree.nodes[parent].left = index as u32,
                Some((parent, Side::Right)) => tree.nodes[parent].right = index as u32,
                None => {}
            }
            let node_samples = &mut samples[node.samples.clone()];
            self.totals.count(node_samples, self.table.n_classes);
            let split = if self.can_split(node_samples, node.depth) {
                self.best_split(node_samples, rng)
            } else {
                Split::NONE
            };
            // No split found, or none allowed. A tree stops only here, so an impure node whose rows are all equal becomes a leaf with
            // mixed shares.
            if split == Split::NONE {
                tree.nodes.push(self.leaf(&mut tree.leaves));
                continue;
            }
            let (n_left, threshold) = self.cut(node_samples, split);
            tree.nodes.push(Node {
                feature: split.feature,
                threshold,
                left: 0,
                right: 0,
            });
            let middle = node.samples.start + n_left;
            for (samples, side) in [
                // The right side is pushed first and so popped last: nodes are written in preorder, a parent before its children.
                // `ForestArrays` relies on it to prove that a walk ends.
                (middle..node.samples.end, Side::Right),
                (node.samples.start..middle, Side::Left),
            ] {
                pending.push(Pending {
                    samples,
                    depth: node.depth + 1,
                    parent: Some((index, side)),
                });
            }
        }
        tree
    }

    fn can_split(&self, samples: &[Sample], depth: usize) -> bool {
        // `samples` are distinct rows, not draws: like scikit-learn, `min_samples_leaf` counts a row once however often the bootstrap
        // drew it.
        let is_shallow = self.params.max_depth.is_none_or(|most| depth < most);
        is_shallow && samples.len() / 2 >= self.params.min_samples_leaf && !self.totals.is_pure()
    }

    /// The best split on features that are drawn until there are enough of them and one is not constant.
    fn best_split(&mut self, samples: &[Sample], rng: &mut impl RngCore) -> Split {
        let n_features = self.features.len();
        let mut best = Split::NONE;
        let mut has_varied = false;
        for n_visited in 0..n_features {
            // As scikit-learn does: while all features so far were constant, more than were asked for are looked at, or a sparse table
            // would be all leaves.
            if n_visited >= self.n_drawn && has_varied {
                break;
            }
            let drawn = rng.random_range(n_visited as u32..n_features as u32);
            // Fisher and Yates, one step at a time: no feature is looked at twice, and nothing is shuffled beyond what is looked at.
            self.features.swap(n_visited, drawn as usize);
            let sweep = Sweep {
                feature: self.features[n_visited],
                samples,
                totals: &self.totals,
                min_samples_leaf: self.params.min_samples_leaf,
            };
            has_varied |= self.splitter.consider(&sweep, self.table, &mut best);
            // Both sides are pure; no later feature can be better.
            if best.score >= self.totals.weight {
                break;
            }
        }
        best
    }

    fn leaf(&self, leaves: &mut Vec<f32>) -> Node {
        let row = (leaves.len() / self.table.n_classes) as u32;
        let weights = self.totals.classes.iter();
        leaves.extend(weights.map(|weight| (weight / self.totals.weight) as f32));
        Node {
            feature: LEAF,
            threshold: 0.0,
            left: row,
            right: row,
        }
    }

    /// Moves the samples of the left side to the front, each side in its old order; returns their number and the threshold.
    fn cut(&mut self, samples: &mut [Sample], split: Split) -> (usize, f32) {
        let places = self.table.places(split.feature, samples.len());
        self.right.clear();
        let mut n_left = 0;
        // The threshold needs the two values next to the cut. The row goes along because a rank does not tell the value, only its place.
        let (mut below, mut above) = ((0, 0), (u32::MAX, 0));
        for i in 0..samples.len() {
            let sample = samples[i];
            let place = places.of(&sample);
            if place <= split.place {
                below = below.max((place, sample.row));
                samples[n_left] = sample;
                n_left += 1;
            } else {
                above = above.min((place, sample.row));
                self.right.push(sample);
            }
        }
        samples[n_left..].copy_from_slice(&self.right);
        // Read from the matrix only now: two look-ups per split, where keeping values beside ranks would double what the sweep reads.
        let value =
            |(_, row): (u32, u32)| self.table.values[[row as usize, split.feature as usize]];
        (n_left, midpoint(value(below), value(above)))
    }
}

/// The highest float32 that is not above the middle of two values. It parts float32 values as the middle itself would.
fn midpoint(low: f32, high: f32) -> f32 {
    let middle = f64::from(low) / 2.0 + f64::from(high) / 2.0;
    let rounded = middle as f32;
    if f64::from(rounded) > middle {
        rounded.next_down()
    } else {
        rounded
    }
}
