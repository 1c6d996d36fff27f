use anyhow::ensure;
use datagen::{NewRow, RawTable, cli::Extra};
use serde_json::json;
use tracing::warn;

use super::{audit::Alignment, matrix::Matrix, questions::Questions};
use crate::{
    config::Config,
    summary::{Summary, test_rows},
};

/// In which order scores go into the data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// A row is a document.
    ByDocument,
    /// A row is a place in the published matrix.
    AsPublished,
}

/// The matrix as a data set's rows.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) table: RawTable,
    pub(crate) notes: Vec<String>,
    pub(crate) summary: Extra,
}

/// Joins scores and questions: a row per document with a text, tasks in their order, documents by number. `kept` are the LLMs' numbers, of
/// which those without an order of documents are left out unless rows are as published.
///
/// # Errors
/// When the questions do not fit the matrix.
pub(crate) fn raw_table(
    matrix: &Matrix<'_>,
    alignment: &Alignment,
    questions: &Questions,
    kept: &[usize],
    order: Order,
    config: &Config,
) -> anyhow::Result<Published> {
    let (questions, n_others) = questions.of_tasks(matrix)?;
    let mut notes = Vec::new();
    match order {
        Order::ByDocument => notes.extend(alignment.notes()),
        Order::AsPublished => notes.push(as_published_note(alignment)),
    }
    // Whoever does not read dataset.json should see it as well.
    for note in &notes {
        warn!("{note}");
    }
    if n_others > 0 {
        notes.push(format!("left out {n_others} questions of tasks that were not requested or that the matrix lacks"));
    }
    // Each with its place among the LLMs whose tokens the questions tell.
    let kept: Vec<(usize, usize)> = kept
        .iter()
        .copied()
        .enumerate()
        .filter(|&(_, m)| order == Order::AsPublished || alignment.has_order(m))
        .collect();
    ensure!(
        !kept.is_empty(),
        "the order of no LLM's scores in `{}` can be determined; keep the published one with --as-published",
        matrix.path.display()
    );
    let models = kept.iter().map(|&(_, m)| matrix.models[m].name.clone());
    let mut table = RawTable::of_input_tokens(&matrix.path, models);
    let mut n_documents = 0;
    let mut without_text = Vec::new();
    for (t, task) in matrix.tasks.iter().enumerate() {
        let n_textless = questions[t]
            .iter()
            .filter(|question| question.is_none())
            .count();
        if n_textless > 0 {
            without_text.push((task.task.name.as_str(), n_textless));
        }
        let columns = match order {
            Order::ByDocument => &alignment.columns[t],
            Order::AsPublished => &task.columns,
        };
        for (doc_id, question) in questions[t].iter().enumerate() {
            // Counted before documents without a text are skipped: the number is the row in the matrix.
            n_documents += 1;
            let Some(question) = question else { continue };
            let row = NewRow {
                number: n_documents,
                document: doc_id,
                task: &task.task.name,
                prompt: question.prompt,
            };
            let answers = kept.iter().map(|&(i, m)| {
                let column = columns[m].as_ref();
                let score = column.map_or(f64::NAN, |column| column[doc_id]);
                (score, question.n_tokens(i))
            });
            table.push(row, answers);
        }
    }
    let n_textless: usize = without_text.iter().map(|(_, n)| n).sum();
    if n_textless > 0 {
        notes.push(format!(
            "{n_textless} of {n_documents} documents, of {} tasks, have no text: they are in the audit and the summary, not in the split",
            without_text.len()
        ));
    }
    let summary = summary(matrix, alignment, n_textless, config)?;
    Ok(Published {
        table,
        notes,
        summary,
    })
}

fn as_published_note(alignment: &Alignment) -> String {
    if alignment.mixes_documents() {
        "AS PUBLISHED, NOT BY DOCUMENT: a row holds different LLMs' scores on different documents, and the text of yet another; what a router gains \
         here over the best single LLM, and the oracle, come from that mixture. Use it to reproduce published numbers, and for nothing else"
            .to_owned()
    } else {
        "the scores are kept in the order in which they were published; the audit finds no sign that rows mix documents up".to_owned()
    }
}

/// Both orders side by side, over all documents and the LLMs that have all tasks and an order.
fn summary(
    matrix: &Matrix<'_>,
    alignment: &Alignment,
    n_textless: usize,
    config: &Config,
) -> anyhow::Result<Extra> {
    let complete: Vec<usize> = (0..matrix.models.len())
        .filter(|&m| matrix.is_complete(m) && alignment.has_order(m))
        .collect();
    let names: Vec<&str> = complete
        .iter()
        .map(|&m| matrix.models[m].name.as_str())
        .collect();
    let n_documents = matrix.tasks.iter().map(|task| task.n_documents).sum();
    // The published figures are of all documents, with or without a text, so these are too.
    let rows = test_rows(config, n_documents)?;
    let of = |tasks: &mut dyn Iterator<Item = &Vec<Option<Vec<f64>>>>| {
        let mut columns = vec![Vec::with_capacity(n_documents); complete.len()];
        for task in tasks {
            for (column, &m) in columns.iter_mut().zip(&complete) {
                column.extend(task[m].iter().flatten());
            }
        }
        Summary::of(&names, &columns, &rows)
    };
    let published = of(&mut matrix.tasks.iter().map(|task| &task.columns));
    let by_document = of(&mut alignment.columns.iter());
    let text = format!(
        "{n_documents} documents of {} tasks ({n_textless} without a text), {} test rows, {} LLMs that have all tasks\n  \
         as published: {}\n  by document:  {}\n",
        matrix.tasks.len(),
        rows.len(),
        names.len(),
        published.line(),
        by_document.line()
    );
    let value = json!({
        "n-tasks": matrix.tasks.len(),
        "n-documents": n_documents,
        "n-documents-without-text": n_textless,
        "n-test": rows.len(),
        "models": names,
        "as-published": published,
        "by-document": by_document,
    });
    Ok(Extra {
        name: "summary",
        value,
        text,
    })
}
