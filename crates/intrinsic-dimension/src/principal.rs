use ndarray::{Array2, ArrayView2, Axis};
use serde::Serialize;

use crate::{CheckedDimensionParams, Error, Result, eigen, points, products};

/// Rows that are moved to their mean, in float64, at a time: 24 MiB at 1,536 dimensions.
pub(crate) const BLOCK: usize = 2_048;

/// The variance of points along their principal directions.
///
/// ```text
/// C = (X - m)^T (X - m) / (n - 1)
///   X  points                 (n, dim)
///   m  mean point             (dim)
///   C  covariance             (dim, dim); its eigenvalues are the variances
/// ```
///
/// # Deviations
/// From scikit-learn's `PCA`: none in the numbers. Where there are fewer points than dimensions, the eigenvalues are those of the points' Gram
/// matrix, which has the same ones but for zeros.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PrincipalComponents {
    /// Points that were looked at: all.
    pub n_points: usize,
    /// Length of an embedding.
    pub dim: usize,
    /// Variance along each direction, the largest first, `min(n_points, dim)` of them; `explained_variance_` in scikit-learn.
    pub variances: Vec<f64>,
    /// Share of the variance along the first 1, 2, ... directions; the last is 1.
    pub cumulative_shares: Vec<f64>,
    /// How many directions each share takes that was asked for.
    pub n_dimensions: Vec<ShareReached>,
}

/// A share of the variance, and what it takes to hold it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ShareReached {
    /// The share.
    pub share: f64,
    /// The least number of directions that hold at least this share.
    pub n_dimensions: usize,
}

impl CheckedDimensionParams {
    /// Principal components of all embeddings, of shape `(n_points, dim)`.
    ///
    /// # Errors
    /// [`Error::TooSmall`], [`Error::NotFinite`], or [`Error::Constant`] where all points are equal.
    pub fn principal_components(
        &self,
        embeddings: ArrayView2<'_, f32>,
    ) -> Result<PrincipalComponents> {
        points::check(embeddings)?;
        let (n_points, dim) = embeddings.dim();
        let mut scatter = if n_points < dim {
            gram_of_points(embeddings)
        } else {
            scatter(embeddings)
        };
        if scatter.diag().sum() == 0.0 {
            return Err(Error::Constant { n_points });
        }
        scatter /= (n_points - 1) as f64;
        let mut variances = eigen::all(scatter)?;
        // A direction without variance comes out as zero plus or minus rounding.
        variances
            .iter_mut()
            .for_each(|value| *value = value.max(0.0));
        let cumulative_shares = cumulative_shares(&variances);
        let n_dimensions = self
            .params()
            .variance_shares
            .iter()
            .map(|&share| ShareReached {
                share,
                n_dimensions: 1 + cumulative_shares.partition_point(|&reached| reached < share),
            })
            .collect();
        Ok(PrincipalComponents {
            n_points,
            dim,
            variances,
            cumulative_shares,
            n_dimensions,
        })
    }
}

/// Running sums over the total; the last is exactly 1, as it is the total over itself.
pub(crate) fn cumulative_shares(values: &[f64]) -> Vec<f64> {
    let sums: Vec<f64> = values
        .iter()
        .scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        })
        .collect();
    let total = sums.last().copied().unwrap_or_default();
    sums.iter().map(|sum| sum / total).collect()
}

/// `(X - m)^T (X - m)`, block of rows after block.
pub(crate) fn scatter(embeddings: ArrayView2<'_, f32>) -> Array2<f64> {
    let mean = points::mean(embeddings);
    let mut scatter = Array2::zeros((mean.len(), mean.len()));
    for block in embeddings.axis_chunks_iter(Axis(0), BLOCK) {
        let centered = block.mapv(f64::from) - &mean;
        products::add_gram(&mut scatter, centered.t());
    }
    products::mirror(&mut scatter);
    scatter
}

/// `(X - m) (X - m)^T`.
fn gram_of_points(embeddings: ArrayView2<'_, f32>) -> Array2<f64> {
    let centered = embeddings.mapv(f64::from) - &points::mean(embeddings);
    let mut gram = Array2::zeros((centered.nrows(), centered.nrows()));
    products::add_gram(&mut gram, centered.view());
    products::mirror(&mut gram);
    gram
}
