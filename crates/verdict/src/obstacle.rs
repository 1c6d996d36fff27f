use crate::Error;

/// Why there is no number.
#[derive(Debug)]
pub(crate) enum Obstacle {
    /// Something is missing, or is not what the number needs.
    NotRun(String),
    /// Something that exists cannot be used.
    Failed(Error),
}

impl Obstacle {
    /// Nothing is known of what a number would be made of.
    pub(crate) fn nothing_known(what: impl Into<String>) -> Self {
        Self::Failed(Error::NothingKnown { what: what.into() })
    }
}

impl<E: Into<Error>> From<E> for Obstacle {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
