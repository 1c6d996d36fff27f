use std::{io, path::PathBuf};

use parquet::errors::ParquetError;
use untrusted_files::{Mistaken, OverBudget, Panicked};

/// What can be wrong with a table of someone else. Every variant names the file; rows count from 1, without a header.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A pipe, a device, or a folder where a file is needed.
    #[error("`{}` is {found}", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, and what to do.
        found: &'static str,
    },
    /// Something else lies under the file's name.
    #[error("`{}` is {found}", path.display())]
    Mistaken {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: Mistaken,
    },
    /// The file is no Parquet file, or only a piece of one.
    #[error("cannot read `{}` as Parquet: {what}", path.display())]
    NotParquet {
        /// The file.
        path: PathBuf,
        /// How that shows.
        what: &'static str,
    },
    /// The Parquet library refused the file.
    #[error("cannot read `{}` as Parquet", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: ParquetError,
    },
    /// The Parquet library panicked over the file.
    #[error("cannot read `{}` as Parquet", path.display())]
    Panicked {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: Panicked,
    },
    /// The file contradicts itself.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which two things do not agree.
        what: String,
    },
    /// The file needs more memory than it may have.
    #[error("`{}` is too large", path.display())]
    OverBudget {
        /// The file.
        path: PathBuf,
        /// How much it needs.
        source: OverBudget,
    },
    /// A column that is needed is missing.
    #[error("`{}` has no column `{column}`", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A column of a type that does not serve.
    #[error("column `{column}` of `{}` is `{found}`, expected {expected}", path.display())]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What would serve, in words.
        expected: &'static str,
        /// The file's type.
        found: String,
    },
    /// A value that does not serve.
    #[error("column `{column}` of `{}` is {found} in row {row}, expected {expected}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// The value.
        found: String,
        /// What would serve, in words.
        expected: &'static str,
    },
    /// A vector that is empty, or not as long as the others.
    #[error(
        "column `{column}` of `{}` has a list of {found} numbers in row {row}, expected {}", path.display(),
        expected.map_or("some".to_owned(), |n| format!("{n}, as in the rows before"))
    )]
    VectorLength {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// Its length.
        found: usize,
        /// The length of the others; none for an empty list.
        expected: Option<usize>,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn over_budget(path: impl Into<PathBuf>) -> impl FnOnce(OverBudget) -> Self {
        let path = path.into();
        move |source| Self::OverBudget { path, source }
    }
}
