use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::Serialize;

use crate::{
    CheckedDimensionParams, Result, eigen,
    points::{self, Stream},
    principal::cumulative_shares,
    products,
};

/// An eigenvalue below this share of the largest is rounding and counts as zero, as in scikit-learn (`_check_psd_eigenvalues`, 1.9.1).
const ZERO: f64 = 1e-12;

/// Kernel principal components: the variance of points after the map whose inner products are a Gaussian kernel.
///
/// ```text
/// K[i][j] = exp(-gamma * ||x_i - x_j||^2)
/// G       = (I - 1/n) K (I - 1/n)
///   x_i    point                                  (dim)
///   gamma  gamma_times_dim / dim
///   n      points in the sample
///   G      centered kernel; its eigenvalues are the result      (n, n)
/// ```
///
/// # Deviations
/// From scikit-learn's `KernelPCA(kernel="rbf")`: none in the numbers, whose eigenvalues are not divided by n either. From the reference's figure:
/// the sample is another one, drawn by ChaCha8 where NumPy's generator draws with the same seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KernelComponents {
    /// Points in the sample.
    pub n_points: usize,
    /// The kernel's gamma.
    pub gamma: f64,
    /// The largest eigenvalues of the centered kernel, the largest first; `eigenvalues_` in scikit-learn.
    pub eigenvalues: Vec<f64>,
    /// Sum of all n eigenvalues, those that were not asked for too.
    pub total: f64,
    /// Running sums of `eigenvalues` over `total`: the share of all variance.
    pub cumulative_shares: Vec<f64>,
    /// Running sums of `eigenvalues` over their own sum; the last is 1.
    pub cumulative_shares_of_listed: Vec<f64>,
}

impl CheckedDimensionParams {
    /// Kernel principal components of a sample of embeddings of shape `(n_points, dim)`.
    ///
    /// # Errors
    /// [`crate::Error::TooSmall`], [`crate::Error::NotFinite`], [`crate::Error::Constant`] where all points of the sample are equal, or
    /// [`crate::Error::NotConverged`].
    pub fn kernel_components(&self, embeddings: ArrayView2<'_, f32>) -> Result<KernelComponents> {
        let (seed, params) = (self.params().seed, &self.params().kernel);
        let points = points::sample(embeddings, params.n_points, seed, Stream::Kernel)?;
        let (n_points, dim) = points.dim();
        let gamma = params.gamma_times_dim / dim as f64;

        let mut kernel = Array2::zeros((n_points, n_points));
        products::add_gram(&mut kernel, points.view());
        products::mirror(&mut kernel);
        let squares = kernel.diag().to_vec();
        products::rows_mut(&mut kernel)
            .enumerate()
            .for_each(|(i, row)| {
                for (j, value) in row.iter_mut().enumerate() {
                    // Rounding must not make a distance negative. The kernel less 1 is the same once it is centered, and where gamma is small it
                    // keeps the digits that kernels near 1 would lose.
                    let squared_distance = (squares[i] + squares[j] - 2.0 * *value).max(0.0);
                    *value = (-gamma * squared_distance).exp_m1();
                }
                row[i] = 0.0;
            });
        center(&mut kernel);
        let total = kernel.diag().sum();
        let mut eigenvalues = eigen::largest(kernel, params.n_components, seed, Stream::Kernel)?;
        clip(&mut eigenvalues);
        let cumulative_shares_of_listed = cumulative_shares(&eigenvalues);
        let listed: f64 = eigenvalues.iter().sum();
        Ok(KernelComponents {
            n_points,
            gamma,
            cumulative_shares: cumulative_shares_of_listed
                .iter()
                .map(|share| share * (listed / total))
                .collect(),
            eigenvalues,
            total,
            cumulative_shares_of_listed,
        })
    }
}

/// `(I - 1/n) K (I - 1/n)` in place, for a symmetric matrix: each value less the means of its row and of its column, plus the mean of all.
pub(crate) fn center(matrix: &mut Array2<f64>) {
    let n = matrix.nrows() as f64;
    // Of a symmetric matrix, these are the means of the columns too.
    let means: Vec<f64> = products::rows(matrix)
        .map(|row| row.iter().sum::<f64>() / n)
        .collect();
    let mean = means.iter().sum::<f64>() / n;
    products::rows_mut(matrix).enumerate().for_each(|(i, row)| {
        for (value, &column_mean) in row.iter_mut().zip(&means) {
            // The sum of both means first: their order must not matter, or the result would not be symmetric.
            *value -= (means[i] + column_mean) - mean;
        }
    });
}

/// Negative eigenvalues, which no coordinates have, and those that are rounding become zero.
pub(crate) fn clip(eigenvalues: &mut [f64]) {
    let largest = eigenvalues.first().copied().unwrap_or_default();
    for value in eigenvalues {
        if *value < ZERO * largest {
            *value = 0.0;
        }
    }
}
