use std::path::PathBuf;

/// What can go wrong on the way from a data set to the answer whether routing is worth it.
#[derive(Debug, thiserror::Error)]
pub enum WorthError {
    /// A column that neither the data set's form nor its generator keeps.
    #[error(
        "the data set `{dataset}` has no column `{column}`; it has {}",
        known.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ")
    )]
    NoColumn {
        /// The data set.
        dataset: String,
        /// The column asked for.
        column: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// A value that does not say when a row was made.
    #[error("column `{column}` is `{value}` in row {row}, expected {expected}")]
    BadTime {
        /// The column.
        column: String,
        /// The row, from 1, in the order of train and test part.
        row: usize,
        /// The value.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Embeddings that are not there, and cannot be computed here.
    #[error("there are no embeddings `{name}` of this data set's prompts: {why}")]
    NoEmbeddings {
        /// The data set.
        dataset: String,
        /// The embeddings.
        name: String,
        /// The router that needs them.
        router: String,
        /// What was looked for.
        why: String,
    },
    /// Embeddings of different lengths.
    #[error("the embeddings `{name}` of train and test have {n_dims:?} dimensions")]
    Dimensions {
        /// The embeddings.
        name: String,
        /// Of the train and of the test part.
        n_dims: [usize; 2],
    },
    /// A router that cannot be fitted again and again here.
    #[error(
        "`{router}` is not a router that can be fitted on embeddings in seconds; expected one of {}",
        known.join(", ")
    )]
    OtherRouter {
        /// The router.
        router: String,
        /// Those that can.
        known: Vec<&'static str>,
    },
    /// Predictions that say nothing of scores and costs.
    #[error(
        "the router decides between two LLMs by a threshold, and predicts no scores and costs to choose by"
    )]
    OfAPair,
    /// A number that makes no sense.
    #[error("`{what}` is {found}, expected {expected}")]
    BadSetting {
        /// The setting.
        what: &'static str,
        /// Its value.
        found: String,
        /// What it may be.
        expected: String,
    },
    /// A data set's files.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// The model that computes embeddings.
    #[error("cannot compute embeddings with the model in `{}`", folder.display())]
    Embedder {
        /// Its folder.
        folder: PathBuf,
        /// What is wrong.
        source: Box<encoder::Error>,
    },
    /// A router cannot be fitted.
    #[error(transparent)]
    Fitting(#[from] fitting::Error),
    /// Nothing can be measured.
    #[error(transparent)]
    Evaluation(#[from] evaluation::Error),
}
