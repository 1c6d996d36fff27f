use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::Serialize;
use tracing::warn;

use super::answers::Answers;

/// What came of a table.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    input: PathBuf,
    output: PathBuf,
    mu: f64,
    rows: usize,
    /// Rows without a decision.
    errors: usize,
    /// How many rows each LLM was chosen for.
    selected: BTreeMap<String, usize>,
    /// The sum of what is expected of the chosen LLMs, in US dollars.
    cost_usd: f64,
}

impl Report {
    pub(super) fn new(input: &Path, output: &Path, mu: f64) -> Self {
        Self {
            input: input.to_owned(),
            output: output.to_owned(),
            mu,
            rows: 0,
            errors: 0,
            selected: BTreeMap::new(),
            cost_usd: 0.0,
        }
    }

    pub(super) fn add(&mut self, answers: &Answers) {
        for answer in answers.iter() {
            self.rows += 1;
            match answer {
                Ok(decision) => {
                    *self.selected.entry(decision.selected.clone()).or_default() += 1;
                    self.cost_usd += decision.models[decision.selected_idx].cost_usd;
                }
                Err(_) => self.errors += 1,
            }
        }
    }

    /// Says what is missing, where anything is.
    pub(super) fn log(&self) {
        if self.errors > 0 {
            warn!(
                "{} of the {} rows have no decision; the column `routing_error` of `{}` says why",
                self.errors,
                self.rows,
                self.output.display()
            );
        }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{}: {} rows of {} at mu {}, expected cost ${:.6}\n",
            self.output.display(),
            self.rows,
            self.input.display(),
            self.mu,
            self.cost_usd
        );
        let width = self.selected.keys().map(|name| name.chars().count()).max();
        for (name, n) in &self.selected {
            let share = 100.0 * *n as f64 / self.rows as f64;
            let width = width.unwrap_or(0);
            writeln!(text, "  {name:<width$}  {n:>9}  {share:>5.1}%").expect("a text grows");
        }
        text
    }
}
