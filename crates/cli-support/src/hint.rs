//! Errors with advice. Libraries say what is wrong; only a program knows which of its flags, or which command, helps.

use std::fmt;

/// An error that ends in what to do about it.
#[derive(Debug)]
struct Hinted {
    error: anyhow::Error,
    hint: String,
}

/// Adds a hint to an error, on a line of its own below it.
///
/// ```
/// let error = anyhow::anyhow!("there is no disk").context("cannot save `x`");
/// let error = cli_support::with_hint(error, "insert one");
/// assert_eq!(error.to_string(), "cannot save `x`: there is no disk\nhint: insert one");
/// ```
pub fn with_hint(error: anyhow::Error, hint: impl Into<String>) -> anyhow::Error {
    let hint = hint.into();
    Hinted { error, hint }.into()
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}\nhint: {}", self.error, self.hint)
    }
}

// Without a source: the text above has the whole chain already.
impl std::error::Error for Hinted {}
