use std::path::Path;

use ndarray::Array2;

use tables::{Files, Kind, Table};

use crate::{
    Error, Field, Result, check_model_name, column_name,
    columns::parse_column_name,
    model_columns::{self, Values},
    table::check_unique_ids,
};

/// How some LLMs did on some prompts: the part of a split's columns that adding LLMs to a router takes. A split's file is one, too.
///
/// ```text
/// id                          text, not null; ids are unique
/// <model>/score               a number in [0, 1]
/// <model>/output_tokens       a whole number, for all LLMs or none
/// <model>/cost_usd            a number of at least 0, for all LLMs or none
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
    /// Reads a table that any program may have written: Parquet, CSV or JSON lines, with numbers of any type. Columns that it does not know are
    /// ignored.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Table`] for the file; [`Error::MissingColumn`], [`Error::NullValue`], [`Error::OutOfRange`],
    /// [`Error::DuplicateId`] or [`Error::Empty`] for what it holds.
    pub fn read(path: &Path) -> Result<Self> {
        let mut table = Table::read(&Files::find(path, None)?, &kind)?;
        if table.n_rows == 0 {
            return Err(Error::Empty {
                path: path.to_owned(),
            });
        }
        let missing = |column: String| Error::MissingColumn {
            path: path.to_owned(),
            column,
        };
        // An LLM is one that has scores: a split also has the costs of LLMs that were never judged.
        let models: Vec<String> = table
            .names
            .iter()
            .filter_map(|name| parse_column_name(name))
            .filter(|&(_, field)| field == Field::Score)
            .map(|(model, _)| model.to_owned())
            .collect();
        if models.is_empty() {
            return Err(missing(column_name("<model>", Field::Score)));
        }
        for model in &models {
            check_model_name(path, model)?;
        }
        let ids = table.texts.remove("id");
        let ids = ids.ok_or_else(|| missing("id".to_owned()))?.into_iter();
        let ids = ids.enumerate().map(|(i, id)| {
            id.filter(|id| !id.is_empty())
                .ok_or_else(|| Error::NullValue {
                    path: path.to_owned(),
                    column: "id".to_owned(),
                    row: i + 1,
                })
        });
        let ids = ids.collect::<Result<Vec<String>>>()?;
        check_unique_ids(path, &ids)?;
        let matrix = |field| {
            let column = |model: &String| table.numbers.get(&column_name(model, field));
            let columns: Vec<Option<&Vec<f64>>> = models.iter().map(column).collect();
            columns.iter().any(Option::is_some).then(|| {
                Array2::from_shape_fn((ids.len(), models.len()), |(i, m)| {
                    columns[m].map_or(f64::NAN, |column| field.without_rounding(column[i]))
                })
            })
        };
        let scores =
            matrix(Field::Score).ok_or_else(|| missing(column_name("<model>", Field::Score)))?;
        let this = Self {
            scores: scores.mapv(|score| score as f32),
            output_tokens: matrix(Field::OutputTokens),
            cost_usd: matrix(Field::CostUsd),
            ids,
            models,
        };
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

/// What to read a column as.
fn kind(column: &str) -> Option<Kind> {
    match parse_column_name(column) {
        _ if column == "id" => Some(Kind::Text),
        Some((_, Field::Score | Field::OutputTokens | Field::CostUsd)) => Some(Kind::Number),
        _ => None,
    }
}
