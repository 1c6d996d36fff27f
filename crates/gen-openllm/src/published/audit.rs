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
    /// Of each task, of each LLM, the scores by document; where an LLM's order cannot be determined, as published.
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
    let widths: Vec<Option<NonZeroUsize>> = audit.models.iter().map(ModelAudit::width).collect();
    // An order that is not determined is left alone: a wrong one would be worse than the known mixture.
    let ordered = |(column, width): (Option<Vec<f64>>, &Option<NonZeroUsize>)| match (column, width)
    {
        (Some(column), Some(width)) => Some(deinterleave(&column, *width)),
        (column, _) => column,
    };
    let columns = tasks
        .into_iter()
        .map(|task| task.columns.into_iter().zip(&widths).map(ordered).collect());
    Ok(Alignment {
        columns: columns.collect(),
        audit,
    })
}

impl Alignment {
    /// Whether rows as published hold different documents.
    pub(crate) fn mixes_documents(&self) -> bool {
        self.audit.verdict == Verdict::SeveralOrders
    }

    /// What a reader of de-interleaved scores should know of those that could not be placed for sure.
    pub(crate) fn notes(&self) -> Vec<String> {
        let named = |finding| {
            let models = self
                .audit
                .models
                .iter()
                .filter(|model| model.finding == finding);
            let names: Vec<String> = models.map(|model| format!("`{}`", model.name)).collect();
            (!names.is_empty()).then(|| names.join(", "))
        };
        let mut notes = Vec::new();
        if let Some(names) = named(Finding::Undetermined) {
            notes.push(format!(
                "the order of the scores of {names} cannot be determined; they are kept as published"
            ));
        }
        if let Some(names) = named(Finding::Ambiguous) {
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
