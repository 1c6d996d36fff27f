//! Isomap's reconstruction error.

mod geodesics;
mod graph;
mod neighbors;

use ndarray::ArrayView2;
use rayon::iter::ParallelIterator as _;
use serde::Serialize;

use crate::{
    CheckedDimensionParams, Error, Result, eigen, kernel,
    points::{self, Stream},
    products,
};

/// How much of the distances along the points' surface is lost when they are laid out in few dimensions.
///
/// ```text
/// D     shortest paths in the graph that links each point with its nearest neighbors          (n, n)
/// G     = -1/2 (I - 1/n) D^2 (I - 1/n)              D^2 is elementwise                        (n, n)
/// e(k)  = sqrt(||G||_F^2 - sum of the squares of G's k largest eigenvalues) / n
/// ```
///
/// Where the graph falls apart, every two of its parts are linked by the pair of points that lie closest.
///
/// After Tenenbaum, de Silva and Langford, "A global geometric framework for nonlinear dimensionality reduction", Science 290 (2000), as
/// scikit-learn computes it (`Isomap(n_neighbors, n_components=k).fit(x).reconstruction_error()`, 1.9.1).
///
/// # Deviations
/// Of equally near neighbors those of lower rows are taken; scikit-learn's choice is open. Where a wanted eigenvalue is clearly negative, which takes
/// few points and many components, scikit-learn gives up; here it counts as zero. `k` above `n` counts as `n` in both. From the reference's
/// figure: the sample is another one, drawn by ChaCha8 where NumPy's generator draws with the same seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Isomap {
    /// Points in the sample.
    pub n_points: usize,
    /// Neighbors that each point was linked with.
    pub n_neighbors: usize,
    /// Parts of the graph before they were linked: above 1, the distances between parts say little, and more neighbors would be better.
    pub n_parts: usize,
    /// `||G||_F / n`: the error of no dimension at all, which says how large the others are.
    pub norm: f64,
    /// The error for each number of dimensions.
    pub errors: Vec<ReconstructionError>,
}

/// What is lost in a number of dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ReconstructionError {
    /// Dimensions the points were laid out in.
    pub n_components: usize,
    /// The error, in the unit of a squared distance.
    pub error: f64,
}

impl CheckedDimensionParams {
    /// Isomap's reconstruction errors on a sample of embeddings of shape `(n_points, dim)`.
    ///
    /// # Errors
    /// [`Error::TooSmall`], [`Error::NotFinite`], [`Error::Constant`] where all points of the sample are equal, [`Error::TooFewNeighbors`] where
    /// the sample has no more points than neighbors are wanted, or [`Error::NotConverged`].
    pub fn isomap(&self, embeddings: ArrayView2<'_, f32>) -> Result<Isomap> {
        let (seed, params) = (self.params().seed, &self.params().isomap);
        let points = points::sample(embeddings, params.n_points, seed, Stream::Isomap)?;
        let n_points = points.nrows();
        let n_neighbors = params.n_neighbors;
        if n_points <= n_neighbors {
            return Err(Error::TooFewNeighbors {
                n_points,
                n_neighbors,
            });
        }
        let distances = neighbors::Distances::new(points);
        let (graph, n_parts) = graph::link(&distances, n_neighbors);
        drop(distances);

        let mut kernel = geodesics::all(&graph);
        kernel.mapv_inplace(|distance| -0.5 * distance * distance);
        kernel::center(&mut kernel);
        let row_squares: Vec<f64> = products::rows(&kernel)
            .map(|row| row.iter().map(|value| value * value).sum())
            .collect();
        let squares: f64 = row_squares.iter().sum();

        let most = *params
            .n_components
            .last()
            .expect("checked parameters name a number of components");
        let mut eigenvalues = eigen::largest(kernel, most, seed, Stream::Isomap)?;
        kernel::clip(&mut eigenvalues);
        let n = n_points as f64;
        let errors = params
            .n_components
            .iter()
            .map(|&n_components| {
                let kept: f64 = eigenvalues.iter().take(n_components).map(|v| v * v).sum();
                ReconstructionError {
                    n_components,
                    error: (squares - kept).max(0.0).sqrt() / n,
                }
            })
            .collect();
        Ok(Isomap {
            n_points,
            n_neighbors,
            n_parts,
            norm: squares.sqrt() / n,
            errors,
        })
    }
}
