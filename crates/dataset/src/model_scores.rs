use std::path::Path;

use ndarray::Array2;

use crate::{
    Field, Result,
    model_columns::{self, Place, Values},
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
    /// [`crate::Error::Io`] or [`crate::Error::Parquet`] for the file; [`crate::Error::MissingColumn`], [`crate::Error::ColumnType`], [`crate::Error::NullValue`],
    /// [`crate::Error::OutOfRange`], [`crate::Error::DuplicateId`] or [`crate::Error::Empty`] for what it holds.
    pub fn read(path: &Path) -> Result<Self> {
        let reader = TableReader::open_filled(path)?;
        let found = model_columns::find(&reader)?;
        found.check_has_models(&reader)?;
        let n_rows = reader.n_rows();
        let mut this = Self {
            ids: Vec::with_capacity(n_rows),
            scores: Array2::from_elem((n_rows, found.models.len()), f32::NAN),
            output_tokens: found.unknown(Field::OutputTokens, n_rows),
            cost_usd: found.unknown(Field::CostUsd, n_rows),
            models: found.models,
        };
        let mut places = vec![(Field::Score, Place::F32(&mut this.scores))];
        places.extend(model_columns::known_places([
            (Field::OutputTokens, &mut this.output_tokens),
            (Field::CostUsd, &mut this.cost_usd),
        ]));
        model_columns::read(
            reader,
            &mut [("id", &mut this.ids)],
            &this.models,
            &mut places,
        )?;
        check_unique_ids(path, &this.ids)?;
        model_columns::check_ranges(path, &this.models, &this.values())?;
        Ok(this)
    }

    /// The matrices with their fields, in file order.
    fn values(&self) -> Vec<(Field, Values<'_>)> {
        let tokens = self.output_tokens.as_ref().map(Values::Counts);
        let costs = self.cost_usd.as_ref().map(Values::F64);
        let mut values = vec![(Field::Score, Values::F32(&self.scores))];
        values.extend(tokens.map(|tokens| (Field::OutputTokens, tokens)));
        values.extend(costs.map(|costs| (Field::CostUsd, costs)));
        values
    }
}
