use std::{collections::BTreeMap, sync::Arc};

use anyhow::bail;
use datagen::{RawModel, RawTable};

use super::{
    files::Found,
    stream::{Sample, Samples},
};
use crate::config::Task;

/// Document numbers that a note names.
const N_NAMED: usize = 10;

/// The samples joined on `doc_id`.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) table: RawTable,
    pub(crate) notes: Vec<String>,
    /// Rows of each of the tasks found.
    pub(crate) n_documents: Vec<usize>,
}

/// Joins the LLMs' samples: a row per document, tasks in their order, documents by number. An LLM without a document has no score there.
///
/// That a number names the same document for all LLMs is compared, not believed. Where the LLMs' hashes of the document differ but the question is
/// the same, the row is kept and counted (evaluations draw the order of choices anew, and versions of a data set add columns). Where the question
/// differs, the row is left out, counted and named; where that befalls more than `max_mismatch_share` of a task's documents, nothing can be joined.
///
/// # Errors
/// When too many documents of a task differ.
pub(crate) fn raw_table(
    found: &Found<'_>,
    samples: &Samples,
    max_mismatch_share: f64,
) -> anyhow::Result<Joined> {
    let models = found.models.iter().map(|model| RawModel {
        name: model.name.clone(),
        scores: Vec::new(),
        input_tokens: Some(Vec::new()),
        output_tokens: None,
        cost_usd: None,
    });
    let mut table = RawTable {
        path: found.path.clone(),
        row_numbers: Vec::new(),
        ids: Vec::new(),
        tasks: Vec::new(),
        prompts: Vec::new(),
        parts: None,
        models: models.collect(),
    };
    let (mut notes, mut n_documents) = (Vec::new(), Vec::new());
    for (t, task) in found.tasks.iter().enumerate() {
        let documents = documents(samples, t);
        let mut mismatches = Vec::new();
        let mut n_other_hashes = 0;
        let n_before = table.n_prompts();
        for (&doc_id, document) in &documents {
            match agreement(document) {
                Agreement::OtherQuestion(m) => {
                    mismatches.push((doc_id, m));
                    continue;
                }
                Agreement::OtherHash => n_other_hashes += 1,
                Agreement::Same => {}
            }
            push(&mut table, task, doc_id, document);
        }
        refuse_mismatches(
            found,
            task,
            documents.len(),
            &mismatches,
            max_mismatch_share,
        )?;
        if !mismatches.is_empty() {
            notes.push(mismatch_note(task, &mismatches));
        }
        if n_other_hashes > 0 {
            notes.push(format!(
                "kept {n_other_hashes} documents of `{}` whose `doc_hash` differs between LLMs while the question is the same",
                task.name
            ));
        }
        n_documents.push(table.n_prompts() - n_before);
    }
    Ok(Joined {
        table,
        notes,
        n_documents,
    })
}

/// What each LLM did on a document.
type Document<'a> = Vec<Option<&'a Sample>>;

fn documents(samples: &Samples, task: usize) -> BTreeMap<u32, Document<'_>> {
    let mut documents: BTreeMap<u32, Document<'_>> = BTreeMap::new();
    for (m, tasks) in samples.iter().enumerate() {
        for sample in tasks[task].iter().flatten() {
            let document = documents
                .entry(sample.doc_id)
                .or_insert_with(|| vec![None; samples.len()]);
            document[m] = Some(sample);
        }
    }
    documents
}

enum Agreement {
    Same,
    OtherHash,
    /// With the first LLM, by number, whose question is another than that of the first one.
    OtherQuestion(usize),
}

fn agreement(document: &Document<'_>) -> Agreement {
    let first = document
        .iter()
        .flatten()
        .next()
        .expect("a document is one that some LLM has");
    let other = document
        .iter()
        .position(|sample| sample.is_some_and(|sample| sample.question != first.question));
    if let Some(m) = other {
        return Agreement::OtherQuestion(m);
    }
    let mut hashes = document
        .iter()
        .flatten()
        .filter_map(|sample| sample.doc_hash.as_ref());
    let first = hashes.next();
    if hashes.all(|hash| Some(hash) == first) {
        Agreement::Same
    } else {
        Agreement::OtherHash
    }
}

fn push(table: &mut RawTable, task: &Task, doc_id: u32, document: &Document<'_>) {
    let sample = document
        .iter()
        .flatten()
        .next()
        .expect("a document is one that some LLM has");
    table.row_numbers.push(table.ids.len() + 1);
    table.ids.push(format!("{}/{doc_id}", task.name));
    table.tasks.push(task.name.clone());
    table.prompts.push(Arc::clone(&sample.question).to_string());
    for (model, sample) in table.models.iter_mut().zip(document) {
        model
            .scores
            .push(sample.map_or(f64::NAN, |sample| sample.score));
        let tokens = model
            .input_tokens
            .as_mut()
            .expect("every LLM's tokens are counted");
        tokens.push(sample.map_or(f64::NAN, |sample| sample.n_tokens));
    }
}

fn refuse_mismatches(
    found: &Found<'_>,
    task: &Task,
    n_documents: usize,
    mismatches: &[(u32, usize)],
    max_share: f64,
) -> anyhow::Result<()> {
    if mismatches.len() as f64 <= max_share * n_documents as f64 {
        return Ok(());
    }
    let (doc_id, m) = mismatches[0];
    bail!(
        "`doc_id` does not name documents: the LLMs differ in the question of {} of {n_documents} documents of `{}`, `{}` first in document {doc_id}; \
         leave it out with --exclude-model, or raise `max-mismatch-share` (now {max_share}) to leave out the documents",
        mismatches.len(),
        task.name,
        found.models[m].name
    );
}

fn mismatch_note(task: &Task, mismatches: &[(u32, usize)]) -> String {
    let named: Vec<String> = mismatches
        .iter()
        .take(N_NAMED)
        .map(|(doc_id, _)| doc_id.to_string())
        .collect();
    let more = if mismatches.len() > N_NAMED {
        ", ..."
    } else {
        ""
    };
    format!(
        "left out {} documents of `{}` in whose question the LLMs differ: {}{more}",
        mismatches.len(),
        task.name,
        named.join(", ")
    )
}
