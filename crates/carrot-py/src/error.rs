use std::fmt::Write as _;

use pyo3::{PyErr, create_exception, exceptions::PyValueError};

create_exception!(
    carrot_router,
    CarrotError,
    PyValueError,
    "What cannot be done with what was given, in the words of the programs."
);

/// A library's error with its sources, as the programs print it.
pub(crate) fn raise(error: impl std::error::Error) -> PyErr {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        // A transparent error has the words of its source.
        let words = cause.to_string();
        if !text.ends_with(&words) {
            let _ = write!(text, ": {words}");
        }
        source = cause.source();
    }
    CarrotError::new_err(text)
}

/// An error of this crate's own.
pub(crate) fn refuse(text: impl Into<String>) -> PyErr {
    CarrotError::new_err(text.into())
}
