/// Why embeddings have no dimension to speak of.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A parameter that nothing can be computed with.
    #[error("`{name}` is {found}, expected {expected}")]
    BadParameter {
        /// The parameter.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Too few points, or points without coordinates.
    #[error("the embeddings have shape {shape:?}, expected at least two points and one dimension")]
    TooSmall {
        /// Points and dimensions given.
        shape: (usize, usize),
    },
    /// An embedding holds NaN or an infinity.
    #[error("embedding {row} (from 1) holds a value that is not finite")]
    NotFinite {
        /// The row, from 1.
        row: usize,
    },
    /// There is no variance to explain.
    #[error("all {n_points} points that were looked at are equal: they have no variance")]
    Constant {
        /// Points looked at.
        n_points: usize,
    },
    /// A point has fewer others around it than neighbors are wanted.
    #[error("{n_points} points have {} neighbors each at most, {n_neighbors} are wanted; lower `n-neighbors`", n_points - 1)]
    TooFewNeighbors {
        /// Points in the sample.
        n_points: usize,
        /// Neighbors wanted.
        n_neighbors: usize,
    },
    /// An eigenvalue is not known well enough.
    #[error(
        "eigenvalue {index} (from 1) of {n_eigenvalues} has a residual of {residual:.1e} of the largest, more than {tolerance:.0e}"
    )]
    NotConverged {
        /// The eigenvalue, from 1, the largest first.
        index: usize,
        /// Eigenvalues wanted.
        n_eigenvalues: usize,
        /// Length of `A v - lambda v`, relative to the largest eigenvalue.
        residual: f64,
        /// The residual allowed.
        tolerance: f64,
    },
    /// The eigen-solver refused the matrix.
    #[error("failed to compute the eigenvalues of a {size} x {size} matrix")]
    Eigenvalues {
        /// Rows of the matrix.
        size: usize,
        /// What the solver says.
        source: linfa_linalg::LinalgError,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
