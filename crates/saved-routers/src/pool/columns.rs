//! The train part with other LLMs.

use std::collections::HashMap;

use dataset::{CostKind, PartTable, TablePropensities};
use ndarray::{Array1, Array2, ArrayView1, Axis};

use super::{Addition, addition::scattered, refuse};
use crate::{Record, Result};

/// Scores, tokens and dollars of the train prompts, a column for each LLM.
pub(super) struct Columns {
    n_rows: usize,
    scores: Vec<Array1<f32>>,
    pub(super) input_tokens: Option<Vec<Array1<f64>>>,
    output_tokens: Option<Vec<Array1<f64>>>,
    cost_usd: Vec<Array1<f64>>,
    /// With which probability each LLM was asked, and whether that was estimated.
    propensities: Option<(Vec<Array1<f64>>, bool)>,
    /// Tokens of each prompt in the mean over the train part's LLMs: what is known of a new LLM's tokenizer.
    mean_input: Option<Array1<f64>>,
}

impl Columns {
    /// Those of the LLMs that stay.
    pub(super) fn of(record: &Record, table: &PartTable) -> Result<Self> {
        let positions: HashMap<&str, usize> =
            (table.models.iter().map(String::as_str)).zip(0..).collect();
        let mut kept = Vec::with_capacity(record.models.len());
        for model in &record.models {
            match positions.get(&*model.name) {
                Some(&m) => kept.push(m),
                None => {
                    return refuse(format!(
                        "the train part has no scores of `{}`, which an earlier change added: make all changes at once, to the router that this \
                         one was made from",
                        model.name
                    ));
                }
            }
        }
        let take = |values: &Array2<f64>| -> Vec<Array1<f64>> {
            kept.iter().map(|&m| values.column(m).to_owned()).collect()
        };
        Ok(Self {
            n_rows: table.n_prompts(),
            scores: kept
                .iter()
                .map(|&m| table.scores.column(m).to_owned())
                .collect(),
            input_tokens: table.input_tokens.as_ref().map(take),
            output_tokens: table.output_tokens.as_ref().map(take),
            cost_usd: take(&table.cost_usd),
            propensities: (table.propensities.as_ref())
                .map(|it| (take(&it.values), it.are_estimated)),
            mean_input: table.input_tokens.as_ref().map(known_mean),
        })
    }

    /// Adds the LLM in column `m` of a table whose prompts are these train prompts, and gives its scores.
    pub(super) fn add(
        &mut self,
        addition: &Addition<'_>,
        rows: &[Option<usize>],
        m: usize,
        kind: CostKind,
    ) -> Result<Array1<f64>> {
        let n_rows = self.n_rows;
        let column = |values: ArrayView1<'_, f64>| scattered(values, rows, n_rows);
        let scores = column(addition.table.scores.column(m).mapv(f64::from).view());
        if scores.iter().all(|score| score.is_nan()) {
            let name = &addition.table.models[m];
            return refuse(format!("no train prompt has a score of `{name}`"));
        }
        if let Some((columns, _)) = &mut self.propensities {
            // Of a log nothing says for which prompts it was scored: as if for any, at this rate.
            let n_scored = scores.iter().filter(|score| !score.is_nan()).count();
            columns.push(Array1::from_elem(n_rows, n_scored as f64 / n_rows as f64));
        }
        self.scores.push(scores.mapv(|score| score as f32));
        let unknown = || Array1::from_elem(n_rows, f64::NAN);
        if let Some(columns) = &mut self.output_tokens {
            columns.push(match kind {
                CostKind::OutputTokens => column(addition.tokens(m)?),
                CostKind::Usd | CostKind::Known => unknown(),
            });
        }
        if let Some(columns) = &mut self.input_tokens {
            columns.push(self.mean_input.clone().unwrap_or_else(unknown));
        }
        self.cost_usd.push(match kind {
            CostKind::Usd => column(addition.costs(m)?),
            // From tokens and prices, below.
            CostKind::OutputTokens | CostKind::Known => unknown(),
        });
        Ok(scores)
    }

    /// The scores, of shape `(n_prompts, n_models)`.
    pub(super) fn scores(&self) -> Array2<f32> {
        Array2::from_shape_fn((self.n_rows, self.scores.len()), |(row, m)| {
            self.scores[m][row]
        })
    }

    /// The train part with these LLMs, and with dollars by the record's prices where tokens and prices make them.
    pub(super) fn into_table(self, record: &Record, train: &PartTable) -> PartTable {
        let n_rows = train.n_prompts();
        let matrix = |columns: Vec<Array1<f64>>| -> Array2<f64> {
            Array2::from_shape_fn((n_rows, columns.len()), |(row, m)| columns[m][row])
        };
        let mut table = PartTable {
            models: record.models.iter().map(|it| it.name.clone()).collect(),
            scores: self.scores(),
            input_tokens: self.input_tokens.map(matrix),
            output_tokens: self.output_tokens.map(matrix),
            cost_usd: matrix(self.cost_usd),
            propensities: (self.propensities).map(|(columns, are_estimated)| TablePropensities {
                values: matrix(columns),
                are_estimated,
            }),
            ..train.clone()
        };
        let Some(input) = &table.input_tokens else {
            return table;
        };
        let output = match record.cost_kind {
            CostKind::Usd => return table,
            CostKind::OutputTokens => table.output_tokens.as_ref(),
            CostKind::Known => None,
        };
        table.cost_usd = Array2::from_shape_fn(table.cost_usd.dim(), |at| {
            let output = match (record.cost_kind, output) {
                (CostKind::Known, _) => 0.0,
                (_, Some(output)) => output[at],
                (_, None) => f64::NAN,
            };
            let price = record.models[at.1].price.as_ref();
            price.map_or(f64::NAN, |price| price.cost_usd(input[at], output))
        });
        table
    }
}

/// The mean of each row's known values.
fn known_mean(values: &Array2<f64>) -> Array1<f64> {
    let mean = |row: ArrayView1<'_, f64>| {
        let known = || row.iter().filter(|it| !it.is_nan());
        known().sum::<f64>() / known().count() as f64
    };
    values.map_axis(Axis(1), mean)
}
