//! How many dimensions embeddings use, of those that they have: three spectra that show where the variance ends.
//!
//! Holds principal components, kernel principal components and Isomap's reconstruction error, each as scikit-learn defines it. In come embeddings of
//! shape `(n_points, dim)` and [`DimensionParams`], out come plain numbers ([`Dimension`]), ready for a figure. Must not know a file format, a prompt,
//! a router, or how anything is drawn.
//!
//! - [`PrincipalComponents`]: the variance along each direction, and the number of directions that hold 90% of it; all points. [`PrincipalAxes`] are
//!   the directions, for whoever wants fewer numbers.
//! - [`KernelComponents`]: the same after a nonlinear map (a Gaussian kernel), on a sample.
//! - [`Isomap`]: what is lost when distances along the surface that the points lie on are laid out flat in k dimensions, on a sample.
//!
//! After CARROT (somerstep/CARROT at 3e6acff, `plots_bw`, figure `sprout_embedding_dim`), which stores no values of this figure.
//!
//! # What computes it
//! Matrix products are `gemm`'s, in float64. All eigenvalues come from `linfa-linalg`'s `eigvalsh`, the largest few of a large matrix from its LOBPCG
//! with residuals that are checked. `linfa-reduction` has neither kernel components nor Isomap, and its `Pca` divides by the number of components that
//! were asked for where the number of points belongs.
//!
//! ```
//! use intrinsic_dimension::{DimensionParams, IsomapParams, KernelParams};
//! use ndarray::Array2;
//!
//! // A circle, in three dimensions.
//! let embeddings = Array2::from_shape_fn((100, 3), |(point, axis)| {
//!     let angle = std::f32::consts::TAU * point as f32 / 100.0;
//!     [angle.cos(), angle.sin(), 0.0][axis]
//! });
//! let params = DimensionParams {
//!     seed: 42,
//!     variance_shares: vec![0.9],
//!     kernel: KernelParams { n_points: 50, gamma_times_dim: 1.0, n_components: 5 },
//!     isomap: IsomapParams { n_points: 50, n_neighbors: 4, n_components: vec![1, 2] },
//! };
//! let dimension = params.check()?.analyze(embeddings.view())?;
//! assert_eq!(dimension.principal.n_dimensions[0].n_dimensions, 2);
//! # Ok::<(), intrinsic_dimension::Error>(())
//! ```

mod axes;
mod eigen;
mod error;
mod isomap;
mod kernel;
mod params;
mod points;
mod principal;
mod products;

use ndarray::ArrayView2;
use serde::Serialize;

pub use axes::PrincipalAxes;
pub use error::{Error, Result};
pub use isomap::{Isomap, ReconstructionError};
pub use kernel::KernelComponents;
pub use params::{CheckedDimensionParams, DimensionParams, IsomapParams, KernelParams};
pub use principal::{PrincipalComponents, ShareReached};

/// What the figure `sprout_embedding_dim` is drawn from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dimension {
    /// Principal components of all points.
    pub principal: PrincipalComponents,
    /// Kernel principal components of a sample.
    pub kernel: KernelComponents,
    /// Isomap's reconstruction error on another sample.
    pub isomap: Isomap,
}

impl CheckedDimensionParams {
    /// All three computations for embeddings of shape `(n_points, dim)`.
    ///
    /// Costs `n_points * dim^2` and `4 / 3 * dim^3` multiplications for the principal components and some `100 * n^2` for each sample of `n`; memory
    /// is two float64 matrices of the larger sample's size.
    ///
    /// # Errors
    /// As [`Self::principal_components`], [`Self::kernel_components`] and [`Self::isomap`].
    pub fn analyze(&self, embeddings: ArrayView2<'_, f32>) -> Result<Dimension> {
        Ok(Dimension {
            principal: self.principal_components(embeddings)?,
            kernel: self.kernel_components(embeddings)?,
            isomap: self.isomap(embeddings)?,
        })
    }
}
