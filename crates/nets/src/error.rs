use std::path::PathBuf;

use tch::TchError;

/// What can go wrong with a net on libtorch. Every variant that concerns a file names it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The matrix of targets does not belong to the prompts and the model.
    #[error("the matrix of targets has shape {found:?}, expected {expected:?}: prompts by labels")]
    TargetShape {
        /// Prompts and labels.
        expected: (usize, usize),
        /// The matrix's shape.
        found: (usize, usize),
    },
    /// A target that cannot be learned.
    #[error(
        "the target in row {row} for label `{label}` is {found}, expected {expected}, or NaN where it is unknown"
    )]
    Target {
        /// The row, from 1.
        row: usize,
        /// The column's label.
        label: String,
        /// The target.
        found: f32,
        /// What it may be.
        expected: &'static str,
    },
    /// The model's files do not say how its outputs are learned.
    #[error("the model's config.json has no `problem_type`, so it can predict but not be trained")]
    NoProblemType,
    /// A part of the rows is empty.
    #[error("no prompt with a known target to {purpose}")]
    NoRows {
        /// What the rows are for.
        purpose: &'static str,
    },
    /// A validation row that is not there.
    #[error("validation row {row} (from 0) is not among {n_rows} prompts")]
    NoSuchRow {
        /// The row, from 0.
        row: u32,
        /// The prompts there are.
        n_rows: usize,
    },
    /// Training came to nothing.
    #[error(
        "{n_in_a_row} steps in a row, up to step {step}, had a loss or a gradient that is not finite; a smaller `learning-rate` may help"
    )]
    Diverged {
        /// Steps in a row that had to be skipped.
        n_in_a_row: u64,
        /// The last of them, from 1.
        step: u64,
    },
    /// The folder holds the checkpoint of another training.
    #[error("`{}` was written by a training with other data, parameters or another model; remove it, or train in another folder", path.display())]
    OtherCheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// libtorch refused, most likely for want of memory.
    #[error("libtorch failed to {action}")]
    Torch {
        /// What was tried, as a verb.
        action: &'static str,
        /// What libtorch said.
        source: TchError,
    },
    /// A model's files, a prompt, or a parameter.
    #[error(transparent)]
    Model(#[from] encoder::Error),
    /// The operating system refused, or a file is not JSON of the expected form.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn torch(action: &'static str) -> impl FnOnce(TchError) -> Self {
        move |source| Self::Torch { action, source }
    }
}

impl From<Error> for encoder::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Model(error) => error,
            error => Self::Other(error.into()),
        }
    }
}
