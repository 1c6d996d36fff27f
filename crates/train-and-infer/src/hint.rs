//! Which flag of this program helps against an error of a library, which knows no flags.

use cli_support::with_hint;
use saved_routers::Error;

/// Adds a hint, if the error or one of its causes has a flag as its cure.
pub(crate) fn add(error: anyhow::Error) -> anyhow::Error {
    let hint = error
        .chain()
        .find_map(|cause| cause.downcast_ref().and_then(hint));
    match hint {
        Some(hint) => with_hint(error, hint),
        None => error,
    }
}

fn hint(error: &Error) -> Option<&'static str> {
    match error {
        Error::UnnamedOutputs { .. } => {
            Some("give the LLMs' names in the order of the outputs with `--label-order`")
        }
        Error::LabelOrderLength { .. } | Error::NotInLabelOrder { .. } => {
            Some("correct the names given with `--label-order`")
        }
        _ => None,
    }
}
