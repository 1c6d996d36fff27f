use std::path::Path;

use anyhow::ensure;
use arrow_array::{Array as _, RecordBatch, cast::AsArray as _};
use dataset::{Error as DatasetError, Field};

use super::{NUMBERS, column_name};
use crate::{
    numbers::{numbers, texts},
    rows::Rows,
};

/// Some rows of a file.
pub(super) struct Batch<'a> {
    pub(super) path: &'a Path,
    /// Its first row's number in the file, from 0.
    pub(super) first_row: usize,
    pub(super) columns: &'a RecordBatch,
}

impl Batch<'_> {
    /// Adds these rows to others, of these LLMs in this order.
    pub(super) fn read(&self, models: &[String], rows: &mut Rows) -> anyhow::Result<()> {
        rows.keys.extend(self.texts("key")?);
        rows.datasets.extend(self.texts("dataset")?);
        rows.prompts.extend(self.texts("prompt")?);
        for (model, into) in models.iter().zip(&mut rows.models) {
            let numbers = |(name, field)| self.numbers(model, name, field);
            let [score, input_tokens, output_tokens] = NUMBERS;
            into.scores.extend(numbers(score)?);
            into.input_tokens.extend(numbers(input_tokens)?);
            into.output_tokens.extend(numbers(output_tokens)?);
        }
        Ok(())
    }

    fn texts(&self, name: &str) -> anyhow::Result<Vec<String>> {
        let array = self.columns.column_by_name(name);
        let array = array.expect("`Shard::open` found the column");
        let values = texts(array).ok_or_else(|| DatasetError::ColumnType {
            path: self.path.to_owned(),
            column: name.to_owned(),
            expected: "text".to_owned(),
            found: array.data_type().to_string(),
        })?;
        let value = |(i, value): (usize, Option<String>)| {
            value.ok_or_else(|| DatasetError::NullValue {
                path: self.path.to_owned(),
                column: name.to_owned(),
                row: self.first_row + i + 1,
            })
        };
        Ok(values
            .into_iter()
            .enumerate()
            .map(value)
            .collect::<Result<_, _>>()?)
    }

    fn numbers(&self, model: &str, name: &str, field: Field) -> anyhow::Result<Vec<f64>> {
        let group = self.columns.column_by_name(model);
        let group = group
            .and_then(|group| group.as_struct_opt())
            .expect("`Shard::open` found a group of columns");
        let array = group
            .column_by_name(name)
            .expect("`Shard::open` found the column");
        let mut values = numbers(array).ok_or_else(|| DatasetError::ColumnType {
            path: self.path.to_owned(),
            column: column_name(model, name),
            expected: "numbers".to_owned(),
            found: array.data_type().to_string(),
        })?;
        for (i, value) in values.iter_mut().enumerate() {
            // A group that is null has values below it all the same, of no meaning.
            if group.is_null(i) {
                *value = f64::NAN;
            }
            ensure!(
                field.admits(*value),
                DatasetError::OutOfRange {
                    path: self.path.to_owned(),
                    column: column_name(model, name),
                    row: self.first_row + i + 1,
                    value: *value,
                    expected: field.range(),
                }
            );
        }
        Ok(values)
    }
}
