use std::collections::BTreeMap;

use anyhow::bail;
use datagen::{NewRow, RawTable};

use super::{
    found::Found,
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
/// Whether a number names the same document for all LLMs is checked, not assumed. Where the LLMs' hashes of the document differ but the question
/// is the same, the row is kept and counted (evaluations shuffle the order of choices again, and newer versions of a data set add columns). Where
/// the question differs, the row is left out, counted and named; when that happens for more than `max_mismatch_share` of a task's documents,
/// nothing can be joined.
///
/// # Errors
/// When too many documents of a task differ.
pub(crate) fn raw_table(
    found: &Found<'_>,
    samples: &Samples,
    max_mismatch_share: f64,
) -> anyhow::Result<Joined> {
    let models = found.models.iter().map(|model| model.name.clone());
    let mut table = RawTable::of_input_tokens(&found.path, models);
    let (mut notes, mut n_documents) = (Vec::new(), Vec::new());
    for (t, task) in found.tasks.iter().enumerate() {
        // Each evaluation gathers its samples from as many processes as it ran on, so that line numbers of two LLMs do not correspond:
        // only the document's own number does.
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
    // The first LLM that has the document is the reference: which one is right is unknown, and for the row it does not matter.
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
    let row = NewRow {
        number: table.n_prompts() + 1,
        document: doc_id as usize,
        task: &task.name,
        prompt: &sample.question,
    };
    let answers = document.iter().map(|sample| {
        sample.map_or((f64::NAN, f64::NAN), |sample| {
            (sample.score, sample.n_tokens)
        })
    });
    table.push(row, answers);
}

fn refuse_mismatches(
    found: &Found<'_>,
    task: &Task,
    n_documents: usize,
    mismatches: &[(u32, usize)],
    max_share: f64,
) -> anyhow::Result<()> {
    // A share, because the same number of changed questions is harmless in a large task and fatal in a small one.
    if mismatches.len() as f64 <= max_share * n_documents as f64 {
        return Ok(());
    }
    let (doc_id, m) = mismatches[0];
    bail!(
        "`doc_id` does not identify documents: in {} of {n_documents} documents of `{}` the LLMs were asked different questions, `{}` first in document \
         {doc_id}; leave it out with --exclude-model, or raise `max-mismatch-share` (now {max_share}) to leave out such documents",
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
        "left out {} documents of `{}` because the LLMs were asked different questions: {}{more}",
        mismatches.len(),
        task.name,
        named.join(", ")
    )
}
