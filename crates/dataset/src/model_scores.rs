use std::path::Path;

use ndarray::Array2;

use crate::{
    Error, Field, Result,
    columns::numbered,
    model_columns::{self, Place},
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
    /// Reads a table; columns that it does not know are ignored.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Parquet`] for the file; [`Error::MissingColumn`], [`Error::ColumnType`], [`Error::NullValue`],
    /// [`Error::OutOfRange`], [`Error::DuplicateId`] or [`Error::Empty`] for what it holds.
    pub fn read(path: &Path) -> Result<Self> {
        let reader = TableReader::open(path)?;
        let found = model_columns::find(&reader);
        found.check_has_models(&reader)?;
        let shape = (reader.n_rows(), found.models.len());
        if shape.0 == 0 {
            return Err(Error::Empty {
                path: path.to_owned(),
            });
        }
        let numbers = |field| {
            let has_it = found.fields.contains(&field);
            has_it.then(|| Array2::from_elem(shape, f64::NAN))
        };
        let mut this = Self {
            ids: Vec::with_capacity(shape.0),
            scores: Array2::from_elem(shape, f32::NAN),
            output_tokens: numbers(Field::OutputTokens),
            cost_usd: numbers(Field::CostUsd),
            models: found.models,
        };
        let mut places = vec![(Field::Score, Place::F32(&mut this.scores))];
        for (field, numbers) in [
            (Field::OutputTokens, &mut this.output_tokens),
            (Field::CostUsd, &mut this.cost_usd),
        ] {
            places.extend(numbers.as_mut().map(|numbers| (field, Place::F64(numbers))));
        }
        model_columns::read(
            reader,
            &mut [("id", &mut this.ids)],
            &this.models,
            &mut places,
        )?;
        check_unique_ids(path, &this.ids)?;
        this.check_ranges(path)?;
        Ok(this)
    }

    fn check_ranges(&self, path: &Path) -> Result<()> {
        for (m, model) in self.models.iter().enumerate() {
            let scores = self.scores.column(m);
            let scores = scores.iter().copied().map(f64::from);
            Field::Score.check_range(path, model, numbered(scores))?;
            for (field, numbers) in [
                (Field::OutputTokens, &self.output_tokens),
                (Field::CostUsd, &self.cost_usd),
            ] {
                if let Some(numbers) = numbers {
                    field.check_range(path, model, numbered(numbers.column(m).iter().copied()))?;
                }
            }
        }
        Ok(())
    }
}
