//! Which flag of this program helps against an error of a library, which knows no flags.

use cli_support::with_hint;
use saved_routers::Error;

/// Adds a hint, if the error or one of its causes has a flag as its cure.
pub(crate) fn add(error: anyhow::Error) -> anyhow::Error {
    let hint = error.chain().find_map(|cause| {
        let of_saved = cause.downcast_ref().and_then(of_saved_router);
        let of_fit = || cause.downcast_ref().and_then(of_fitting);
        of_saved.map(str::to_owned).or_else(of_fit)
    });
    match hint {
        Some(hint) => with_hint(error, hint),
        None => error,
    }
}

fn of_fitting(error: &fitting::Error) -> Option<String> {
    match error {
        fitting::Error::BadFolds { n_groups, .. } if *n_groups >= 2 => Some(format!(
            "ask for {n_groups} folds at most with `--cross-fit`"
        )),
        _ => None,
    }
}

fn of_saved_router(error: &Error) -> Option<&'static str> {
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
