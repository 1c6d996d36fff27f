use std::collections::HashMap;

use ndarray::{Array1, Array2, ArrayView1};

use super::{Addition, refuse};
use crate::Result;

impl Addition<'_> {
    /// For each prompt of the table its row in the router, if it has one.
    pub(super) fn rows(&self, n_rows: usize) -> Result<Vec<Option<usize>>> {
        if self.train_ids.len() != n_rows {
            return refuse(format!(
                "the train part has {} prompts, but the router was fitted on {n_rows}",
                self.train_ids.len()
            ));
        }
        let positions: HashMap<&str, usize> = self
            .train_ids
            .iter()
            .enumerate()
            .map(|(row, id)| (id.as_str(), row))
            .collect();
        let rows: Vec<Option<usize>> = self
            .table
            .ids
            .iter()
            .map(|id| positions.get(id.as_str()).copied())
            .collect();
        if rows.iter().all(Option::is_none) {
            return refuse(format!(
                "none of the table's prompts is a train prompt of the router: the table begins with `{}`, the router with `{}`",
                self.table.ids[0], self.train_ids[0]
            ));
        }
        Ok(rows)
    }

    pub(super) fn tokens(&self, m: usize) -> Result<ArrayView1<'_, f64>> {
        known(self.table.output_tokens.as_ref(), m)
            .map_or_else(|| self.without_cost(m, "output_tokens"), Ok)
    }

    pub(super) fn costs(&self, m: usize) -> Result<ArrayView1<'_, f64>> {
        known(self.table.cost_usd.as_ref(), m).map_or_else(|| self.without_cost(m, "cost_usd"), Ok)
    }

    fn without_cost<T>(&self, m: usize, field: &str) -> Result<T> {
        let name = &self.table.models[m];
        refuse(format!(
            "the cost of `{name}` cannot be predicted: the table has no value in `{name}/{field}`"
        ))
    }
}

/// One LLM's numbers, if any is known.
fn known(values: Option<&Array2<f64>>, m: usize) -> Option<ArrayView1<'_, f64>> {
    let column = values?.column(m);
    column.iter().any(|value| !value.is_nan()).then_some(column)
}

/// Values of a table's prompts as those of the router's rows, NaN elsewhere.
pub(super) fn scattered(
    values: ArrayView1<'_, f64>,
    rows: &[Option<usize>],
    n_rows: usize,
) -> Array1<f64> {
    let mut all = Array1::from_elem(n_rows, f64::NAN);
    for (&value, row) in values.iter().zip(rows) {
        if let Some(row) = row {
            all[*row] = value;
        }
    }
    all
}
