use std::path::Path;

/// The format of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Separated values with a header, in UTF-8.
    Csv {
        /// What stands between two fields.
        delimiter: u8,
        /// What makes the quote after it a part of the text, beside a doubled quote.
        escape: Option<u8>,
    },
    /// One flat JSON object a line.
    JsonLines,
    /// Parquet.
    Parquet,
}

impl Format {
    /// Comma-separated values, in which a quote is written twice.
    pub const CSV: Self = Self::Csv {
        delimiter: b',',
        escape: None,
    };

    /// The format that a file's extension names, whatever it is compressed by: a compressed file is refused for that when it is read.
    pub fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let compressed = [".gz", ".zst", ".zstd", ".bz2", ".xz", ".zip"];
        let name = compressed
            .into_iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "csv" => Some(Self::CSV),
            "tsv" | "tab" => Some(Self::Csv {
                delimiter: b'\t',
                escape: None,
            }),
            // Spark and BigQuery write lines under `.json`.
            "jsonl" | "ndjson" | "json" => Some(Self::JsonLines),
            "parquet" | "pq" | "parq" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// What its files are called, for messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Csv { .. } => "CSV",
            Self::JsonLines => "JSON lines",
            Self::Parquet => "Parquet",
        }
    }

    /// Whether two parts of a table may have these formats.
    pub(crate) fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}
