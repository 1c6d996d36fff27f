use std::num::NonZeroUsize;

use rayon::prelude::*;

use crate::{order::deinterleave, panel::Panel, panel::PanelTask};

/// Products of all LLMs' standardized columns under all candidate widths: `n_rows` times the correlation.
#[derive(Clone)]
pub(crate) struct PairTable {
    pub(crate) n_models: usize,
    pub(crate) n_widths: usize,
    /// (LLM, width) by (LLM, width).
    products: Vec<f64>,
}

/// One table per task, and their sum. Everything but the permutations is computed from these.
pub(crate) struct Tables {
    pub(crate) tasks: Vec<TaskTable>,
    pub(crate) total: PairTable,
}

pub(crate) struct TaskTable {
    pub(crate) n_rows: usize,
    pub(crate) pairs: PairTable,
}

impl PairTable {
    fn zeros(n_models: usize, n_widths: usize) -> Self {
        let side = n_models * n_widths;
        Self {
            n_models,
            n_widths,
            products: vec![0.0; side * side],
        }
    }

    fn of_task(task: &PanelTask, widths: &[NonZeroUsize]) -> Self {
        let mut table = Self::zeros(task.columns.len(), widths.len());
        let columns: Vec<Option<Vec<f64>>> = task
            .columns
            .iter()
            .flat_map(|column| {
                let column = column.as_deref();
                widths
                    .iter()
                    .map(move |&width| column.map(|column| deinterleave(column, width)))
            })
            .collect();
        let side = columns.len();
        let rows: Vec<Vec<f64>> = (0..side)
            .into_par_iter()
            .map(|row| {
                (0..=row)
                    .map(|other| match (&columns[row], &columns[other]) {
                        (Some(x), Some(y)) => dot(x, y),
                        _ => 0.0,
                    })
                    .collect()
            })
            .collect();
        for (row, products) in rows.into_iter().enumerate() {
            for (other, product) in products.into_iter().enumerate() {
                table.products[row * side + other] = product;
                table.products[other * side + row] = product;
            }
        }
        table
    }

    /// The product of LLM `i`'s columns under its width number `a` with LLM `j`'s under `b`.
    pub(crate) fn get(&self, (i, a): (usize, usize), (j, b): (usize, usize)) -> f64 {
        let side = self.n_models * self.n_widths;
        self.products[(i * self.n_widths + a) * side + j * self.n_widths + b]
    }

    /// The product of LLM `i`'s columns under width number `a` with the sum of the other LLMs' under theirs.
    pub(crate) fn with_others(
        &self,
        (i, a): (usize, usize),
        widths: &[usize],
        absent: Option<usize>,
    ) -> f64 {
        (0..self.n_models)
            .filter(|&j| j != i && Some(j) != absent)
            .map(|j| self.get((i, a), (j, widths[j])))
            .sum()
    }

    /// The sum over all pairs of LLMs.
    pub(crate) fn sum(&self, widths: &[usize], absent: Option<usize>) -> f64 {
        let present = (0..self.n_models).filter(|&i| Some(i) != absent);
        0.5 * present
            .map(|i| self.with_others((i, widths[i]), widths, absent))
            .sum::<f64>()
    }

    /// The squared length of the sum of some LLMs' columns.
    pub(crate) fn squared_length(&self, models: &[usize], widths: &[usize]) -> f64 {
        let pairs = models
            .iter()
            .flat_map(|&i| models.iter().map(move |&j| (i, j)));
        // A sum of columns that cancel out may be rounded to below 0.
        pairs
            .map(|(i, j)| self.get((i, widths[i]), (j, widths[j])))
            .sum::<f64>()
            .max(0.0)
    }

    /// What cannot be told from rounding in a sum over pairs: 1e-9 of the largest possible sum.
    pub(crate) fn tolerance(&self) -> f64 {
        let lengths = (0..self.n_models).map(|i| self.get((i, 0), (i, 0)).sqrt());
        1e-9 * lengths.sum::<f64>().powi(2)
    }

    pub(crate) fn minus(&self, other: &Self) -> Self {
        let products = self.products.iter().zip(&other.products);
        Self {
            products: products.map(|(x, y)| x - y).collect(),
            ..*self
        }
    }
}

impl Tables {
    pub(crate) fn new(panel: &Panel, widths: &[NonZeroUsize]) -> Self {
        let mut total = PairTable::zeros(panel.n_models, widths.len());
        let tasks: Vec<TaskTable> = panel
            .tasks
            .iter()
            .map(|task| TaskTable {
                n_rows: task.n_rows,
                pairs: PairTable::of_task(task, widths),
            })
            .collect();
        for task in &tasks {
            for (sum, product) in total.products.iter_mut().zip(&task.pairs.products) {
                *sum += product;
            }
        }
        Self { tasks, total }
    }
}

/// The inner product, in eight sums that a processor can run side by side; their order is fixed, so the result is too.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (x_chunks, y_chunks) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let rest: f64 = x_chunks
        .remainder()
        .iter()
        .zip(y_chunks.remainder())
        .map(|(x, y)| x * y)
        .sum();
    for (x, y) in x_chunks.zip(y_chunks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}
