use std::{io, path::PathBuf};

use parquet::errors::ParquetError;
use untrusted_files::{Mistaken, OverBudget, Panicked};

/// What can be wrong with a table of someone else. Every variant names the file; rows count from 1, without a header.
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
    /// A pipe, a device, or a folder where a file is needed.
    #[error("`{}` is {found}", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is, and what to do.
        found: &'static str,
    },
    /// Something else lies under the file's name.
    #[error("`{}` is {found}", path.display())]
    Mistaken {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: Mistaken,
    },
    /// The file is no Parquet file, or only a piece of one.
    #[error("cannot read `{}` as Parquet: {what}", path.display())]
    NotParquet {
        /// The file.
        path: PathBuf,
        /// How that shows.
        what: &'static str,
    },
    /// A compression that is not read.
    #[error("`{}` is compressed by {found}, which is not read; write it with zstd, Snappy, gzip or LZ4 instead", path.display())]
    Compression {
        /// The file.
        path: PathBuf,
        /// The compression.
        found: String,
    },
    /// The Parquet library refused the file.
    #[error("cannot read `{}` as Parquet", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: ParquetError,
    },
    /// The Parquet library panicked over the file.
    #[error("cannot read `{}` as Parquet", path.display())]
    Panicked {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: Panicked,
    },
    /// The file contradicts itself.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which two things do not agree.
        what: String,
    },
    /// The file needs more memory than it may have.
    #[error("`{}` is too large", path.display())]
    OverBudget {
        /// The file.
        path: PathBuf,
        /// How much it needs.
        source: OverBudget,
    },
    /// A column that is needed is missing.
    #[error("`{}` has no column `{column}`", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A column of a type that does not serve.
    #[error("column `{column}` of `{}` is `{found}`, expected {expected}", path.display())]
    ColumnType {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// What would serve, in words.
        expected: &'static str,
        /// The file's type.
        found: String,
    },
    /// A value that does not serve.
    #[error("column `{column}` of `{}` is {found} in row {row}, expected {expected}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// The value.
        found: String,
        /// What would serve, in words.
        expected: &'static str,
    },
    /// The extension of a file says nothing about its format.
    #[error("the extension of `{}` is not one of .csv, .tsv, .jsonl, .parquet", path.display())]
    UnknownFormat {
        /// The file or folder.
        path: PathBuf,
    },
    /// A folder without part files.
    #[error("the folder `{}` holds no {format} files", path.display())]
    NoParts {
        /// The folder.
        path: PathBuf,
        /// The format looked for.
        format: &'static str,
    },
    /// A folder with something else among the part files of a table.
    #[error("the folder `{}` of {format} files holds `{}` too; move it elsewhere", path.display(), file.display())]
    StrayFile {
        /// The folder.
        path: PathBuf,
        /// The file.
        file: PathBuf,
        /// The format of the table.
        format: &'static str,
    },
    /// A folder whose files are not all part of the table.
    #[error("`{}` is a {kind} table, among whose files are deleted and replaced ones; write the version that you mean to a folder of plain Parquet files", path.display())]
    Versioned {
        /// The folder.
        path: PathBuf,
        /// The format that keeps versions.
        kind: &'static str,
    },
    /// One part of a table has a column that another lacks.
    #[error("`{}` has no column `{column}`, which `{}` of the same table has", path.display(), other.display())]
    PartColumns {
        /// The file without the column.
        path: PathBuf,
        /// The file with it.
        other: PathBuf,
        /// The column.
        column: String,
    },
    /// A column is text in one part of a table and numbers in another.
    #[error("column `{column}` is text in `{}`, but numbers in `{}` of the same table", text.display(), numbers.display())]
    PartTypes {
        /// The column.
        column: String,
        /// The file in which it is text.
        text: PathBuf,
        /// The file in which it is numbers.
        numbers: PathBuf,
    },
    /// Two columns of one name.
    #[error("duplicate column `{column}` in `{}`", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// Another encoding, or another format, than text in UTF-8.
    #[error("`{}` is {found}", path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it is, and what to do.
        found: &'static str,
    },
    /// A byte that no text in UTF-8 has.
    #[error("`{}` is not UTF-8: {place} holds the byte 0x{byte:02x}; save it as UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The row, or the header.
        place: String,
        /// The byte.
        byte: u8,
    },
    /// A CSV file with another separator than was expected.
    #[error(
        "the header of `{}` is the one field `{header}`: fields seem to be separated by `{}`, not by `{}`", path.display(),
        found.escape_debug(), expected.escape_debug()
    )]
    Delimiter {
        /// The file.
        path: PathBuf,
        /// The beginning of the header.
        header: String,
        /// The separator that was looked for.
        expected: char,
        /// The separator that is there.
        found: char,
    },
    /// A row of a CSV file with more or fewer fields than the header.
    #[error(
        "row {row} of `{}` has {found} fields, the header has {expected}{}", path.display(),
        BACKSLASH_QUOTES[usize::from(*has_backslash_quotes)]
    )]
    FieldCount {
        /// The file.
        path: PathBuf,
        /// The row.
        row: usize,
        /// Its number of fields.
        found: usize,
        /// The header's.
        expected: usize,
        /// Whether quotes stand behind backslashes.
        has_backslash_quotes: bool,
    },
    /// A quote in a CSV file that does not end as it should.
    #[error(
        "in {} (line {line}) of `{}` a field {}{}", row_or_header(*row), path.display(), fault.words(),
        BACKSLASH_QUOTES[usize::from(*has_backslash_quotes)]
    )]
    Quote {
        /// The file.
        path: PathBuf,
        /// The row; 0 is the header.
        row: usize,
        /// The line in which the quote stands, from 1.
        line: usize,
        /// What is wrong.
        fault: QuoteFault,
        /// Whether quotes stand behind backslashes.
        has_backslash_quotes: bool,
    },
    /// A column of a CSV file without a name, but with values.
    #[error("column {position} of `{}` has no name in the header, but holds `{found}` in row {row}; name it or remove it", path.display())]
    NamelessColumn {
        /// The file.
        path: PathBuf,
        /// Its position, from 1.
        position: usize,
        /// The row.
        row: usize,
        /// The value.
        found: String,
    },
    /// A line that is no JSON object.
    #[error(
        "cannot read row {row} of `{}` as a JSON object{}", path.display(),
        column.as_ref().map_or(String::new(), |column| format!(": column `{column}`"))
    )]
    Json {
        /// The file.
        path: PathBuf,
        /// The row.
        row: usize,
        /// The key near which it stops being one.
        column: Option<String>,
        /// What the library said.
        source: serde_json::Error,
    },
    /// JSON, but not one object a line.
    #[error("`{}` is {found}, and not one JSON object a line; `jq -c '{cure}'` makes lines of it", path.display())]
    NotLines {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// The filter that makes lines of it.
        cure: &'static str,
    },
    /// The extension of a file to be written names no format that is written.
    #[error("the extension of `{}` is not one of .jsonl, .parquet, which can be written", path.display())]
    OutputFormat {
        /// The file.
        path: PathBuf,
    },
    /// A table has a column of a name that is to be added to it.
    #[error("`{}` has a column `{column}` already, where a new one of that name would be written; rename or remove it", path.display())]
    TakenColumn {
        /// The file that is read.
        path: PathBuf,
        /// The column.
        column: String,
    },
    /// A column that another format cannot hold as it is.
    #[error("column `{column}` of `{}` holds {found}, which a {format} file cannot pass on as it is; write {cure}, or leave the column out", path.display())]
    NotPassed {
        /// The file that is read.
        path: PathBuf,
        /// The column.
        column: String,
        /// What is in it.
        found: String,
        /// The format to be written.
        format: &'static str,
        /// The extension of a format that can hold it.
        cure: &'static str,
    },
    /// The Parquet library could not write a file.
    #[error("cannot write `{}` as Parquet", path.display())]
    WriteParquet {
        /// The file.
        path: PathBuf,
        /// What the library said.
        source: ParquetError,
    },
    /// A vector that is empty, or not as long as the others.
    #[error(
        "column `{column}` of `{}` has a list of {found} numbers in row {row}, expected {}", path.display(),
        expected.map_or("some".to_owned(), |n| format!("{n}, as in the rows before"))
    )]
    VectorLength {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The row.
        row: usize,
        /// Its length.
        found: usize,
        /// The length of the others; none for an empty list.
        expected: Option<usize>,
    },
}

/// What is wrong with a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteFault {
    /// It is never closed.
    Open,
    /// Something stands behind the quote that closes it.
    TextBehind,
    /// It stands behind a backslash in a field without quotes around it.
    Unquoted,
}

impl QuoteFault {
    fn words(self) -> &'static str {
        match self {
            Self::Open => {
                "begins with a quote that is never closed, so that all that follows would belong to it; a quote inside a quoted field is written twice"
            }
            Self::TextBehind => {
                "begins with a quote and goes on behind the closing one; a quote inside a quoted field is written twice"
            }
            Self::Unquoted => {
                "without quotes around it holds a quote behind a backslash, as Python writes with `doublequote=False`; write it with `doublequote=True`"
            }
        }
    }
}

/// A row by its number; 0 is the header.
pub(crate) fn row_or_header(row: usize) -> String {
    match row {
        0 => "the header".to_owned(),
        row => format!("row {row}"),
    }
}

/// By whether quotes stand behind backslashes.
const BACKSLASH_QUOTES: [&str; 2] = [
    "",
    "; quotes seem to be written as `\\\"`, as Spark and MySQL do",
];

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    pub(crate) fn over_budget(path: impl Into<PathBuf>) -> impl FnOnce(OverBudget) -> Self {
        let path = path.into();
        move |source| Self::OverBudget { path, source }
    }
}
