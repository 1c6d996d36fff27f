use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use dataset::Field;
use ndarray::Array2;
use pickle::{Pickle, Value};
use tracing::warn;

use crate::config::{Config, Model, Task};

/// The published scores, in the order in which they were published.
#[derive(Debug)]
pub(crate) struct Matrix<'a> {
    /// The file, for messages.
    pub(crate) path: PathBuf,
    /// The LLMs that it has and the settings list, in the settings' order.
    pub(crate) models: Vec<&'a Model>,
    /// The tasks that it has, in the settings' order.
    pub(crate) tasks: Vec<MatrixTask<'a>>,
    /// What is missing.
    pub(crate) notes: Vec<String>,
}

/// One task's scores.
#[derive(Debug)]
pub(crate) struct MatrixTask<'a> {
    pub(crate) task: &'a Task,
    pub(crate) n_documents: usize,
    /// Of each LLM the scores as stored; none where it was not evaluated.
    pub(crate) columns: Vec<Option<Vec<f64>>>,
}

impl<'a> Matrix<'a> {
    /// Reads a pickle of the published form:
    ///
    /// ```text
    /// {"leaderboard_bbh_navigate": {"models": ["open-llm-leaderboard/owner__name-details", ...],
    ///                               "correctness": array of (n_models, n_documents)}, ...}
    /// ```
    ///
    /// IFEval's `correctness` is a dictionary of several measures; `correctness_prompt` is the strict one per prompt.
    pub(crate) fn read(path: &Path, config: &'a Config) -> anyhow::Result<Self> {
        let what = || format!("cannot use `{}`", path.display());
        let pickle = Pickle::read(path).with_context(what)?;
        Self::of(pickle.value(), path, config).with_context(what)
    }

    fn of(value: Value<'_>, path: &Path, config: &'a Config) -> anyhow::Result<Self> {
        let mut stored = Vec::new();
        for (name, task) in value.entries()? {
            stored.push((name.as_str()?, task));
        }
        let mut found = Vec::new();
        for task in config.tasks() {
            let Some(&(name, value)) = stored.iter().find(|(name, _)| *name == task.source_name)
            else {
                continue;
            };
            let stored =
                StoredTask::read(value).with_context(|| format!("cannot read task `{name}`"))?;
            found.push((task, stored));
        }
        ensure!(
            !found.is_empty(),
            "it has none of the tasks `{}`, ...",
            config.tasks().next().map_or("", |task| &task.source_name)
        );
        let mut notes = Vec::new();
        let n_tasks = config.tasks().count();
        if found.len() < n_tasks {
            notes.push(format!(
                "the source has no results for {} of {n_tasks} tasks",
                n_tasks - found.len()
            ));
        }
        let models: Vec<&Model> = config
            .models
            .iter()
            .filter(|model| found.iter().any(|(_, stored)| stored.row(model).is_some()))
            .collect();
        ensure!(
            !models.is_empty(),
            "it has none of the LLMs that the settings list"
        );
        warn_of_unknown(config, &found);
        let absent: Vec<String> = config
            .models
            .iter()
            .filter(|model| !models.contains(model))
            .map(|model| format!("`{}`", model.name))
            .collect();
        if !absent.is_empty() {
            notes.push(format!(
                "the source has no results for {}",
                absent.join(", ")
            ));
        }
        let tasks = found.into_iter().map(|(task, stored)| MatrixTask {
            task,
            n_documents: stored.scores.ncols(),
            columns: models
                .iter()
                .map(|model| Some(stored.scores.row(stored.row(model)?).to_vec()))
                .collect(),
        });
        Ok(Self {
            path: path.to_owned(),
            tasks: tasks.collect(),
            models,
            notes,
        })
    }

    /// Whether the matrix has all tasks of an LLM, by its number.
    pub(crate) fn is_complete(&self, model: usize) -> bool {
        self.tasks.iter().all(|task| task.columns[model].is_some())
    }
}

struct StoredTask {
    /// `owner__name-details`.
    models: Vec<String>,
    /// Of shape `(n_models, n_documents)`.
    scores: Array2<f64>,
}

impl StoredTask {
    fn read(value: Value<'_>) -> anyhow::Result<Self> {
        let mut models: Vec<String> = Vec::new();
        for model in value.get("models")?.items()? {
            let model = model.as_str()?;
            // The published file has the repositories' owner in front of every name, always the same one.
            let model = model
                .rsplit_once('/')
                .map_or(model, |(_, model)| model)
                .to_owned();
            ensure!(!models.contains(&model), "duplicate LLM `{model}`");
            models.push(model);
        }
        let correctness = value.get("correctness")?;
        // IFEval scores instructions and whole prompts; the leaderboard's score, like the sample files' metric, is of prompts.
        let correctness = correctness.get("correctness_prompt").unwrap_or(correctness);
        let scores = correctness.array()?.to_array2_f64()?;
        ensure!(
            scores.nrows() == models.len(),
            "it has {} LLMs but {} rows of scores",
            models.len(),
            scores.nrows()
        );
        ensure!(scores.ncols() > 0, "it has no documents");
        // Checked here, because the audit and the summary come before the checks of the data set.
        let bad = scores
            .indexed_iter()
            .find(|(_, score)| !Field::Score.admits(**score));
        if let Some(((row, column), score)) = bad {
            bail!(
                "the score of `{}` on document {column} is {score}, expected {}",
                models[row],
                Field::Score.range()
            );
        }
        Ok(Self { models, scores })
    }

    fn row(&self, model: &Model) -> Option<usize> {
        let repo = model.details_repo();
        self.models.iter().position(|name| *name == repo)
    }
}

fn warn_of_unknown(config: &Config, found: &[(&Task, StoredTask)]) {
    let mut unknown: Vec<&str> = Vec::new();
    for name in found.iter().flat_map(|(_, stored)| &stored.models) {
        let is_known = config
            .models
            .iter()
            .any(|model| model.details_repo() == *name);
        if !is_known && !unknown.contains(&name.as_str()) {
            unknown.push(name);
        }
    }
    if !unknown.is_empty() {
        warn!(
            "left out LLMs that the settings do not list, or that were excluded: `{}`",
            unknown.join("`, `")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutations_of_matrices() {
        let config = toml::from_str::<Config>(crate::config::BUILT_IN.text);
        let config = config.expect("the built-in settings");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/matrix.pickle");
        let read = |bytes| {
            let pickle = Pickle::parse(bytes)?;
            Matrix::of(pickle.value(), &path, &config).map(|matrix| matrix.tasks.len())
        };
        let file = std::fs::read(&path).expect("the golden");
        assert!(read(file.clone()).expect("unbroken") > 0);
        test_support::try_mutations(&[file], |bytes| _ = read(bytes));
    }
}
