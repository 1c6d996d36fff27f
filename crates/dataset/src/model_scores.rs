use std::{collections::BTreeSet, path::Path};

use ndarray::{Array2, s};

use crate::{
    Error, Field, Result, column_name,
    columns::parse_column_name,
    table::{TableReader, check_unique_ids},
};

/// How some LLMs did on some prompts: the part of a split's columns that adding LLMs to a router takes. A split's file is one, too.
///
/// ```text
/// id                          string, not null; ids are unique
/// <model>/score               float32 in [0, 1]
/// <model>/output_tokens       uint32, for all LLMs or none
/// <model>/cost_usd            float64, for all LLMs or none
/// ```
///
/// In the matrices, of shape `(n_prompts, n_models)`, NaN stands for null.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelScores {
    /// What names a prompt.
    pub ids: Vec<String>,
    /// The LLMs, in column order.
    pub models: Vec<String>,
    /// How good each answer was, in [0, 1].
    pub scores: Array2<f32>,
    /// Tokens of each answer.
    pub output_tokens: Option<Array2<f64>>,
    /// What each call cost, in US dollars.
    pub cost_usd: Option<Array2<f64>>,
}

impl ModelScores {
    /// Reads a table; columns that it does not know are passed over.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Parquet`] for the file; [`Error::MissingColumn`], [`Error::ColumnType`], [`Error::NullValue`],
    /// [`Error::OutOfRange`], [`Error::DuplicateId`] or [`Error::Empty`] for what it holds.
    pub fn read(path: &Path) -> Result<Self> {
        let reader = TableReader::open(path)?;
        let mut models = Vec::new();
        let mut fields = BTreeSet::new();
        for column in reader.schema().fields() {
            if let Some((model, field)) = parse_column_name(column.name()) {
                fields.insert(field);
                if field == Field::Score {
                    models.push(model.to_owned());
                }
            }
        }
        if models.is_empty() {
            return Err(Error::MissingColumn {
                path: path.to_owned(),
                column: column_name("<model>", Field::Score),
            });
        }
        let shape = (reader.n_rows(), models.len());
        if shape.0 == 0 {
            return Err(Error::Empty {
                path: path.to_owned(),
            });
        }
        let numbers = |field| {
            fields
                .contains(&field)
                .then(|| Array2::from_elem(shape, f64::NAN))
        };
        let mut this = Self {
            ids: Vec::with_capacity(shape.0),
            scores: Array2::from_elem(shape, f32::NAN),
            output_tokens: numbers(Field::OutputTokens),
            cost_usd: numbers(Field::CostUsd),
            models,
        };
        let mut names = vec!["id".to_owned()];
        for model in &this.models {
            names.push(column_name(model, Field::Score));
            for field in [Field::OutputTokens, Field::CostUsd] {
                if fields.contains(&field) {
                    names.push(column_name(model, field));
                }
            }
        }
        for batch in reader.batches(&names.iter().map(String::as_str).collect::<Vec<_>>())? {
            let batch = batch?;
            batch.extend_text("id", &mut this.ids)?;
            let rows = batch.first_row..this.ids.len();
            for (m, model) in this.models.iter().enumerate() {
                let slice = s![rows.clone(), m];
                let score = column_name(model, Field::Score);
                batch.copy_f32(&score, this.scores.slice_mut(slice))?;
                for (field, values) in [
                    (Field::OutputTokens, &mut this.output_tokens),
                    (Field::CostUsd, &mut this.cost_usd),
                ] {
                    if let Some(values) = values {
                        batch.copy_f64(&column_name(model, field), values.slice_mut(slice))?;
                    }
                }
            }
        }
        check_unique_ids(path, &this.ids)?;
        this.check_ranges(path)?;
        Ok(this)
    }

    fn check_ranges(&self, path: &Path) -> Result<()> {
        let refuse = |(row, m): (usize, usize), field, value, expected| Error::OutOfRange {
            path: path.to_owned(),
            column: column_name(&self.models[m], field),
            row: row + 1,
            value,
            expected,
        };
        for (at, &score) in self.scores.indexed_iter() {
            if !(score.is_nan() || (0.0..=1.0).contains(&score)) {
                let expected = "a number in [0, 1]";
                return Err(refuse(at, Field::Score, f64::from(score), expected));
            }
        }
        for (at, &cost) in self.cost_usd.iter().flat_map(Array2::indexed_iter) {
            if !(cost.is_nan() || (cost.is_finite() && cost >= 0.0)) {
                let expected = "a finite number of at least 0";
                return Err(refuse(at, Field::CostUsd, cost, expected));
            }
        }
        Ok(())
    }
}
