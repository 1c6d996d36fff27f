use ndarray::{Array2, ArrayView2, s};
use rayon::prelude::*;

use crate::{Error, Result};

/// Stands for the feature of a node that is a leaf.
pub const LEAF: u32 = u32::MAX;

/// Rows that walk down one tree after the other: enough to keep a tree in the cache, few enough to stay there themselves.
const ROWS_PER_BLOCK: usize = 64;

/// Rows that walk side by side: while one waits for its next node, the others go on.
const ROWS_IN_STEP: usize = 8;

/// A fitted random forest; made by [`super::CheckedForestParams::fit`], or from [`super::ForestArrays`].
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    pub(super) n_features: u32,
    /// All trees, one after the other.
    pub(super) nodes: Vec<Node>,
    /// The first node of each tree.
    pub(super) roots: Vec<u32>,
    /// Shape `(n_leaves, n_classes)`.
    pub(super) leaves: Array2<f32>,
}

/// A node of a tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    /// [`LEAF`] if there are no children.
    pub(super) feature: u32,
    /// The highest value that goes left.
    pub(super) threshold: f32,
    /// A child, or the row of a leaf.
    pub(super) left: u32,
    /// A child, or the row of a leaf.
    pub(super) right: u32,
}

impl Node {
    #[inline(always)]
    pub(super) fn is_leaf(&self) -> bool {
        self.feature == LEAF
    }
}

impl Forest {
    /// Number of features of a row.
    pub fn n_features(&self) -> usize {
        self.n_features as usize
    }

    /// Number of classes.
    pub fn n_classes(&self) -> usize {
        self.leaves.ncols()
    }

    /// Number of trees.
    pub fn n_trees(&self) -> usize {
        self.roots.len()
    }

    /// Number of nodes of all trees, leaves included.
    pub fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The probability of each class for some rows of shape `(n_queries, n_features)`; shape `(n_queries, n_classes)`.
    ///
    /// It is the mean over trees of the class shares in the leaf that a row comes to. It does not depend on the other rows.
    ///
    /// # Errors
    /// [`Error::Shape`] when the number of features is not the fitted one; [`Error::NotFinite`].
    pub fn predict_proba(&self, embeddings: ArrayView2<'_, f32>) -> Result<Array2<f64>> {
        let (n_queries, n_features) = embeddings.dim();
        if n_features != self.n_features() {
            return Err(Error::Shape {
                what: "query embedding",
                expected: (n_queries, self.n_features()),
                found: (n_queries, n_features),
            });
        }
        check_finite(embeddings)?;
        let n_classes = self.n_classes();
        let mut probabilities = vec![0.0; n_queries * n_classes];
        probabilities
            .par_chunks_mut(ROWS_PER_BLOCK * n_classes)
            .enumerate()
            .for_each(|(block, probabilities)| {
                let first = block * ROWS_PER_BLOCK;
                let end = n_queries.min(first + ROWS_PER_BLOCK);
                self.predict_block(embeddings.slice(s![first..end, ..]), probabilities);
            });
        Ok(
            Array2::from_shape_vec((n_queries, n_classes), probabilities)
                .expect("each query has a probability for each class"),
        )
    }

    fn predict_block(&self, rows: ArrayView2<'_, f32>, probabilities: &mut [f64]) {
        // A walk reads one value here and one there of its row, so rows should lie in one piece; a copy is made only where they do not.
        let rows = rows.as_standard_layout();
        let rows: Vec<&[f32]> = rows
            .outer_iter()
            .map(|row| row.to_slice().expect("rows are in standard layout"))
            .collect();
        let n_classes = self.n_classes();
        // Trees outside, rows inside: the upper nodes of a tree stay in the cache while a block of rows walks down. The sum of each row
        // is in the order of the trees either way.
        for &root in &self.roots {
            let sums = probabilities.chunks_mut(ROWS_IN_STEP * n_classes);
            for (rows, sums) in rows.chunks(ROWS_IN_STEP).zip(sums) {
                let leaves = self.leaves_of(root, rows);
                for (leaf, sums) in leaves.iter().zip(sums.chunks_exact_mut(n_classes)) {
                    for (sum, &share) in sums.iter_mut().zip(self.leaves.row(*leaf as usize)) {
                        *sum += f64::from(share);
                    }
                }
            }
        }
        for probability in probabilities {
            *probability /= self.n_trees() as f64;
        }
    }

    /// Walks some rows down one tree, all by one node at a time; returns the leaf of each.
    fn leaves_of(&self, root: u32, rows: &[&[f32]]) -> [u32; ROWS_IN_STEP] {
        let mut nodes = [self.nodes[root as usize]; ROWS_IN_STEP];
        let mut has_moved = true;
        while has_moved {
            has_moved = false;
            for (node, row) in nodes.iter_mut().zip(rows) {
                if !node.is_leaf() {
                    let goes_left = row[node.feature as usize] <= node.threshold;
                    let child = if goes_left { node.left } else { node.right };
                    *node = self.nodes[child as usize];
                    has_moved = true;
                }
            }
        }
        // A leaf keeps the row of its shares where an inner node has its children, see `LEAF`.
        nodes.map(|node| node.left)
    }
}

/// Refuses a matrix with a value that is NaN or infinite.
pub(super) fn check_finite(embeddings: ArrayView2<'_, f32>) -> Result<()> {
    let mut rows = embeddings.rows().into_iter();
    match rows.position(|row| !row.iter().all(|value| value.is_finite())) {
        Some(row) => Err(Error::NotFinite { row }),
        None => Ok(()),
    }
}
