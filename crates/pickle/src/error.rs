use std::{io, path::PathBuf};

use untrusted_files::OverBudget;

/// What can go wrong with a pickle. Offsets count bytes from the start of the file, rows from 1.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot read `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file, what is in it, or what it would become in memory is larger than allowed.
    #[error(transparent)]
    OverBudget(#[from] OverBudget),
    /// The file does not begin as a pickle of protocol 2 to 5 does.
    #[error("not a pickle of protocol 2 to 5, at byte 0: {found}")]
    NotAPickle {
        /// What was found instead.
        found: String,
    },
    /// The file ends inside something.
    #[error(
        "the pickle is cut off: `{opcode}` at byte {offset} needs {needed} bytes, {left} are left"
    )]
    Truncated {
        /// Where the opcode is.
        offset: usize,
        /// The opcode.
        opcode: &'static str,
        /// What it says that follows.
        needed: u64,
        /// What does.
        left: usize,
    },
    /// The file names a class or function that is neither NumPy's nor pandas' for data.
    #[error(
        "refused to load `{global}` at byte {offset}: only NumPy and pandas data are read, nothing is executed"
    )]
    Refused {
        /// Where the name is loaded.
        offset: usize,
        /// Module and name.
        global: String,
    },
    /// An opcode that no pickle of a frame or an array needs.
    #[error("refused opcode `{opcode}` at byte {offset}: NumPy and pandas data do not need it")]
    Opcode {
        /// Where it is.
        offset: usize,
        /// Its name in Python's `pickletools`, or its number.
        opcode: String,
    },
    /// The file contradicts itself.
    #[error("malformed pickle at byte {offset}: {what}")]
    Malformed {
        /// Where.
        offset: usize,
        /// How.
        what: String,
    },
    /// Data of a kind that is not read.
    #[error("cannot read {what} at byte {offset}")]
    Unsupported {
        /// Where it is.
        offset: usize,
        /// The kind.
        what: String,
    },
    /// A value is of another type than was asked for.
    #[error("expected {expected} at byte {offset}, found {found}")]
    Type {
        /// Where the value is, or the one that holds it.
        offset: usize,
        /// What was asked for.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// An array has another shape than was asked for.
    #[error("the array at byte {offset} has shape {found:?}, expected {expected} dimensions")]
    Shape {
        /// Where the array is.
        offset: usize,
        /// The number of dimensions that was asked for.
        expected: usize,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A dictionary has no such key.
    #[error("no key `{key}` in the dictionary at byte {offset}")]
    NoKey {
        /// Where the dictionary is.
        offset: usize,
        /// The key.
        key: String,
    },
    /// The frame has no such column.
    #[error("the frame has no column `{column}`")]
    NoColumn {
        /// The column.
        column: String,
    },
    /// The frame has several columns of that name.
    #[error("the frame has {n_columns} columns named `{column}`")]
    AmbiguousColumn {
        /// The name.
        column: String,
        /// How many bear it.
        n_columns: usize,
    },
    /// A cell does not fit what was asked of its column.
    #[error("column `{column}` holds {found} in row {row}, expected {expected}")]
    Cell {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
        /// What was asked for.
        expected: &'static str,
        /// What was found.
        found: String,
    },
}

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn malformed(offset: usize, what: impl Into<String>) -> Self {
        Self::Malformed {
            offset,
            what: what.into(),
        }
    }

    pub(crate) fn unsupported(offset: usize, what: impl Into<String>) -> Self {
        Self::Unsupported {
            offset,
            what: what.into(),
        }
    }
}
