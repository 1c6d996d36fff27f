mod batch;

use std::path::{Path, PathBuf};

use anyhow::ensure;
use dataset::{Error as DatasetError, Field};
use tables::ParquetFile;

use self::batch::Batch;
use crate::rows::Rows;

const TEXTS: [&str; 3] = ["key", "dataset", "prompt"];
/// An LLM's numbers as the source names them, and what they are.
const NUMBERS: [(&str, Field); 3] = [
    ("score", Field::Score),
    ("num_input_tokens", Field::InputTokens),
    ("num_output_tokens", Field::OutputTokens),
];

/// One file of a part, whose footer has been read.
pub(crate) struct Shard {
    pub(crate) path: PathBuf,
    /// The LLMs in the file's order.
    pub(crate) models: Vec<String>,
    file: ParquetFile,
    /// The columns that are read, by their numbers among all that hold values.
    leaves: Vec<usize>,
}

/// How much of a file is read, in bytes as they lie on disk.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bytes {
    pub(crate) read: u64,
    pub(crate) all: u64,
}

impl Shard {
    /// Reads the footer, and finds the columns. An LLM is a group of columns with a `score`.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = ParquetFile::open(path)?;
        let columns: Vec<&[String]> = file.leaves().collect();
        let missing = |column: String| DatasetError::MissingColumn {
            path: path.to_owned(),
            column,
        };

        let mut models = Vec::new();
        for parts in &columns {
            if let [model, field] = parts
                && field == NUMBERS[0].0
            {
                // Arrow finds both by their first name, and one would be taken for the other.
                ensure!(
                    !TEXTS.contains(&model.as_str()) && !models.contains(model),
                    "`{}` has an LLM named `{model}`, which is the name of another column too; rename the LLM",
                    path.display()
                );
                models.push(model.clone());
            }
        }
        let mut leaves = Vec::new();
        for name in TEXTS {
            // The whole path counts: a field of some LLM could have the same name.
            let found = columns.iter().position(|parts| **parts == [name]);
            leaves.push(found.ok_or_else(|| missing(name.to_owned()))?);
        }
        for model in &models {
            for (field, _) in NUMBERS {
                let found = columns.iter().position(
                    |parts| matches!(parts, [root, leaf] if root == model && leaf == field),
                );
                leaves.push(found.ok_or_else(|| missing(column_name(model, field)))?);
            }
        }
        ensure!(
            !models.is_empty(),
            "`{}` has no LLM: each is a group of columns {}",
            path.display(),
            NUMBERS
                .map(|(field, _)| format!("`MODEL.{field}`"))
                .join(", ")
        );
        Ok(Self {
            path: path.to_owned(),
            models,
            file,
            leaves,
        })
    }

    pub(crate) fn bytes(&self) -> Bytes {
        let mut bytes = Bytes::default();
        for leaf in 0..self.file.leaves().count() {
            let n_bytes = self.file.n_bytes_of_leaf(leaf);
            bytes.all = bytes.all.saturating_add(n_bytes);
            if self.leaves.contains(&leaf) {
                bytes.read = bytes.read.saturating_add(n_bytes);
            }
        }
        bytes
    }

    /// Adds the rows to others, of these LLMs in this order. The answers are neither read nor decoded.
    pub(crate) fn read(self, models: &[String], rows: &mut Rows) -> anyhow::Result<()> {
        let n_before = rows.keys.len();
        for batch in self.file.batches_of_leaves(&self.leaves)? {
            let batch = Batch {
                path: &self.path,
                first_row: rows.keys.len() - n_before,
                columns: &batch?,
            };
            batch.read(models, rows)?;
        }
        Ok(())
    }
}

fn column_name(model: &str, field: &str) -> String {
    format!("{model}.{field}")
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, StructArray};
    use arrow_schema::{DataType, Field as ArrowField};
    use parquet::arrow::ArrowWriter;

    use super::*;

    /// A shard of one LLM.
    fn shard(path: &Path) {
        let n = 20;
        let texts = |what: &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(
                (0..n).map(|row| format!("{what} {row}")),
            ))
        };
        let counts = || -> ArrayRef { Arc::new(Int64Array::from_iter_values(0..n)) };
        let scores: ArrayRef = Arc::new(Float64Array::from(vec![0.5; n as usize]));
        let field = |name: &str, ty| Arc::new(ArrowField::new(name, ty, true));
        let llm = StructArray::from(vec![
            (field("num_input_tokens", DataType::Int64), counts()),
            (field("num_output_tokens", DataType::Int64), counts()),
            (field("response", DataType::Utf8), texts("answer")),
            (field("score", DataType::Float64), scores),
        ]);
        let columns = [
            ("key", texts("k"), true),
            ("dataset", texts("d"), true),
            ("prompt", texts("p"), true),
            ("llm", Arc::new(llm) as ArrayRef, true),
        ];
        let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("of one length");
        let file = fs::File::create(path).expect("created");
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a schema");
        writer.write(&batch).expect("written");
        writer.close().expect("written");
    }

    #[test]
    fn mutations_of_shards() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("train.parquet");
        shard(&path);
        let bytes = fs::read(&path).expect("read");
        let read = || {
            let shard = Shard::open(&path)?;
            _ = shard.bytes();
            let models = shard.models.clone();
            let mut rows = Rows::new(models.len());
            shard.read(&models, &mut rows)?;
            anyhow::Ok(rows.keys.len())
        };
        assert_eq!(read().expect("unbroken"), 20);
        test_support::try_mutations(&[bytes], |bytes| {
            fs::write(&path, bytes).expect("written");
            _ = read();
        });
    }
}
