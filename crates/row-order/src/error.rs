/// What an audit refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A parameter that no audit can use.
    #[error("`{name}` is {found}, expected {expected}")]
    BadParameter {
        /// The parameter.
        name: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: &'static str,
    },
    /// Nothing to audit.
    #[error("there are no {what} to audit")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// A task has not one place for each LLM.
    #[error(
        "task `{task}` has {found} columns, expected {expected}, one for each LLM (none where it was not evaluated)"
    )]
    Columns {
        /// The task.
        task: String,
        /// Its columns.
        found: usize,
        /// The LLMs.
        expected: usize,
    },
    /// The columns of a task differ in length.
    #[error("task `{task}` has {found} rows of `{model}` and {expected} of `{first}`")]
    Rows {
        /// The task.
        task: String,
        /// The LLM whose column differs.
        model: String,
        /// Its rows.
        found: usize,
        /// The first LLM of the task.
        first: String,
        /// That LLM's rows.
        expected: usize,
    },
    /// A score is infinite.
    #[error(
        "task `{task}`, row {row} of `{model}` is {found}, expected a finite number, or NaN where it is unknown"
    )]
    NotFinite {
        /// The task.
        task: String,
        /// The LLM.
        model: String,
        /// The row, from 1.
        row: usize,
        /// The score.
        found: f64,
    },
    /// With so few permutations no p-value can be small enough.
    #[error(
        "{n_permutations} permutations cannot show anything of {n_models} LLMs at significance {significance}: take at least {needed}"
    )]
    TooFewPermutations {
        /// Permutations asked for.
        n_permutations: usize,
        /// LLMs whose scores vary.
        n_models: usize,
        /// The significance asked for.
        significance: f64,
        /// Permutations that suffice.
        needed: usize,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
