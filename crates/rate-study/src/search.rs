//! Averages over the nearest points by Euclidean distance: k-nearest-neighbors regression where it has few dimensions.

mod line;
mod products;
mod tree;

use linfa_nn::{BallTree, KdTree, NearestNeighbour};
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What is averaged for which queries; the parts fit together.
#[derive(Clone, Copy)]
struct Asked<'a> {
    /// Shape `(n, dim)`.
    points: &'a Array2<f64>,
    /// Shape `(n, n_outputs)`.
    outputs: ArrayView2<'a, f32>,
    /// Shape `(n_queries, dim)`.
    queries: &'a Array2<f64>,
    /// Each from 1 to n.
    ks: &'a [usize],
}

/// How the nearest points are found. The averages are the same for all, up to rounding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Search {
    /// One dimension only: neighbors are a run of the sorted points, and sums over runs are differences of running sums.
    Line,
    /// `linfa-nn`'s k-d tree.
    KdTree,
    /// `linfa-nn`'s ball tree.
    BallTree,
    /// CARROT's own KNN, [`routers::Knn`], by float32 matrix products on vectors whose cosine orders as the distance of the points does.
    Products,
}

impl Search {
    /// The name, as in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::KdTree => "kd-tree",
            Self::BallTree => "ball-tree",
            Self::Products => "products",
        }
    }

    /// For each k, the mean outputs of the k points nearest to each query, of shape `(n_queries, n_outputs)`.
    ///
    /// `points` has shape `(n, dim)`, `outputs` `(n, n_outputs)`, `queries` `(n_queries, dim)`. Beyond these, memory grows with `n` and with `n_queries`, never
    /// with their product.
    ///
    /// # Errors
    /// [`Error::Shape`], [`Error::BadNeighbors`] when a k is 0 or exceeds n, [`Error::NotALine`], [`Error::Search`] or [`Error::Router`].
    pub fn means(
        self,
        points: &Array2<f64>,
        outputs: ArrayView2<'_, f32>,
        queries: &Array2<f64>,
        ks: &[usize],
    ) -> Result<Vec<Array2<f64>>> {
        let (n, dim) = points.dim();
        if outputs.nrows() != n {
            return Err(Error::Shape {
                what: "the matrix of outputs",
                expected: (n, outputs.ncols()),
                found: outputs.dim(),
            });
        }
        if queries.ncols() != dim {
            return Err(Error::Shape {
                what: "the matrix of queries",
                expected: (queries.nrows(), dim),
                found: queries.dim(),
            });
        }
        if let Some(&k) = ks.iter().find(|&&k| k == 0 || k > n) {
            return Err(Error::BadNeighbors { k, n_rows: n });
        }
        let asked = Asked {
            points,
            outputs: outputs.reborrow(),
            queries,
            ks,
        };
        match self {
            Self::Line if dim == 1 => Ok(line::means(asked)),
            Self::Line => Err(Error::NotALine { dim }),
            Self::KdTree => self.by_tree(&KdTree, asked),
            Self::BallTree => self.by_tree(&BallTree, asked),
            Self::Products => products::means(asked),
        }
    }

    fn by_tree(self, tree: &impl NearestNeighbour, asked: Asked<'_>) -> Result<Vec<Array2<f64>>> {
        tree::means(tree, asked).map_err(|message| Error::Search {
            search: self.name(),
            message,
        })
    }
}

#[cfg(test)]
mod tests;
