use std::path::Path;

use anyhow::ensure;
use cli_support::usage_error;
use datagen::{RawModel, RawTable, SourcePart};
use dataset::{Error as DatasetError, Field, KeptColumns, column_name, parse_column_name};
use tables::{Kind, Table};
use tracing::warn;

use crate::{long::guess, pattern::Pattern};

/// The task of all rows of a table without tasks.
const ONE_TASK: &str = "all";

/// What is left out of a table.
#[derive(Debug)]
pub(crate) struct Filter {
    pub(crate) excluded_models: Vec<String>,
    pub(crate) excluded_tasks: Vec<Pattern>,
}

/// What to read a column as.
pub(crate) fn kind(column: &str, excluded_models: &[String]) -> Option<Kind> {
    match column {
        "id" | "task" | "prompt" | "split" => Some(Kind::Text),
        _ => {
            let (model, _) = parse_column_name(column)?;
            let is_excluded = excluded_models.iter().any(|name| name == model);
            (!is_excluded).then_some(Kind::Number)
        }
    }
}

/// Turns the columns of a file into the raw table that the contract promises, with notes on what was left out.
pub(crate) fn raw_table(
    path: &Path,
    mut columns: Table,
    filter: &Filter,
    keep: &[String],
) -> anyhow::Result<(RawTable, Vec<String>)> {
    ensure!(
        columns.n_rows > 0,
        DatasetError::Empty {
            path: path.to_owned()
        }
    );
    let models = models(path, &columns, filter)?;
    // A warning and not an error, since logs come with columns of their own; but `m/cost` instead of `m/cost_usd` should be noticed.
    warn_of_unknown_columns(path, &columns, keep);
    let mut all_kept = take_kept(path, &mut columns, keep)?;
    let ids = required(path, &mut columns, "id")?;
    let prompts = required(path, &mut columns, "prompt")?;
    let tasks = match columns.texts.remove("task") {
        Some(tasks) => values(path, "task", tasks, 0..columns.n_rows)?,
        None => vec![ONE_TASK.to_owned(); columns.n_rows],
    };
    // Before the other columns are checked: what is left out may be incomplete.
    let (rows, notes) = kept_rows(&tasks, filter)?;

    let parts = match columns.texts.remove("split") {
        Some(split) => Some(parts(
            path,
            &rows,
            values(path, "split", split, rows.clone())?,
        )?),
        None => None,
    };
    // Each column is taken out of the file's, so that its unfiltered copy is freed before the next one is filtered.
    let mut column = |model: &str, field| {
        let all: Vec<f64> = columns.numbers.remove(&column_name(model, field))?;
        Some(rows.iter().map(|&row| all[row]).collect::<Vec<f64>>())
    };
    let models = models.into_iter().map(|name| RawModel {
        scores: column(&name, Field::Score).expect("`models` lists those with a score column"),
        input_tokens: column(&name, Field::InputTokens),
        output_tokens: column(&name, Field::OutputTokens),
        cost_usd: column(&name, Field::CostUsd),
        propensities: column(&name, Field::Propensity),
        name,
    });
    let mut kept = KeptColumns::default();
    for (name, values) in keep.iter().zip(&mut all_kept) {
        // A null is an empty text: what a column means is not known here, and so not whether it may lack a value.
        let value = |&row: &usize| values[row].take().unwrap_or_default();
        kept.insert(name, rows.iter().map(value).collect())?;
    }
    let table = RawTable {
        path: path.to_owned(),
        models: models.collect(),
        row_numbers: rows.iter().map(|row| row + 1).collect(),
        ids: values(path, "id", ids, rows.clone())?,
        prompts: values(path, "prompt", prompts, rows.clone())?,
        tasks: rows.iter().map(|&row| tasks[row].clone()).collect(),
        parts,
        kept,
    };
    Ok((table, notes))
}

/// The LLMs that are not left out, in order of first appearance.
fn models(path: &Path, columns: &Table, filter: &Filter) -> anyhow::Result<Vec<String>> {
    let mut models: Vec<&str> = Vec::new();
    for (model, _) in columns
        .names
        .iter()
        .filter_map(|name| parse_column_name(name))
    {
        if !models.contains(&model) {
            models.push(model);
        }
    }
    if models.is_empty()
        && let Some(flag) = guess(&columns.names)
    {
        return Err(usage_error(format!(
            "`{}` has no column `<model>/score`, and seems to have a row for each prompt and LLM; read it with `{flag}`",
            path.display()
        )));
    }
    // A misspelled name would silently leave the LLM in.
    for excluded in &filter.excluded_models {
        if !models.contains(&excluded.as_str()) {
            let message = format!(
                "--exclude-model: `{}` has no model `{excluded}`",
                path.display()
            );
            return Err(usage_error(message));
        }
    }
    models.retain(|model| {
        !filter
            .excluded_models
            .iter()
            .any(|excluded| excluded == model)
    });
    for model in &models {
        let score = column_name(model, Field::Score);
        ensure!(
            columns.names.contains(&score),
            "`{}` has columns of model `{model}`, but no column `{score}`",
            path.display()
        );
    }
    Ok(models.into_iter().map(str::to_owned).collect())
}

fn warn_of_unknown_columns(path: &Path, columns: &Table, keep: &[String]) {
    let unknown = columns
        .names
        .iter()
        .filter(|name| kind(name, &[]).is_none() && !keep.contains(name));
    let unknown: Vec<String> = unknown.map(|name| format!("`{name}`")).collect();
    if !unknown.is_empty() {
        warn!(
            "ignored unknown columns of `{}`: {}",
            path.display(),
            unknown.join(", ")
        );
    }
}

/// The columns to keep, in their order.
fn take_kept(
    path: &Path,
    columns: &mut Table,
    keep: &[String],
) -> anyhow::Result<Vec<Vec<Option<String>>>> {
    let take = |name: &String| {
        columns.texts.remove(name).ok_or_else(|| {
            let path = path.display();
            usage_error(format!(
                "--keep, --group: `{path}` has no column `{name}` of text, numbers or dates"
            ))
        })
    };
    keep.iter().map(take).collect()
}

fn required(path: &Path, columns: &mut Table, name: &str) -> anyhow::Result<Vec<Option<String>>> {
    columns.texts.remove(name).ok_or_else(|| {
        let (path, column) = (path.to_owned(), name.to_owned());
        DatasetError::MissingColumn { path, column }.into()
    })
}

/// The values of some rows of a column, where null is not allowed.
fn values(
    path: &Path,
    column: &str,
    mut texts: Vec<Option<String>>,
    rows: impl IntoIterator<Item = usize>,
) -> anyhow::Result<Vec<String>> {
    let value = |row: usize| {
        // Only a prompt may be empty.
        let text = texts[row].take();
        text.filter(|text| column == "prompt" || !text.is_empty())
            .ok_or_else(|| {
                let (path, column) = (path.to_owned(), column.to_owned());
                DatasetError::NullValue {
                    path,
                    column,
                    row: row + 1,
                }
                .into()
            })
    };
    rows.into_iter().map(value).collect()
}

/// The rows that the filter leaves, from 0.
fn kept_rows(tasks: &[String], filter: &Filter) -> anyhow::Result<(Vec<usize>, Vec<String>)> {
    let mut rows: Vec<usize> = (0..tasks.len()).collect();
    let mut notes = Vec::new();
    for pattern in &filter.excluded_tasks {
        // A misspelled pattern would silently keep the rows that it was meant to remove.
        if !tasks.iter().any(|task| pattern.matches(task)) {
            let message = format!("--exclude-task: no row is of a task `{}`", pattern.as_str());
            return Err(usage_error(message));
        }
        let n_before = rows.len();
        rows.retain(|&row| !pattern.matches(&tasks[row]));
        notes.push(format!(
            "left out {} rows of tasks `{}`",
            n_before - rows.len(),
            pattern.as_str()
        ));
    }
    for model in &filter.excluded_models {
        notes.push(format!("left out model `{model}`"));
    }
    Ok((rows, notes))
}

fn parts(path: &Path, rows: &[usize], split: Vec<String>) -> anyhow::Result<Vec<SourcePart>> {
    let part = |(&row, text): (&usize, String)| {
        // Other spellings are refused rather than guessed: some people call the validation part `dev`, others the test part.
        let part = SourcePart::ALL.into_iter().find(|part| part.name() == text);
        part.ok_or_else(|| {
            anyhow::anyhow!(
                "column `split` of `{}` is `{text}` in row {}, expected `train`, `validation` or `test`",
                path.display(),
                row + 1
            )
        })
    };
    rows.iter().zip(split).map(part).collect()
}
