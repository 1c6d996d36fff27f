//! Which flag of this program helps against an error of a library, which knows no flags.

use std::fmt;

use saved_routers::Error;

/// An error with the flag that helps; its message is the error's, causes included, with the hint behind it.
#[derive(Debug)]
struct Hinted {
    error: anyhow::Error,
    hint: &'static str,
}

/// Adds a hint, if there is one for the error or one of its causes.
pub(crate) fn add(error: anyhow::Error) -> anyhow::Error {
    let hint = error
        .chain()
        .find_map(|cause| cause.downcast_ref().and_then(hint));
    match hint {
        Some(hint) => Hinted { error, hint }.into(),
        None => error,
    }
}

fn hint(error: &Error) -> Option<&'static str> {
    match error {
        Error::UnnamedOutputs { .. } => Some("`--label-order` takes the names"),
        Error::LabelOrderLength { .. } | Error::NotInLabelOrder { .. } => {
            Some("the label order is the value of `--label-order`")
        }
        _ => None,
    }
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}; {}", self.error, self.hint)
    }
}

impl std::error::Error for Hinted {}
