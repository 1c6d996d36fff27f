//! Makes small Parquet files laid out as the published ones.

use std::{path::Path, sync::Arc};

use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, StructArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, Fields};
use parquet::arrow::ArrowWriter;

/// One LLM's column in one file. Tokens follow from the row's number, from 0: `10 + row` in, `20 + 2 * row` out.
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) scores: Vec<Option<f64>>,
    /// Rows where the whole group is null.
    pub(crate) null_rows: Vec<usize>,
    /// Rows whose output tokens are null.
    pub(crate) rows_without_tokens: Vec<usize>,
    /// Leaves a field out.
    pub(crate) lacks: Option<&'static str>,
}

impl Model {
    pub(crate) fn new(name: &'static str, scores: impl IntoIterator<Item = f64>) -> Self {
        Self {
            name,
            scores: scores.into_iter().map(Some).collect(),
            null_rows: Vec::new(),
            rows_without_tokens: Vec::new(),
            lacks: None,
        }
    }

    fn column(&self) -> StructArray {
        let n = self.scores.len();
        let tokens = |row: usize, n| (!self.rows_without_tokens.contains(&row)).then_some(n);
        let input: Int64Array = (0..n).map(|row| Some(10 + row as i64)).collect();
        let output: Int64Array = (0..n).map(|row| tokens(row, 20 + 2 * row as i64)).collect();
        // Longer than all else, as answers are.
        let response: StringArray = (0..n)
            .map(|row| Some(format!("{row} ").repeat(200)))
            .collect();
        let scores: Float64Array = self.scores.iter().copied().collect();
        let columns: [(&str, DataType, ArrayRef); 4] = [
            ("num_input_tokens", DataType::Int64, Arc::new(input)),
            ("num_output_tokens", DataType::Int64, Arc::new(output)),
            ("response", DataType::Utf8, Arc::new(response)),
            ("score", DataType::Float64, Arc::new(scores)),
        ];
        let columns = columns
            .into_iter()
            .filter(|(name, ..)| self.lacks != Some(name));
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns
            .map(|(name, dtype, array)| (Field::new(name, dtype, true), array))
            .unzip();
        let is_there: Vec<bool> = (0..n).map(|row| !self.null_rows.contains(&row)).collect();
        StructArray::new(
            Fields::from(fields),
            arrays,
            Some(NullBuffer::from(is_there)),
        )
    }
}

/// The text columns of a file, and the LLMs.
#[derive(Clone)]
pub(crate) struct File {
    pub(crate) columns: Vec<(&'static str, ArrayRef)>,
    pub(crate) models: Vec<Model>,
}

impl File {
    /// Rows of these keys: the task of key `k` is `task k`, and so on.
    pub(crate) fn new(keys: &[&str], models: Vec<Model>) -> Self {
        let texts = |what: &str| -> ArrayRef {
            let texts = keys.iter().map(|key| Some(format!("{what} {key}")));
            Arc::new(texts.collect::<StringArray>())
        };
        let ids: StringArray = keys.iter().map(|&key| Some(key)).collect();
        Self {
            columns: vec![
                ("key", Arc::new(ids)),
                ("dataset", texts("task")),
                ("dataset_level", texts("level")),
                ("dataset_idx", texts("idx")),
                ("prompt", texts("prompt")),
                ("golden_answer", texts("answer")),
            ],
            models,
        }
    }

    /// The same with another column in the place of the one of that name, or without it.
    pub(crate) fn with(mut self, name: &'static str, array: Option<ArrayRef>) -> Self {
        let at = self.columns.iter().position(|(other, _)| *other == name);
        let at = at.expect("a column of that name");
        match array {
            Some(array) => self.columns[at].1 = array,
            None => {
                self.columns.remove(at);
            }
        }
        self
    }

    pub(crate) fn write(&self, path: &Path) {
        std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("made");
        let models = self.models.iter().map(|model| {
            let column: ArrayRef = Arc::new(model.column());
            (model.name, column)
        });
        let columns = self.columns.iter().cloned().chain(models);
        let batch = RecordBatch::try_from_iter_with_nullable(
            columns.map(|(name, array)| (name, array, true)),
        );
        let batch = batch.expect("columns of one length");
        let file = std::fs::File::create(path).expect("a new file");
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a schema");
        writer.write(&batch).expect("written");
        writer.close().expect("written");
    }
}

pub(crate) const MINI: &str = "openai-gpt-4o-mini";
pub(crate) const GPT_4O: &str = "openai-gpt-4o";
pub(crate) const OTHER: &str = "another-llm";

/// Two LLMs of the settings, in the other order, and one that is not there; two shards to train on.
pub(crate) fn small() -> Vec<(&'static str, File)> {
    let models = |n: usize, first: f64| {
        vec![
            Model::new(MINI, (0..n).map(|row| first + row as f64 * 0.1)),
            Model::new(OTHER, (0..n).map(|_| 0.25)),
            Model::new(GPT_4O, (0..n).map(|row| 1.0 - row as f64 * 0.1)),
        ]
    };
    vec![
        (
            "train-00000-of-00002.parquet",
            File::new(&["a", "b", "c"], models(3, 0.1)),
        ),
        (
            "train-00001-of-00002.parquet",
            File::new(&["d", "e"], models(2, 0.5)),
        ),
        (
            "validation-00000-of-00001.parquet",
            File::new(&["f", "g"], models(2, 0.7)),
        ),
        (
            "test-00000-of-00001.parquet",
            File::new(&["h", "i"], models(2, 0.3)),
        ),
    ]
}

pub(crate) const PRICES: &str =
    "[models.another-llm]\ninput_usd_per_mtok = 100\noutput_usd_per_mtok = 1000\n";
