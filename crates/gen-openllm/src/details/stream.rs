use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, bail, ensure};
use rayon::prelude::*;

use super::{
    found::Found,
    sample::{ParsedLine, parse},
};
use crate::{
    config::Task,
    tokens::{Counter, Counters},
};

/// Some lines of a task with ten choices, each of which repeats the whole prompt.
const BUFFER_BYTES: usize = 1 << 20;

/// What one LLM did on one document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) doc_id: u32,
    /// The evaluation's hash of the document, where it gave one.
    pub(crate) doc_hash: Option<String>,
    /// The bare question; shared by all LLMs that have the same.
    pub(crate) question: Arc<str>,
    /// In [0, 1].
    pub(crate) score: f64,
    /// Tokens of what the LLM read.
    pub(crate) n_tokens: f64,
}

/// Of each LLM the samples of each task, by `doc_id`.
pub(crate) type Samples = Vec<Vec<Option<Vec<Sample>>>>;

/// Reads all files. A file is streamed line by line, and of a line is kept what a [`Sample`] has: the files of one LLM can be a gigabyte.
pub(crate) fn read(
    found: &Found<'_>,
    counters: &Counters,
    on_progress: &(dyn Fn(u64) + Sync),
) -> anyhow::Result<Samples> {
    let questions = Questions::default();
    let n_tasks = found.tasks.len();
    let cells: Vec<(usize, usize)> = (0..found.models.len())
        .flat_map(|m| (0..n_tasks).map(move |t| (m, t)))
        .collect();
    // One file is one unit of work: files differ widely in size, and larger units would leave threads idle at the end.
    let samples = cells.into_par_iter().with_max_len(1).map(|(m, t)| {
        let Some(path) = &found.files[m][t] else {
            return Ok(None);
        };
        let samples = read_file(path, found.tasks[t], counters.of(m), &questions)?;
        on_progress(1);
        Ok(Some(samples))
    });
    let mut samples = samples.collect::<anyhow::Result<Vec<_>>>()?.into_iter();
    Ok(found
        .models
        .iter()
        .map(|_| samples.by_ref().take(n_tasks).collect())
        .collect())
}

fn read_file(
    path: &Path,
    task: &Task,
    counter: &Counter,
    questions: &Questions,
) -> anyhow::Result<Vec<Sample>> {
    let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, file);
    let mut line = Vec::new();
    let mut first_lines = HashMap::new();
    let mut samples = Vec::new();
    for number in 1.. {
        // One buffer for all lines, because a line can be a megabyte long.
        line.clear();
        let n_read = reader
            .read_until(b'\n', &mut line)
            .with_context(|| format!("cannot read `{}`", path.display()))?;
        if n_read == 0 {
            break;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let place = || format!("cannot read line {number} of `{}`", path.display());
        let ParsedLine {
            doc_id,
            doc_hash,
            question,
            context,
            score,
        } = parse(&line, task).with_context(place)?;
        // Keeping either of two scores for one document would be a guess.
        if let Some(first) = first_lines.insert(doc_id, number) {
            bail!(
                "duplicate `doc_id` {doc_id} in lines {first} and {number} of `{}`",
                path.display()
            );
        }
        samples.push(Sample {
            doc_id,
            doc_hash,
            question: questions.shared(question),
            score,
            n_tokens: counter.count(&context).with_context(place)?,
        });
    }
    ensure!(!samples.is_empty(), "`{}` has no lines", path.display());
    // Files are in the order in which several processes finished; from here on the order of lines has no meaning.
    samples.sort_by_key(|sample| sample.doc_id);
    Ok(samples)
}

/// Each question once, though every LLM's file has it.
#[derive(Default)]
struct Questions(Mutex<HashSet<Arc<str>>>);

impl Questions {
    fn shared(&self, question: String) -> Arc<str> {
        // Locked once per line, which costs little beside parsing and tokenizing it.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(question.as_str()) {
            return Arc::clone(known);
        }
        let question: Arc<str> = question.into();
        known.insert(Arc::clone(&question));
        question
    }
}
