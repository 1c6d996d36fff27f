use std::{collections::HashSet, path::Path};

use anyhow::{Context as _, ensure};
use datagen::{
    RawModel, RawTable,
    cli::{Extra, Raw},
};
use dataset::{Error as DatasetError, KeptColumns};
use pickle::{ColumnKind, Frame};
use serde_json::json;
use tracing::warn;

use crate::prompts::{Findings, Reading};

const COST: &str = "|total_cost";
const RESPONSE: &str = "|model_response";

/// The LLMs of a frame in its order: those whose score and cost have a column.
pub(crate) fn models(path: &Path, frame: &Frame<'_>) -> anyhow::Result<Vec<String>> {
    let names: Vec<&str> = frame.column_names().collect();
    // A cost without a score is a damaged file. A number without a cost is a column of something else, and is only reported.
    for name in &names {
        if let Some(model) = name.strip_suffix(COST) {
            ensure!(
                names.contains(&model),
                DatasetError::MissingColumn {
                    path: path.to_owned(),
                    column: model.to_owned(),
                }
            );
        }
    }
    let has_cost = |name: &str| names.contains(&format!("{name}{COST}").as_str());
    for (i, name) in names.iter().enumerate() {
        let is_number = frame
            .column_at(i)
            .is_some_and(|column| column.kind() == ColumnKind::Float);
        if is_number && !name.ends_with(COST) && !has_cost(name) {
            warn!(
                "ignored column `{name}` of `{}`: it has no column `{name}{COST}` beside it",
                path.display()
            );
        }
    }
    let models: Vec<String> = names
        .iter()
        .filter(|name| has_cost(name))
        .map(|&name| name.to_owned())
        .collect();
    ensure!(
        !models.is_empty(),
        "`{}` has no LLM: each needs a column `MODEL` of scores and `MODEL{COST}`; its columns are {}",
        path.display(),
        names
            .iter()
            // Every LLM has a column of answers, which would only hide what is wrong with the others.
            .filter(|name| !name.ends_with(RESPONSE))
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    );
    Ok(models)
}

/// What is wanted of a frame.
pub(crate) struct Wanted<'a> {
    /// In lower case: what an `eval_name` begins with, whose rows are left out.
    pub(crate) dropped_prefix: &'a str,
    pub(crate) models: &'a [String],
    pub(crate) reading: Reading,
}

/// The rows of a frame that are not left out. Answers are not read.
pub(crate) fn read(path: &Path, frame: &Frame<'_>, wanted: &Wanted<'_>) -> anyhow::Result<Raw> {
    let eval_names = texts(path, frame, "eval_name")?;
    let prefix = wanted.dropped_prefix;
    // The reference drops these rows by their names, whose case varies.
    let is_kept = |name: &str| prefix.is_empty() || !name.to_lowercase().starts_with(prefix);
    let rows: Vec<usize> = (0..eval_names.len())
        .filter(|&row| is_kept(eval_names[row]))
        .collect();
    let n_dropped = eval_names.len() - rows.len();

    let mut findings = Findings::default();
    let prompts = texts(path, frame, "prompt")?;
    let prompts = rows
        .iter()
        .map(|&row| findings.text(prompts[row], row + 1, wanted.reading));
    let prompts = prompts.collect();
    let (ids, are_numbered) = ids(&texts(path, frame, "sample_id")?, &rows);

    let numbers = |column: &str| -> anyhow::Result<Vec<f64>> {
        let all = frame.column(column).and_then(|column| column.as_f64());
        let all = all.with_context(|| cannot_read(path))?;
        Ok(rows.iter().map(|&row| all[row]).collect())
    };
    let models = wanted.models.iter().map(|name| {
        Ok(RawModel {
            scores: numbers(name)?,
            input_tokens: None,
            output_tokens: None,
            cost_usd: Some(numbers(&format!("{name}{COST}"))?),
            propensities: None,
            name: name.clone(),
        })
    });
    let models = models.collect::<anyhow::Result<Vec<_>>>()?;

    let mut notes = Vec::new();
    if n_dropped > 0 {
        notes.push(format!(
            "left out {n_dropped} of {} rows whose `eval_name` begins with `{prefix}` in any case, as the reference does",
            eval_names.len()
        ));
    }
    notes.extend(findings.notes(wanted.reading));
    if are_numbered {
        notes.push(
            "`sample_id` is not unique: an id is `sample_id#row`, the row counted from 1 in the source"
                .to_owned(),
        );
    }
    Ok(Raw {
        table: RawTable {
            path: path.to_owned(),
            row_numbers: rows.iter().map(|row| row + 1).collect(),
            tasks: rows.iter().map(|&row| eval_names[row].to_owned()).collect(),
            ids,
            prompts,
            parts: None,
            kept: KeptColumns::default(),
            models,
        },
        prices: None,
        notes,
        extras: vec![extra(n_dropped, &findings)],
    })
}

fn extra(n_dropped: usize, findings: &Findings) -> Extra {
    let Findings {
        n_prompts,
        n_differ,
        n_no_list,
        ..
    } = findings;
    Extra {
        name: "prompts",
        value: json!({"n-dropped-rows": n_dropped, "literals": findings}),
        text: format!(
            "prompts: {n_prompts} kept, {n_dropped} dropped; {n_differ} differ between reading the list and the reference's cut, \
             {n_no_list} are not a list of strings"
        ),
    }
}

/// The ids of some rows, and whether row numbers had to be added to make them unique.
fn ids(all: &[&str], rows: &[usize]) -> (Vec<String>, bool) {
    let mut seen = HashSet::with_capacity(rows.len());
    // Row numbers only if they are needed: other tools find a prompt by its `sample_id`.
    if rows.iter().all(|&row| seen.insert(all[row])) {
        return (rows.iter().map(|&row| all[row].to_owned()).collect(), false);
    }
    let numbered = rows.iter().map(|&row| format!("{}#{}", all[row], row + 1));
    (numbered.collect(), true)
}

/// A column of text without nulls.
fn texts<'a>(path: &Path, frame: &'a Frame<'_>, name: &str) -> anyhow::Result<Vec<&'a str>> {
    let texts = frame.column(name).and_then(|column| column.as_text());
    let texts = texts.with_context(|| cannot_read(path))?;
    let text = |(i, text): (usize, Option<&'a str>)| {
        text.ok_or_else(|| DatasetError::NullValue {
            path: path.to_owned(),
            column: name.to_owned(),
            row: i + 1,
        })
    };
    Ok(texts
        .into_iter()
        .enumerate()
        .map(text)
        .collect::<Result<_, _>>()?)
}

pub(crate) fn cannot_read(path: &Path) -> String {
    format!("cannot read `{}` as a RouterBench pickle", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutations_of_frames() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let names = ["pandas1.pkl", "pandas2.pkl", "pandas3.pkl"];
        let files = names.map(|name| std::fs::read(folder.join(name)).expect("a golden"));
        let read = |bytes| {
            let path = Path::new("x.pkl");
            let pickle = pickle::Pickle::parse(bytes)?;
            let frame = pickle.frame()?;
            let wanted = Wanted {
                dropped_prefix: "chinese",
                models: &models(path, &frame)?,
                reading: Reading::Literal,
            };
            super::read(path, &frame, &wanted).map(|raw| raw.table.ids.len())
        };
        for file in &files {
            assert!(read(file.clone()).expect("unbroken") > 0);
        }
        test_support::try_mutations(&files, |bytes| _ = read(bytes));
    }

    #[test]
    fn duplicate_ids_get_their_row_numbers() {
        let all = ["a", "b", "a", "b"];
        assert_eq!(
            ids(&all, &[0, 3]),
            (vec!["a".to_owned(), "b".to_owned()], false)
        );
        assert_eq!(
            ids(&all, &[0, 1, 2]),
            (
                vec!["a#1".to_owned(), "b#2".to_owned(), "a#3".to_owned()],
                true
            )
        );
    }
}
