//! Commands that messages tell users to run, each spelled once. Libraries do not know them: they name no program's flags.

use std::fmt::Display;

/// The command that fits a router of a data set and predicts its test part; with `n_train` for a point of its learning curve.
///
/// ```
/// assert_eq!(
///     cli_support::fit_command("sprout", "rorf", Some(500)),
///     "cargo run -p train-and-infer -- --dataset sprout --routers rorf --train-sizes 500"
/// );
/// ```
pub fn fit_command(dataset: &str, router: &str, n_train: Option<usize>) -> String {
    let sizes = n_train.map_or_else(String::new, |n| format!(" --train-sizes {n}"));
    format!("cargo run -p train-and-infer -- --dataset {dataset} --routers {router}{sizes}")
}

/// Why predictions cannot be used, and the command that makes new ones.
///
/// ```
/// assert_eq!(
///     cli_support::with_fit_command("`x` is too old", "sprout", "rorf", None),
///     "`x` is too old; regenerate it with `cargo run -p train-and-infer -- --dataset sprout --routers rorf`"
/// );
/// ```
pub fn with_fit_command(
    why: impl Display,
    dataset: &str,
    router: &str,
    n_train: Option<usize>,
) -> String {
    format!(
        "{why}; regenerate it with `{}`",
        fit_command(dataset, router, n_train)
    )
}
