use std::num::NonZeroUsize;

use anyhow::Context as _;
use datagen::cli::Extra;
use row_order::{Audit, Finding, ModelAudit, Task, TaskAudit, Verdict, deinterleave};
use serde_json::json;

use super::matrix::Matrix;
use crate::config::Config;

/// What was found out about the order of a matrix, and the matrix in the order of the documents.
#[derive(Debug)]
pub(crate) struct Alignment {
    audit: Audit,
    /// Of each task, of each LLM, the scores by document; none of the LLMs that are left out.
    pub(crate) columns: Vec<Vec<Option<Vec<f64>>>>,
}

/// Audits a matrix, and brings it into order.
pub(crate) fn align(matrix: &Matrix<'_>, config: &Config) -> anyhow::Result<Alignment> {
    let models: Vec<String> = matrix
        .models
        .iter()
        .map(|model| model.name.clone())
        .collect();
    let tasks = matrix.tasks.iter().map(|task| Task {
        name: task.task.name.clone(),
        columns: task.columns.clone(),
    });
    let tasks: Vec<Task> = tasks.collect();
    let audit = config
        .audit
        .audit(&models, &tasks)
        .with_context(|| format!("cannot audit the order of `{}`", matrix.path.display()))?;
    // None where the order is not determined: whatever order it was given, its rows would be other documents than those of the others.
    let widths: Vec<Option<NonZeroUsize>> = audit
        .models
        .iter()
        .map(|model| model.width().filter(|_| has_order(model)))
        .collect();
    let ordered = |(column, width): (Option<Vec<f64>>, &Option<NonZeroUsize>)| {
        Some(deinterleave(&column?, (*width)?))
    };
    let columns = tasks
        .into_iter()
        .map(|task| task.columns.into_iter().zip(&widths).map(ordered).collect());
    Ok(Alignment {
        columns: columns.collect(),
        audit,
    })
}

/// Whether an LLM's rows can be brought into the order of most others'.
fn has_order(model: &ModelAudit) -> bool {
    model.part == Some(0)
}

impl Alignment {
    /// Whether an LLM's rows can be brought into one order with those of most others; the others' columns are left out.
    pub(crate) fn has_order(&self, model_idx: usize) -> bool {
        has_order(&self.audit.models[model_idx])
    }
    /// Whether rows as published hold different documents.
    pub(crate) fn mixes_documents(&self) -> bool {
        self.audit.verdict == Verdict::SeveralOrders
    }

    /// What a reader of de-interleaved scores should know of those that could not be placed for sure.
    pub(crate) fn notes(&self) -> Vec<String> {
        let named = |wanted: &dyn Fn(&ModelAudit) -> bool| {
            let models = self.audit.models.iter().filter(|model| wanted(model));
            let names: Vec<String> = models.map(|model| format!("`{}`", model.name)).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        let mut notes = Vec::new();
        if let Some(names) = named(&|model| model.finding == Finding::Undetermined) {
            notes.push(format!(
                "left out {names}: the order of the scores cannot be determined"
            ));
        }
        let is_apart = |model: &ModelAudit| model.part.is_some_and(|part| part > 0);
        if let Some(names) = named(&is_apart) {
            notes.push(format!(
                "left out {names}: the scores do not go with those of the other LLMs in any order"
            ));
        }
        let is_ambiguous =
            |model: &ModelAudit| model.finding == Finding::Ambiguous && has_order(model);
        if let Some(names) = named(&is_ambiguous) {
            notes.push(format!("the scores of {names} fit those of the other LLMs in more than one way; the order with the smallest widths was taken"));
        }
        if self.audit.verdict == Verdict::OneOrder {
            notes.push(
                "all LLMs share one order; the scores do not show which one it is".to_owned(),
            );
        }
        notes
    }

    /// The table that is reported and kept.
    pub(crate) fn extra(&self) -> Extra {
        Extra {
            name: "alignment",
            value: json!(self.audit),
            text: self.text(),
        }
    }

    fn text(&self) -> String {
        let models = self.audit.models.iter().map(model_row);
        let tasks = self.audit.tasks.iter().map(task_row);
        format!(
            "order of the published scores: {}\n\n{}\n{}",
            match self.audit.verdict {
                Verdict::OneOrder => "one, shared by all LLMs",
                Verdict::SeveralOrders =>
                    "several; a row as published holds different documents for different LLMs",
                Verdict::Undetermined => "cannot be determined",
            },
            table(
                &[
                    "LLM",
                    "ranks",
                    "finding",
                    "part",
                    "z",
                    "runner-up z",
                    "margin z",
                    "p",
                    "adjusted p",
                    "correlation published",
                    "found"
                ],
                models
            ),
            table(
                &[
                    "task",
                    "documents",
                    "correlation published",
                    "found",
                    "held out",
                    "p published",
                    "p held out"
                ],
                tasks
            ),
        )
    }
}

fn model_row(model: &ModelAudit) -> Vec<String> {
    let finding = match model.finding {
        Finding::Determined => "determined",
        Finding::Ambiguous => "ambiguous",
        Finding::Undetermined => "undetermined",
    };
    vec![
        model.name.clone(),
        model.best_width.to_string(),
        finding.to_owned(),
        model
            .part
            .map_or("-".to_owned(), |part| (part + 1).to_string()),
        format!("{:.1}", model.z),
        format!("{:.1} ({})", model.runner_up_z, model.runner_up_width),
        format!("{:.1} ({})", model.margin_z, model.rival_width),
        format!("{:.4}", model.p_value),
        format!("{:.4}", model.adjusted_p_value),
        format!("{:.4}", model.mean_correlation_published),
        format!("{:.4}", model.mean_correlation_found),
    ]
}

fn task_row(task: &TaskAudit) -> Vec<String> {
    vec![
        task.name.clone(),
        task.n_rows.to_string(),
        format!("{:.4}", task.mean_correlation_published),
        format!("{:.4}", task.mean_correlation_found),
        format!("{:.4}", task.mean_correlation_held_out),
        format!("{:.4}", task.p_published),
        format!("{:.4}", task.p_held_out),
    ]
}

/// Lines of aligned columns, the first one to the left, all others to the right.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |i: usize| {
        rows.iter()
            .map(|row| row[i].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(i, (cell, &width))| {
            if i == 0 {
                format!("{cell:width$}")
            } else {
                format!("  {cell:>width$}")
            }
        });
        cells.collect::<String>() + "\n"
    };
    rows.iter().map(line).collect()
}
