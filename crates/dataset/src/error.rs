use std::{io, path::PathBuf};

use untrusted_files::{Mistaken, OverBudget};

/// What can go wrong with a file of this workspace. Every variant names the file; row numbers start at 1 and do not count a header.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} `{}`", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A table that cannot be read. Boxed, or every result would be as large as this error.
    #[error(transparent)]
    Table(Box<tables::Error>),
    /// A table cannot be written as Parquet.
    #[error("cannot write `{}` as Parquet", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: parquet::errors::ParquetError,
    },
    /// Columns of one file do not fit together.
    #[error("cannot build a record batch for `{}`", path.display())]
    Arrow {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: arrow_schema::ArrowError,
    },
    /// The file is not JSON of the expected form.
    #[error("cannot read or write `{}` as JSON", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: serde_json::Error,
    },
    /// Something else lies under the file's name.
    #[error("`{}` is {found}", path.display())]
    Mistaken {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: Mistaken,
    },
    /// The file needs more memory than it may have.
    #[error("`{}` is too large", path.display())]
    OverBudget {
        /// The file.
        path: PathBuf,
        /// How much it needs.
        source: OverBudget,
    },
    /// Another version of this workspace wrote the file.
    #[error("`{}` has format version {found}, expected {expected}", path.display())]
    FormatVersion {
        /// The file.
        path: PathBuf,
        /// Its version, as it is written there.
        found: String,
        /// The version that can be read.
        expected: u32,
    },
    /// The file is not TOML of the expected form.
    #[error("cannot read `{}` as TOML", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: Box<toml::de::Error>,
    },
    /// A column that the schema asks for is missing.
    #[error("`{}` has no column `{column}`", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A value is missing where the schema allows none.
    #[error("column `{column}` of `{}` is null in row {row}", path.display())]
    NullValue {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
    },
    /// A text is longer than any file can hold.
    #[error("column `{column}` for `{}` has {n_bytes} bytes in row {row}, expected at most {limit}", path.display())]
    LongText {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
        /// Bytes of the text.
        n_bytes: usize,
        /// Bytes that a text may have.
        limit: usize,
    },
    /// A column cannot be kept beside the prompts under this name.
    #[error("column `{name}` cannot be kept: {why}")]
    KeptColumn {
        /// The name.
        name: String,
        /// The rule that it breaks.
        why: &'static str,
    },
    /// A part's footer lists kept columns that it cannot have.
    #[error("the footer of `{}` lists kept columns that cannot be read: {what}", path.display())]
    KeptColumnsFooter {
        /// The file.
        path: PathBuf,
        /// What is wrong with the list.
        what: String,
    },
    /// Two rows have the same id.
    #[error("duplicate id `{id}` in rows {first_row} and {row} of `{}`", path.display())]
    DuplicateId {
        /// The file.
        path: PathBuf,
        /// The id.
        id: String,
        /// Its first row, from 1.
        first_row: usize,
        /// Its second row, from 1.
        row: usize,
    },
    /// A value lies outside its range.
    #[error("column `{column}` of `{}` is {value} in row {row}, expected {expected}", path.display())]
    OutOfRange {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
        /// The value found.
        value: f64,
        /// The range, in words.
        expected: &'static str,
    },
    /// A score is known, but not the probability that it is.
    #[error(
        "column `{column}` of `{}` is null in row {row}, whose score is known; give the probability with which this LLM was asked, or give propensities of no LLM at all",
        path.display()
    )]
    UnknownPropensity {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
    },
    /// Two tables that belong together have different rows or columns.
    #[error("`{}` does not fit `{}`: {what}", path.display(), other.display())]
    Mismatch {
        /// The file that was read.
        path: PathBuf,
        /// The file that it should fit.
        other: PathBuf,
        /// What differs, with both values.
        what: String,
    },
    /// A part that is not the one that its data set's dataset.json describes.
    #[error(
        "`{}` is not the part that `{}` describes: {what}; they are of different runs, or one was changed since: generate the data set again",
        path.display(),
        info.display()
    )]
    OtherRun {
        /// The part.
        path: PathBuf,
        /// The data set's dataset.json.
        info: PathBuf,
        /// What differs, with both values.
        what: String,
    },
    /// A file holds no rows where some are needed.
    #[error("`{}` has no rows", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A matrix has another shape than the table around it.
    #[error("`{what}` has shape {found:?}, expected {expected:?}")]
    Shape {
        /// The matrix.
        what: &'static str,
        /// The table's shape.
        expected: (usize, usize),
        /// The matrix's shape.
        found: (usize, usize),
    },
    /// An LLM without a price.
    #[error("`{}` has no price for model `{model}`", path.display())]
    UnknownPrice {
        /// The price file.
        path: PathBuf,
        /// The LLM.
        model: String,
    },
    /// A price that is negative, infinite or NaN.
    #[error("price `{key}` of model `{model}` in `{}` is {value}, expected a finite number of at least 0", path.display())]
    BadPrice {
        /// The price file.
        path: PathBuf,
        /// The LLM.
        model: String,
        /// The key.
        key: &'static str,
        /// The value found.
        value: f64,
    },
    /// A price that is one per token.
    #[error(
        "price `{key}` of model `{model}` in `{}` is {value} dollars per million tokens, which seems to be a price per token; per million it is {}",
        path.display(), value * 1e6
    )]
    PricePerToken {
        /// The price file.
        path: PathBuf,
        /// The LLM.
        model: String,
        /// The key.
        key: &'static str,
        /// The value found.
        value: f64,
    },
    /// A model whose name TOML takes for several.
    #[error("`{}` cannot be read: line {line} names the model `{model}` without quotes; write `[models.\"{model}\"]`", path.display())]
    UnquotedModel {
        /// The price file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The name.
        model: String,
    },
    /// A data set without the pair that a binary router needs.
    #[error("`{}` names no small and large LLM (`pair`)", path.display())]
    NoPair {
        /// The data set's dataset.json.
        path: PathBuf,
    },
    /// A pair that names an LLM which is not in the table.
    #[error("`{}` names `{model}` in its pair, which is not among the LLMs `{}`", path.display(), models.join("`, `"))]
    PairModel {
        /// The file that names the pair.
        path: PathBuf,
        /// The LLM.
        model: String,
        /// The LLMs that there are.
        models: Vec<String>,
    },
    /// A pair that is one LLM.
    #[error("`{}` names `{model}` as both LLMs of its pair", path.display())]
    PairTwice {
        /// The file that names the pair.
        path: PathBuf,
        /// The LLM.
        model: String,
    },
    /// A mean or a deviation that no costs have.
    #[error("`{what}` is {value}, expected {expected}")]
    BadScale {
        /// `mean` or `deviation`.
        what: &'static str,
        /// The value found.
        value: f64,
        /// What it may be, in words.
        expected: &'static str,
    },
    /// The train/test part asked for leaves one side empty.
    #[error(
        "a test share of {test_size} of {n} rows gives {n_train} train and {n_test} test rows, and neither may be empty"
    )]
    BadSplit {
        /// Rows in all.
        n: usize,
        /// The share asked for.
        test_size: f64,
        /// Train rows that it would give.
        n_train: usize,
        /// Test rows that it would give.
        n_test: usize,
    },
    /// An LLM's name that nothing can show.
    #[error("`{}` has an LLM whose name {why}: `{name}`; rename it", path.display())]
    ModelName {
        /// The file.
        path: PathBuf,
        /// The name, in a form that can be shown.
        name: String,
        /// What is wrong with it, as the end of a sentence.
        why: &'static str,
    },
    /// A name that cannot be a data set's.
    #[error(transparent)]
    BadName(#[from] crate::BadName),
    /// A data set that was never generated.
    #[error("there is no data set `{name}` under `{}`: `{}` is missing; `cargo run -p gen-synthetic` creates `synthetic`, and gen-routerbench, gen-sprout, gen-openllm and gen-custom create the others", data_dir.display(), path.display())]
    NoDataset {
        /// The data set.
        name: String,
        /// Where it was looked for.
        data_dir: PathBuf,
        /// The file that should be there.
        path: PathBuf,
    },
    /// A place that cannot be locked to be written.
    #[error(transparent)]
    Lock(#[from] atomic_files::LockError),
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// For `map_err`: what was tried, as a verb, and with which file or folder. Crates above this one wrap the result rather than have a
    /// variant of their own for the same failure.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// For `map_err`: the file whose text is not the expected JSON.
    pub fn json(path: impl Into<PathBuf>) -> impl FnOnce(serde_json::Error) -> Self {
        let path = path.into();
        move |source| Self::Json { path, source }
    }

    pub(crate) fn parquet(
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(parquet::errors::ParquetError) -> Self {
        let path = path.into();
        move |source| Self::Parquet { path, source }
    }
}

impl From<tables::Error> for Error {
    fn from(error: tables::Error) -> Self {
        match error {
            tables::Error::Io {
                action,
                path,
                source,
            } => Self::Io {
                action,
                path,
                source,
            },
            tables::Error::MissingColumn { path, column } => Self::MissingColumn { path, column },
            other => Self::Table(Box::new(other)),
        }
    }
}
