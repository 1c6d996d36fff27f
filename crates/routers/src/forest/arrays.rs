use std::ops::Range;

use ndarray::Array2;

use super::model::{Forest, LEAF, Node};
use crate::{Error, Result};

/// How far the shares of a leaf may be from a sum of 1. Rounding to float32 moves each by at most 6e-8.
const SUM_TOLERANCE: f32 = 1e-4;

/// A forest as flat arrays, which can be stored and read back.
///
/// Trees stand one after the other. Each begins with its root, and a node stands before its children, so that a walk from a root must end.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestArrays {
    /// Number of features of the rows that the forest was fitted on.
    pub n_features: u32,
    /// The root of each tree; shape `(n_trees)`.
    pub roots: Vec<u32>,
    /// For each node, the feature that it looks at, or [`LEAF`]; shape `(n_nodes)`.
    pub features: Vec<u32>,
    /// For each node, the highest value that goes left; 0 for a leaf. Shape `(n_nodes)`.
    pub thresholds: Vec<f32>,
    /// For each node, its left child; for a leaf, its row in `leaves`. Shape `(n_nodes)`.
    pub lefts: Vec<u32>,
    /// For each node, its right child; for a leaf, its row in `leaves`. Shape `(n_nodes)`.
    pub rights: Vec<u32>,
    /// For each leaf, the share of each class; shape `(n_leaves, n_classes)`.
    pub leaves: Array2<f32>,
}

impl Forest {
    /// The forest as arrays, for a file.
    pub fn to_arrays(&self) -> ForestArrays {
        let nodes = self.nodes.iter();
        ForestArrays {
            n_features: self.n_features,
            roots: self.roots.clone(),
            features: nodes.clone().map(|node| node.feature).collect(),
            thresholds: nodes.clone().map(|node| node.threshold).collect(),
            lefts: nodes.clone().map(|node| node.left).collect(),
            rights: nodes.map(|node| node.right).collect(),
            leaves: self.leaves.clone(),
        }
    }

    /// The forest that some arrays describe.
    ///
    /// # Errors
    /// [`Error::BadForest`] where they describe none: lengths that differ, a child that is outside its tree, stands before its parent or has two,
    /// a feature that no row has, a threshold that is not finite, a leaf that is not there or whose shares are no distribution.
    pub fn from_arrays(arrays: ForestArrays) -> Result<Self> {
        check_lengths(&arrays)?;
        check_leaves(&arrays.leaves)?;
        let n_nodes = arrays.features.len();
        let ends = arrays.roots[1..].iter().map(|&root| root as usize);
        let trees = arrays.roots.iter().zip(ends.chain([n_nodes]));
        for (tree, (&root, end)) in trees.enumerate() {
            let nodes = root as usize..end;
            if nodes.is_empty() || end > n_nodes || (tree == 0 && root != 0) {
                return Err(bad("roots", tree, "is not where a tree can begin"));
            }
            check_tree(&arrays, nodes)?;
        }
        let nodes = (0..n_nodes).map(|i| Node {
            feature: arrays.features[i],
            threshold: arrays.thresholds[i],
            left: arrays.lefts[i],
            right: arrays.rights[i],
        });
        Ok(Self {
            n_features: arrays.n_features,
            nodes: nodes.collect(),
            roots: arrays.roots,
            leaves: arrays.leaves,
        })
    }
}

fn check_lengths(arrays: &ForestArrays) -> Result<()> {
    let n_nodes = arrays.features.len();
    for (array, length) in [
        ("thresholds", arrays.thresholds.len()),
        ("lefts", arrays.lefts.len()),
        ("rights", arrays.rights.len()),
    ] {
        if length != n_nodes {
            return Err(bad(array, length.min(n_nodes), "is without its node"));
        }
    }
    if n_nodes > u32::MAX as usize {
        return Err(bad(
            "features",
            u32::MAX as usize,
            "is more than 32 bits can name",
        ));
    }
    if arrays.roots.is_empty() {
        return Err(bad(
            "roots",
            0,
            "is missing; a forest has at least one tree",
        ));
    }
    Ok(())
}

fn check_leaves(leaves: &Array2<f32>) -> Result<()> {
    if leaves.ncols() == 0 || leaves.ncols() > 1 << u8::BITS {
        return Err(bad("leaves", 0, "has no class, or more than 256"));
    }
    for (row, shares) in leaves.rows().into_iter().enumerate() {
        // A sum that is not a number fails as well.
        let is_distribution =
            shares.iter().all(|&share| share >= 0.0) && (shares.sum() - 1.0).abs() <= SUM_TOLERANCE;
        if !is_distribution {
            let problem = "holds shares that are negative, not numbers, or do not sum to 1";
            return Err(bad("leaves", row, problem));
        }
    }
    Ok(())
}

fn check_tree(arrays: &ForestArrays, nodes: Range<usize>) -> Result<()> {
    let mut has_parent = vec![false; nodes.len()];
    for node in nodes.clone() {
        if arrays.features[node] == LEAF {
            for (array, row) in [
                ("lefts", arrays.lefts[node]),
                ("rights", arrays.rights[node]),
            ] {
                if row as usize >= arrays.leaves.nrows() || row != arrays.lefts[node] {
                    return Err(bad(array, node, "is not the row of one leaf"));
                }
            }
            continue;
        }
        if arrays.features[node] >= arrays.n_features {
            return Err(bad("features", node, "is not a feature"));
        }
        if !arrays.thresholds[node].is_finite() {
            return Err(bad("thresholds", node, "is not finite"));
        }
        for (array, child) in [
            ("lefts", arrays.lefts[node]),
            ("rights", arrays.rights[node]),
        ] {
            let child = child as usize;
            if child <= node || child >= nodes.end {
                return Err(bad(array, node, "is not a later node of the same tree"));
            }
            if std::mem::replace(&mut has_parent[child - nodes.start], true) {
                return Err(bad(array, node, "is a child of another node as well"));
            }
        }
    }
    match has_parent[1..].iter().position(|&has_parent| !has_parent) {
        Some(orphan) => Err(bad(
            "features",
            nodes.start + 1 + orphan,
            "is a node without a parent",
        )),
        None => Ok(()),
    }
}

fn bad(array: &'static str, index: usize, problem: &'static str) -> Error {
    Error::BadForest {
        array,
        index,
        problem,
    }
}
