/// What a learner refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A hyper-parameter that no fit can use.
    #[error("`{name}` is {found}, expected {expected}")]
    BadParameter {
        /// The hyper-parameter.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// No rows or no columns to learn from.
    #[error("the {what} matrix has shape {shape:?}, expected at least one row and one column")]
    Empty {
        /// The matrix.
        what: &'static str,
        /// Its shape.
        shape: (usize, usize),
    },
    /// Two matrices that belong together differ in shape.
    #[error("the {what} matrix has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The matrix.
        what: &'static str,
        /// The shape that fits.
        expected: (usize, usize),
        /// Its shape.
        found: (usize, usize),
    },
    /// An embedding holds NaN or an infinity.
    #[error("embedding {row} (from 0) holds a value that is not finite")]
    NotFinite {
        /// The row, from 0.
        row: usize,
    },
    /// More rows than a row number of 32 bits can name.
    #[error("{n_rows} rows are more than the {} that a search can name", u32::MAX)]
    TooManyRows {
        /// Rows given.
        n_rows: usize,
    },
    /// A nearest-neighbor library refused the data.
    #[error("the `{backend}` search failed: {message}")]
    Backend {
        /// The back end.
        backend: &'static str,
        /// What the library said.
        message: String,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
