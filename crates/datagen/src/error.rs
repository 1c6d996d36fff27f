use std::path::PathBuf;

use dataset::Part;

/// What can be wrong with a raw table, or with writing the data set made of it. Rows are those of the source, from 1, header not
/// counted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A value or a file that `dataset` refuses.
    #[error(transparent)]
    Dataset(#[from] dataset::Error),
    /// A table without a single LLM.
    #[error("`{}` has no LLM: each needs a column `<model>/score`", path.display())]
    NoModels {
        /// The source.
        path: PathBuf,
    },
    /// Two LLMs with the same name.
    #[error("duplicate model `{model}` in `{}`", path.display())]
    DuplicateModel {
        /// The source.
        path: PathBuf,
        /// The LLM.
        model: String,
    },
    /// An LLM whose costs follow from no column.
    #[error(
        "`{}` has no cost column for model `{model}`: it needs a column `{model}/cost_usd`, or `{model}/input_tokens` and a price",
        path.display()
    )]
    NoCostColumns {
        /// The source.
        path: PathBuf,
        /// The LLM.
        model: String,
    },
    /// Tokens without a price list.
    #[error("model `{model}` of `{}` has tokens but no column `{model}/cost_usd`: a price list is needed", path.display())]
    NoPriceList {
        /// The source.
        path: PathBuf,
        /// The LLM.
        model: String,
    },
    /// A score whose cost is unknown.
    #[error(
        "model `{model}` has a score but no cost in row {row} of `{}`: column `{column}` is null",
        path.display()
    )]
    MissingCost {
        /// The source.
        path: PathBuf,
        /// The LLM.
        model: String,
        /// The row.
        row: usize,
        /// The column that would have given the cost.
        column: String,
    },
    /// An LLM about which nothing could be learned.
    #[error("no {} row of `{}` has a score for model `{model}`; leave the model out", part.name(), path.display())]
    NoKnownScore {
        /// The source.
        path: PathBuf,
        /// The LLM.
        model: String,
        /// Where all scores are unknown.
        part: Part,
    },
    /// A source that came in parts, one of which has no rows.
    #[error("`{}` has no rows in its {} part", path.display(), part.name())]
    EmptyPart {
        /// The source.
        path: PathBuf,
        /// The part without rows.
        part: Part,
    },
    /// A column to group rows by that the table has not.
    #[error("rows of `{}` cannot be grouped by `{column}`: it is not a column that is kept", path.display())]
    NoGroupColumn {
        /// The source.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// Rows that hang together so that they cannot be split.
    #[error("all rows of `{}` have one `{column}` or share prompts, so that neither part could have some of them", path.display())]
    OneGroup {
        /// The source.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A pair with an LLM that the table lacks.
    #[error("`{}` has no model `{model}`, which was named for the pair of a small and a large one", path.display())]
    UnknownPairModel {
        /// The source.
        path: PathBuf,
        /// The LLM.
        model: String,
    },
    /// A pair of one LLM.
    #[error("the small and the large model of a pair are both `{model}`")]
    PairOfOne {
        /// The LLM.
        model: String,
    },
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
