/// What a study refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that no study can use.
    #[error("`{name}` is {found}, expected {expected}")]
    BadSetting {
        /// The setting.
        name: String,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Points, values and queries of a regression do not fit together.
    #[error("{what} has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The matrix.
        what: &'static str,
        /// The shape that fits.
        expected: (usize, usize),
        /// Its shape.
        found: (usize, usize),
    },
    /// No number of neighbors that the points allow.
    #[error("{k} neighbors of {n_rows} points cannot be averaged, expected from 1 to all of them")]
    BadNeighbors {
        /// Neighbors wanted.
        k: usize,
        /// Points there are.
        n_rows: usize,
    },
    /// A search on a line was asked for points that do not lie on one.
    #[error("the search `line` is for 1 dimension, the points have {dim}; use `kd-tree`")]
    NotALine {
        /// Dimensions of the points.
        dim: usize,
    },
    /// A nearest-neighbor library refused the data.
    #[error("the search `{search}` failed: {message}")]
    Search {
        /// The search.
        search: &'static str,
        /// What the library said.
        message: String,
    },
    /// CARROT's own KNN refused the data.
    #[error("the search `products` failed")]
    Router(#[from] routers::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
