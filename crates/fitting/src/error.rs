/// Why a router cannot be fitted or cross-fitted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What the data set's crate refuses, such as a pair that is not two of the LLMs.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// What the learner refuses.
    #[error(transparent)]
    Learner(#[from] routers::Error),
    /// A forest cannot be grown on the pair's scores.
    #[error("cannot learn from the pair's scores")]
    PairScores(#[source] routers::Error),
    /// What the format of saved routers refuses, or a disk that is full.
    #[error(transparent)]
    Saved(#[from] saved_routers::Error),
    /// What the measure refuses.
    #[error(transparent)]
    Measure(#[from] evaluation::Error),
    /// All train prompts have one label.
    #[error(
        "the small LLM of the pair scores at least as high as the large one on {n_small} train prompts, and lower on {n_large}: there is \
         nothing to learn"
    )]
    OneLabel {
        /// Prompts on which the small LLM does at least as well.
        n_small: usize,
        /// Prompts on which it does not.
        n_large: usize,
    },
    /// Folds of which some would be empty.
    #[error(
        "{n_groups} prompts or groups of prompts cannot be dealt to {n_folds} folds, expected at least 2 folds and a group for each"
    )]
    BadFolds {
        /// Groups of prompts that stay together.
        n_groups: usize,
        /// Folds asked for.
        n_folds: usize,
    },
    /// Groups of other rows.
    #[error("{n_groups} groups were given for {n_rows} prompts")]
    GroupCount {
        /// Groups given, one for each prompt.
        n_groups: usize,
        /// Prompts.
        n_rows: usize,
    },
    /// Tables, embeddings and folds that belong together differ in rows.
    #[error("the {what} has {found} rows, expected {expected}")]
    RowCount {
        /// Which of them.
        what: &'static str,
        /// Its rows.
        found: usize,
        /// The rows of the table.
        expected: usize,
    },
    /// Estimated propensities whose record cannot be written.
    #[error("cannot record how propensities were estimated")]
    Record(#[source] serde_json::Error),
    /// A pair router has no gain over a grid of worths.
    #[error(
        "`{router}` chooses within a pair by a threshold and predicts no scores and costs, which the gain needs"
    )]
    NoGain {
        /// The learner.
        router: &'static str,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
