use std::{
    collections::HashMap,
    fs::File,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use dataset::{Error as DatasetError, Field, column_name};
use polars::prelude::{Column, DataFrame, DataType, ParquetReader, SerReader as _};
use tables::ParquetFile;
use untrusted_files::guard;

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
        let frame = read_columns(path, models)?;
        let text = |name: &str| texts(path, column(&frame, path, name)?);
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
        let n_tokens = models.iter().map(|model| {
            let name = column_name(&model.name, Field::InputTokens);
            numbers(path, column(&frame, path, &name)?)
        });
        Ok(Self {
            path: path.to_owned(),
            doc_ids: doc_ids.collect::<anyhow::Result<_>>()?,
            tasks: text("task")?,
            prompts: text("prompt")?,
            n_tokens: n_tokens.collect::<anyhow::Result<_>>()?,
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

fn read_columns(path: &Path, models: &[&Model]) -> anyhow::Result<DataFrame> {
    let what = || format!("cannot read `{}` as Parquet", path.display());
    // What the file says of its sizes is checked here; polars would believe it.
    let n_rows = ParquetFile::open(path)?.n_rows();
    let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    let wanted = ["id", "task", "prompt"].map(str::to_owned).into_iter();
    let wanted = wanted.chain(
        models
            .iter()
            .map(|model| column_name(&model.name, Field::InputTokens)),
    );
    let frame = guard(|| {
        let mut reader = ParquetReader::new(file);
        let schema = reader.schema()?;
        // A missing column is reported where it is used.
        let wanted = wanted.filter(|name| schema.contains(name)).collect();
        reader.with_columns(Some(wanted)).finish()
    });
    let frame = frame.with_context(what)?.with_context(what)?;
    ensure!(
        frame.height() == n_rows,
        "`{}` has {} rows, but its footer says {n_rows}",
        path.display(),
        frame.height()
    );
    Ok(frame)
}

fn column<'f>(frame: &'f DataFrame, path: &Path, name: &str) -> anyhow::Result<&'f Column> {
    frame
        .columns()
        .iter()
        .find(|column| column.name() == name)
        .ok_or_else(|| {
            let (path, column) = (path.to_owned(), name.to_owned());
            DatasetError::MissingColumn { path, column }.into()
        })
}

fn texts(path: &Path, column: &Column) -> anyhow::Result<Vec<String>> {
    ensure!(column.dtype().is_string(), wrong_type(path, column, "text"));
    let value = |(i, text): (usize, Option<&str>)| {
        text.map(str::to_owned).ok_or_else(|| {
            let (path, column) = (path.to_owned(), column.name().to_string());
            DatasetError::NullValue {
                path,
                column,
                row: i + 1,
            }
            .into()
        })
    };
    column.str()?.iter().enumerate().map(value).collect()
}

fn numbers(path: &Path, column: &Column) -> anyhow::Result<Vec<f64>> {
    // pandas turns a column of whole numbers into floats as soon as one of them is missing.
    let dtype = column.dtype();
    ensure!(
        dtype.is_integer() || dtype.is_float() || dtype.is_null(),
        wrong_type(path, column, "numbers")
    );
    let floats = column.strict_cast(&DataType::Float64)?;
    Ok(floats
        .f64()?
        .iter()
        .map(|value| value.unwrap_or(f64::NAN))
        .collect())
}

fn wrong_type(path: &Path, column: &Column, expected: &str) -> String {
    format!(
        "column `{}` of `{}` is `{}`, expected `{expected}`",
        column.name(),
        path.display(),
        column.dtype()
    )
}
