use std::{io, path::PathBuf};

use atomic_files::LockError;

/// What goes wrong with a log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A path that no log can have.
    #[error("a decision log cannot be called `{}`, expected a name that ends in `.jsonl`", path.display())]
    Name {
        /// The path.
        path: PathBuf,
    },
    /// There is nothing to read.
    #[error("there is no decision log at `{}`", path.display())]
    Missing {
        /// The log's file or folder.
        path: PathBuf,
    },
    /// A line that is none of a log.
    #[error("line {line} of `{}` is not of a decision log", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A line of another version of this program.
    #[error(
        "line {line} of `{}` has format version {found}, expected {}",
        path.display(),
        crate::LOG_FORMAT_VERSION
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// Its version.
        found: u32,
    },
    /// Another server writes the log.
    #[error(transparent)]
    Lock(#[from] LockError),
}

/// What this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// To be mapped over an error of the system.
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
}

/// An error with all that caused it, for a line of the program's own log.
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
