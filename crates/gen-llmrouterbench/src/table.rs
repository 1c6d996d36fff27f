use std::{collections::HashMap, path::Path};

use datagen::{RawModel, RawTable, SourcePart};
use dataset::KeptColumns;

use crate::{records::Records, split::Split};

/// A row for each prompt, index and split of a data set; the columns of LLMs without any answer are left out. Notes say what had to be done.
pub(crate) fn table(
    path: &Path,
    records: &Records,
    split: &Split,
    models: &[String],
) -> (RawTable, Vec<String>) {
    // Records of one prompt that has several indices, or is in several splits, are rows of their own, all in one part.
    let mut rows: HashMap<(&str, u32), Vec<(i64, &str)>> = HashMap::new();
    for result in &records.results {
        for answer in &result.answers {
            let of_prompt = rows.entry((&result.data_set, answer.prompt)).or_default();
            let row = (answer.index, &*result.split);
            if !of_prompt.contains(&row) {
                of_prompt.push(row);
            }
        }
    }
    let mut places = HashMap::new();
    let mut table = RawTable {
        path: path.to_owned(),
        row_numbers: Vec::new(),
        ids: Vec::new(),
        tasks: Vec::new(),
        prompts: Vec::new(),
        parts: None,
        kept: KeptColumns::default(),
        models: Vec::new(),
    };
    let mut parts = Vec::new();
    // LLMs may be asked one index with different texts; then an id has the number of its text, too.
    let mut n_texts: HashMap<String, usize> = HashMap::new();
    let mut n_of_other_texts = 0;
    for (data_set, prompt) in &split.order {
        let part = match split.train.contains(&(data_set.clone(), *prompt)) {
            true => SourcePart::Train,
            false => SourcePart::Test,
        };
        let mut of_prompt = rows
            .remove(&(data_set.as_str(), *prompt))
            .unwrap_or_default();
        of_prompt.sort_unstable();
        for (index, of_split) in of_prompt {
            let mut id = format!("{data_set}/{of_split}/{index}");
            let n_before = n_texts.entry(id.clone()).or_default();
            *n_before += 1;
            if *n_before > 1 {
                n_of_other_texts += 1;
                id = format!("{id}#{n_before}");
            }
            places.insert(
                (data_set.as_str(), *prompt, index, of_split.to_owned()),
                table.ids.len(),
            );
            table.ids.push(id);
            table.tasks.push(data_set.clone());
            table
                .prompts
                .push(records.prompts[*prompt as usize].clone());
            parts.push(part);
        }
    }
    let n_rows = table.ids.len();
    table.row_numbers = (1..=n_rows).collect();
    table.parts = Some(parts);
    let mut notes = Vec::new();
    if n_of_other_texts > 0 {
        notes.push(format!(
            "{n_of_other_texts} rows have the index of another row and another text: LLMs were asked in different words"
        ));
    }
    for name in models {
        let unknown = || vec![f64::NAN; n_rows];
        let mut model = RawModel {
            name: name.clone(),
            scores: unknown(),
            input_tokens: Some(unknown()),
            output_tokens: Some(unknown()),
            cost_usd: Some(unknown()),
            propensities: None,
        };
        let mut n_repeated = 0;
        let mut n_known = 0;
        for result in records
            .results
            .iter()
            .filter(|result| result.model == *name)
        {
            for answer in &result.answers {
                let row = places[&(
                    result.data_set.as_str(),
                    answer.prompt,
                    answer.index,
                    result.split.clone(),
                )];
                n_repeated += usize::from(!model.scores[row].is_nan());
                n_known += 1;
                model.scores[row] = answer.score;
                for (column, value) in [
                    (&mut model.input_tokens, answer.input_tokens),
                    (&mut model.output_tokens, answer.output_tokens),
                    (&mut model.cost_usd, answer.cost_usd),
                ] {
                    column.as_mut().expect("there")[row] = value;
                }
            }
        }
        if n_repeated > 0 {
            notes.push(format!(
                "{n_repeated} answers of `{name}` repeat an index; the last counts"
            ));
        }
        match n_known {
            0 => notes.push(format!("`{name}` is left out: there is no result of it")),
            _ => table.models.push(model),
        }
    }
    (table, notes)
}
