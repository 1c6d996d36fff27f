use ndarray::{Array2, ArrayView2};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{
    bootstrap,
    grow::{Grower, Tree},
    model::{Forest, check_finite},
    params::{CheckedForestParams, ForestParams, MaxFeatures},
    ranks::{Rank, Ranks},
    split::Table,
};
use crate::{Error, Result};

impl CheckedForestParams {
    /// Grows trees that tell classes apart.
    ///
    /// ```text
    /// P(class k | x) = mean over trees of the share of class k in the leaf that x falls into
    /// a tree         : rows drawn with replacement; each node is cut where (feature, threshold) makes
    ///                  n_left * gini(left) + n_right * gini(right) least, over features drawn for this node
    /// gini(side)     = 1 - sum over k of (share of class k on that side)^2
    /// threshold      = the middle between the two neighboring values
    /// ```
    ///
    /// A node becomes a leaf when it is pure, at `max_depth`, too small for two leaves, or constant in all features. If all features drawn are
    /// constant in a node, more are drawn until one is not. `embeddings` has shape `(n_rows, n_features)`, `labels` `(n_rows)`, each below
    /// `n_classes`; a class without rows has probability 0 everywhere. `on_progress` counts trees.
    ///
    /// Cost: each feature is sorted once for all trees and kept as ranks (2 bytes a value up to 65,536 rows, else 4). Then for each tree, about
    /// `n_rows * depth * features drawn` ranks are looked up: a large node counts them in buckets and sorts only those buckets whose bound
    /// on the score reaches the best split so far, which gives the same split as sorting all; a small node sorts them. A bootstrap is a weight
    /// for each row; no value is copied.
    ///
    /// Source: scikit-learn's `RandomForestClassifier` with its defaults but for the seed, as in somerstep/CARROT at 3e6acff;
    /// Breiman, "Random Forests", 2001.
    ///
    /// # Deviations
    /// The reference builds its forest with `max_depth=20` and then overwrites it with a default one: here the parameters decide. Draws come
    /// from ChaCha with a stream for each tree, so trees are not those of scikit-learn's MT19937. scikit-learn takes values that differ by up
    /// to 1e-7 for equal; here any difference can be cut. Thresholds and shares are kept as float32: thresholds rounded down, which parts
    /// float32 rows as the exact middle does; shares to nearest. scikit-learn takes NaN as missing and fits a single class; both are refused.
    /// Of splits that are equally good, the one on the feature drawn first wins, then the lowest; scikit-learn means the same, but rounding
    /// decides there. Drawing stops as soon as both sides are pure, which changes later draws only.
    ///
    /// # Errors
    /// [`Error::Shape`] when labels and embeddings differ in rows; [`Error::Empty`] or [`Error::NotFinite`] for the embeddings;
    /// [`Error::LabelOutOfRange`]; [`Error::OneClass`]; [`Error::BadParameter`] when more features are to be drawn than there are;
    /// [`Error::TooManyRows`] or [`Error::TooManyNodes`].
    pub fn fit(
        &self,
        embeddings: ArrayView2<'_, f32>,
        labels: &[u8],
        n_classes: usize,
        on_progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Forest> {
        self.check_table(embeddings, labels, n_classes)?;
        // All ranks are below the number of rows.
        let trees = if embeddings.nrows() <= 1 << u16::BITS {
            grow_all::<u16>(&self.0, embeddings, labels, n_classes, on_progress)
        } else {
            grow_all::<u32>(&self.0, embeddings, labels, n_classes, on_progress)
        };
        plant(trees, embeddings.ncols(), n_classes)
    }

    fn check_table(
        &self,
        embeddings: ArrayView2<'_, f32>,
        labels: &[u8],
        n_classes: usize,
    ) -> Result<()> {
        let (n_rows, n_features) = embeddings.dim();
        if n_rows == 0 || n_features == 0 {
            return Err(Error::Empty {
                what: "embedding",
                shape: embeddings.dim(),
            });
        }
        if n_rows > u32::MAX as usize {
            return Err(Error::TooManyRows { n_rows });
        }
        if labels.len() != n_rows {
            return Err(Error::Shape {
                what: "label",
                expected: (n_rows, 1),
                found: (labels.len(), 1),
            });
        }
        if let Some(row) = labels.iter().position(|&label| label as usize >= n_classes) {
            return Err(Error::LabelOutOfRange {
                row,
                label: labels[row],
                n_classes,
            });
        }
        if labels.iter().all(|&label| label == labels[0]) {
            return Err(Error::OneClass {
                class: labels[0],
                n_rows,
            });
        }
        match self.0.max_features {
            MaxFeatures::Count(count) if count > n_features => {
                return Err(Error::BadParameter {
                    name: "max-features",
                    found: format!("a count of {count}"),
                    expected: "at most the number of features",
                });
            }
            _ => {}
        }
        check_finite(embeddings)
    }
}

fn grow_all<R: Rank>(
    params: &ForestParams,
    values: ArrayView2<'_, f32>,
    labels: &[u8],
    n_classes: usize,
    on_progress: &(dyn Fn(u64) + Sync),
) -> Vec<Tree> {
    let table = Table {
        values,
        ranks: Ranks::<R>::new(values),
        n_classes,
    };
    (0..params.n_trees as u64)
        .into_par_iter()
        .map_init(
            || Grower::new(&table, params),
            |grower, tree| {
                let mut rng = ChaCha8Rng::seed_from_u64(params.seed);
                // One stream per tree: a tree does not depend on how many others were grown, nor on which thread grew them.
                rng.set_stream(tree);
                let samples = bootstrap::samples(labels, params.bootstrap, &mut rng);
                let tree = grower.grow(samples, &mut rng);
                on_progress(1);
                tree
            },
        )
        .collect()
}

/// Sets trees one after the other.
fn plant(trees: Vec<Tree>, n_features: usize, n_classes: usize) -> Result<Forest> {
    let n_nodes = trees.iter().map(|tree| tree.nodes.len()).sum();
    if n_nodes > u32::MAX as usize {
        return Err(Error::TooManyNodes { n_nodes });
    }
    let mut roots = Vec::with_capacity(trees.len());
    let mut nodes = Vec::with_capacity(n_nodes);
    let mut leaves = Vec::with_capacity(trees.iter().map(|tree| tree.leaves.len()).sum());
    for tree in trees {
        let root = nodes.len() as u32;
        let first_leaf = (leaves.len() / n_classes) as u32;
        roots.push(root);
        nodes.extend(tree.nodes.into_iter().map(|mut node| {
            // In a leaf `left` and `right` are the row of its shares, elsewhere the numbers of nodes.
            let offset = if node.is_leaf() { first_leaf } else { root };
            node.left += offset;
            node.right += offset;
            node
        }));
        leaves.extend(tree.leaves);
    }
    let shape = (leaves.len() / n_classes, n_classes);
    Ok(Forest {
        n_features: n_features as u32,
        nodes,
        roots,
        leaves: Array2::from_shape_vec(shape, leaves)
            .expect("each leaf has a share for each class"),
    })
}

#[cfg(test)]
mod tests {
    use rand::Rng as _;

    use super::*;

    #[test]
    fn the_width_of_ranks_decides_nothing() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let values = Array2::from_shape_simple_fn((600, 9), || rng.random_range(-1.0_f32..1.0));
        let labels: Vec<u8> = (0..600).map(|_| rng.random_range(0..3)).collect();
        let params = ForestParams {
            n_trees: 5,
            max_depth: None,
            max_features: MaxFeatures::Sqrt,
            min_samples_leaf: 1,
            bootstrap: true,
            seed: 1,
        };
        let narrow = grow_all::<u16>(&params, values.view(), &labels, 3, &|_| ());
        let wide = grow_all::<u32>(&params, values.view(), &labels, 3, &|_| ());
        assert_eq!(plant(narrow, 9, 3).ok(), plant(wide, 9, 3).ok());
    }
}
