use std::path::{Path, PathBuf};

use anyhow::ensure;
use dataset::Source;
use rayon::prelude::*;

use super::{found::Found, latest::Listed};
use crate::config::{Config, Model, Task};

/// Which LLMs and tasks go into the data set, and which of their files.
///
/// The leaderboard holds several runs of some tasks, none of others, and not every LLM ran every task. A row of the data set needs a score of
/// every LLM, because routers are fitted and judged on whole rows; and the paper's numbers are of the LLMs that have all tasks. Hence:
///
/// - of several runs of a task the latest counts, since the leaderboard itself shows that one (see [`super::latest`]);
/// - a task counts if any LLM has it, so that a folder with a part of the files gives a smaller data set instead of an error;
/// - an LLM that lacks one of those tasks is left out as a whole, unless the user asks to keep it with unknown scores.
///
/// The choice is made from names alone, before anything large is downloaded or read.
pub(super) struct Choice<'a> {
    pub(super) tasks: Vec<&'a Task>,
    pub(super) models: Vec<&'a Model>,
    listed: Vec<Listed>,
    notes: Vec<String>,
}

impl<'a> Choice<'a> {
    /// Keeps the LLMs that have all tasks that any of them has; with `keep_incomplete`, all LLMs.
    pub(super) fn of(
        config: &'a Config,
        models: Vec<&'a Model>,
        listed: Vec<Listed>,
        keep_incomplete: bool,
    ) -> Self {
        let has = |listed: &Listed, task: &Task| listed.contains_key(&task.source_name);
        let (tasks, absent): (Vec<&Task>, Vec<&Task>) = config
            .tasks()
            .partition(|task| listed.iter().any(|listed| has(listed, task)));
        let mut notes = Vec::new();
        if !absent.is_empty() {
            notes.push(format!(
                "the source has no results for {} of {} tasks",
                absent.len(),
                absent.len() + tasks.len()
            ));
        }
        let (mut kept, mut kept_listed) = (Vec::new(), Vec::new());
        for (model, listed) in models.into_iter().zip(listed) {
            let missing: Vec<String> = tasks
                .iter()
                .filter(|task| !has(&listed, task))
                .map(|task| format!("`{}`", task.name))
                .collect();
            if !missing.is_empty() {
                notes.push(incomplete_note(model, &missing, keep_incomplete));
            }
            if missing.is_empty() || keep_incomplete {
                kept.push(model);
                kept_listed.push(listed);
            }
        }
        Self {
            tasks,
            models: kept,
            listed: kept_listed,
            notes,
        }
    }

    /// Of each LLM the paths of its files, in the order of the tasks.
    pub(super) fn wanted(&self) -> impl Iterator<Item = (&'a Model, Vec<&str>)> {
        self.models
            .iter()
            .zip(&self.listed)
            .map(|(&model, listed)| {
                let paths = self
                    .tasks
                    .iter()
                    .filter_map(|task| listed.get(&task.source_name));
                (model, paths.map(String::as_str).collect())
            })
    }

    /// The files of each LLM for each task; `fetch` gets those at some paths of one LLM, all at once so that a hub is asked once per LLM.
    pub(super) fn files(
        &self,
        mut fetch: impl FnMut(&Model, &[&str]) -> anyhow::Result<Vec<PathBuf>>,
    ) -> anyhow::Result<Vec<Vec<Option<PathBuf>>>> {
        let files = self
            .wanted()
            .zip(&self.listed)
            .map(|((model, wanted), listed)| {
                let mut fetched = fetch(model, &wanted)?.into_iter();
                let has = |task: &&Task| listed.contains_key(&task.source_name);
                Ok(self
                    .tasks
                    .iter()
                    .map(|task| has(task).then(|| fetched.next()).flatten())
                    .collect())
            });
        files.collect()
    }

    /// Puts the files together with what is recorded of them. `name` is the path to record for a file: the hub's, not that in the cache.
    pub(super) fn found(
        self,
        path: PathBuf,
        files: Vec<Vec<Option<PathBuf>>>,
        mut notes: Vec<String>,
        name: impl Fn(&Model, &Path) -> PathBuf + Sync,
    ) -> anyhow::Result<Found<'a>> {
        ensure!(
            !self.models.is_empty(),
            "no LLM of `{}` has all tasks; keep those that lack some with --keep-incomplete",
            path.display()
        );
        let all: Vec<(&Model, &PathBuf)> = self
            .models
            .iter()
            .zip(&files)
            .flat_map(|(&model, files)| files.iter().flatten().map(move |file| (model, file)))
            .collect();
        // Hashing gigabytes takes as long as reading them, so it is done on all threads.
        let sources = all.par_iter().map(|(model, file)| {
            let mut source = Source::of(file)?;
            source.path = name(model, file);
            Ok(source)
        });
        let sources = sources.collect::<anyhow::Result<_>>()?;
        notes.extend(self.notes);
        Ok(Found {
            path,
            tasks: self.tasks,
            models: self.models,
            files,
            sources,
            notes,
        })
    }
}

/// The note on an LLM that lacks tasks.
pub(crate) fn incomplete_note(model: &Model, missing: &[String], is_kept: bool) -> String {
    let what = match missing {
        [one] => one.clone(),
        several => format!("{} tasks", several.len()),
    };
    if is_kept {
        format!(
            "`{}` has no results in {what}; its scores are unknown there",
            model.name
        )
    } else {
        format!("left out `{}`, which has no results in {what}", model.name)
    }
}
