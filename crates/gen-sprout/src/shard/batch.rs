use std::path::Path;

use anyhow::ensure;
use arrow_array::{Array as _, RecordBatch, cast::AsArray as _};
use dataset::{Error as DatasetError, Field};
use tables::{Place, extend_numbers, extend_texts};

use super::{NUMBERS, column_name};
use crate::rows::Rows;

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

    fn place<'a>(&'a self, column: &'a str) -> Place<'a> {
        Place {
            path: self.path,
            column,
            n_before: self.first_row,
        }
    }

    fn texts(&self, name: &str) -> anyhow::Result<Vec<String>> {
        let array = self.columns.column_by_name(name);
        let array = array.ok_or_else(|| self.missing(name.to_owned()))?;
        let mut values = Vec::with_capacity(array.len());
        extend_texts(self.place(name), array, &mut values)?;
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

    fn missing(&self, column: String) -> DatasetError {
        DatasetError::MissingColumn {
            path: self.path.to_owned(),
            column,
        }
    }

    fn numbers(&self, model: &str, name: &str, field: Field) -> anyhow::Result<Vec<f64>> {
        let column = column_name(model, name);
        // What Parquet calls a group is a list to Arrow where it may be repeated.
        let group = self.columns.column_by_name(model);
        let group = group.and_then(|group| group.as_struct_opt());
        let found = group.and_then(|group| Some((group, group.column_by_name(name)?)));
        let (group, array) = found.ok_or_else(|| self.missing(column.clone()))?;
        let mut values = Vec::with_capacity(array.len());
        extend_numbers(self.place(&column), array, &mut values)?;
        for (i, value) in values.iter_mut().enumerate() {
            // A group that is null has values below it all the same, of no meaning.
            if group.is_null(i) {
                *value = f64::NAN;
            }
            ensure!(
                field.admits(*value),
                DatasetError::OutOfRange {
                    path: self.path.to_owned(),
                    column: column.clone(),
                    row: self.first_row + i + 1,
                    value: *value,
                    expected: field.range(),
                }
            );
        }
        Ok(values)
    }
}
