use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use dataset::{Error as DatasetError, Field, column_name};
use tables::{Files, Format, Kind, Table};

use super::matrix::Matrix;
use crate::config::Model;

/// What the matrix lacks: texts, and how long they are for each LLM.
#[derive(Debug)]
pub(crate) struct Questions {
    path: PathBuf,
    tasks: Vec<String>,
    /// The document's number within its task: the last part of the id.
    doc_ids: Vec<usize>,
    prompts: Vec<String>,
    /// Of each of the LLMs asked for, in order; NaN where unknown.
    n_tokens: Vec<Vec<f64>>,
}

/// A document's text and its length for each LLM.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) prompt: &'a str,
    table: &'a Questions,
    row: usize,
}

impl Question<'_> {
    /// Tokens under the tokenizer of one of the LLMs asked for, by its number.
    pub(crate) fn n_tokens(&self, model: usize) -> f64 {
        self.table.n_tokens[model][self.row]
    }
}

impl Questions {
    /// Reads `id`, `task`, `prompt` and the LLMs' `MODEL/input_tokens` of a Parquet file; other columns, including scores, are ignored.
    ///
    /// # Errors
    /// When a column is missing or has another type, one of the first three has a null, or an id does not end in `/` and a number.
    pub(crate) fn read(path: &Path, models: &[&Model]) -> anyhow::Result<Self> {
        let tokens = |model: &&Model| column_name(&model.name, Field::InputTokens);
        let tokens: Vec<String> = models.iter().map(tokens).collect();
        let kinds = |name: &str| match name {
            "id" | "task" | "prompt" => Some(Kind::Text),
            _ => tokens
                .iter()
                .any(|column| column == name)
                .then_some(Kind::Number),
        };
        let mut table = Table::read(&Files::find(path, Some(Format::Parquet))?, &kinds)?;
        let mut text = |name: &str| texts(path, name, table.texts.remove(name));
        let doc_ids = text("id")?.into_iter().enumerate().map(|(row, id)| {
            let number = id
                .rsplit_once('/')
                .and_then(|(_, number)| number.parse().ok());
            number.with_context(|| {
                format!(
                    "id `{id}` in row {} of `{}` does not end in `/` and a document's number",
                    row + 1,
                    path.display()
                )
            })
        });
        let doc_ids = doc_ids.collect::<anyhow::Result<_>>()?;
        let (tasks, prompts) = (text("task")?, text("prompt")?);
        // Not removed: two LLMs of the settings may have one name here.
        let n_tokens = tokens.into_iter().map(|name| {
            let found = table.numbers.get(&name).cloned();
            found.ok_or_else(|| missing(path, name))
        });
        Ok(Self {
            path: path.to_owned(),
            doc_ids,
            tasks,
            prompts,
            n_tokens: n_tokens.collect::<Result<_, _>>()?,
        })
    }

    /// Of each task of the matrix, of each of its documents, the question, if the table has it; and how many rows are of other tasks.
    ///
    /// # Errors
    /// When the table has a duplicate document, or one that the matrix lacks.
    pub(crate) fn of_tasks(
        &self,
        matrix: &Matrix<'_>,
    ) -> anyhow::Result<(Vec<Vec<Option<Question<'_>>>>, usize)> {
        let mut numbers = HashMap::new();
        for (t, task) in matrix.tasks.iter().enumerate() {
            // Tables name tasks as this program does, or as the leaderboard does.
            numbers.insert(task.task.name.as_str(), t);
            numbers.insert(task.task.source_name.as_str(), t);
        }
        let mut questions: Vec<Vec<Option<Question<'_>>>> = matrix
            .tasks
            .iter()
            .map(|task| vec![None; task.n_documents])
            .collect();
        let mut n_others = 0;
        for (row, (task, &doc_id)) in self.tasks.iter().zip(&self.doc_ids).enumerate() {
            // The table may serve several settings: rows of other tasks are counted, not refused.
            let Some(&t) = numbers.get(task.as_str()) else {
                n_others += 1;
                continue;
            };
            let n_documents = questions[t].len();
            let Some(place) = questions[t].get_mut(doc_id) else {
                bail!(
                    "row {} of `{}` is document {doc_id} of `{task}`, but `{}` has only {n_documents} documents of that task",
                    row + 1,
                    self.path.display(),
                    matrix.path.display()
                );
            };
            if let Some(first) = place {
                bail!(
                    "rows {} and {} of `{}` are document {doc_id} of `{task}`",
                    first.row + 1,
                    row + 1,
                    self.path.display()
                );
            }
            *place = Some(Question {
                prompt: &self.prompts[row],
                table: self,
                row,
            });
        }
        Ok((questions, n_others))
    }
}

fn missing(path: &Path, column: String) -> DatasetError {
    DatasetError::MissingColumn {
        path: path.to_owned(),
        column,
    }
}

/// A column of texts without nulls.
fn texts(
    path: &Path,
    name: &str,
    column: Option<Vec<Option<String>>>,
) -> Result<Vec<String>, DatasetError> {
    let column = column.ok_or_else(|| missing(path, name.to_owned()))?;
    let value = |(i, text): (usize, Option<String>)| {
        text.ok_or_else(|| DatasetError::NullValue {
            path: path.to_owned(),
            column: name.to_owned(),
            row: i + 1,
        })
    };
    column.into_iter().enumerate().map(value).collect()
}
