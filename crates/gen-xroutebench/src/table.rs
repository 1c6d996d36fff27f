use std::{collections::HashMap, path::Path};

use anyhow::{Context as _, ensure};
use datagen::{RawModel, RawTable, SourcePart};
use dataset::{KeptColumns, Price, Prices};
use tables::{Files, Format, Kind, Table};

const MODEL: &str = "model_name";
const PROMPT: &str = "query";
const TASK: &str = "task_name";
const NUMBER: &str = "embedding_id";
const PRICES: [&str; 2] = ["input_price_per_1m", "output_price_per_1m"];
const ANSWER: [&str; 3] = ["performance", "input_tokens", "output_tokens"];

/// LLMs in their file's order, with their prices.
pub(crate) struct Models {
    pub(crate) names: Vec<String>,
    pub(crate) prices: Prices,
}

fn read(path: &Path, texts: &[&str], numbers: &[&str]) -> anyhow::Result<Table> {
    let files = Files::find(path, Some(Format::Parquet))?;
    let kinds = |name: &str| match (texts.contains(&name), numbers.contains(&name)) {
        (true, _) => Some(Kind::Text),
        (_, true) => Some(Kind::Number),
        _ => None,
    };
    let table = Table::read(&files, &kinds)?;
    for name in texts.iter().chain(numbers) {
        ensure!(
            table.has(name),
            "`{}` has no column `{name}`, but {}",
            path.display(),
            table.names.join(", ")
        );
    }
    Ok(table)
}

/// A text that has to be there.
fn text<'a>(table: &'a Table, column: &str, row: usize) -> anyhow::Result<&'a str> {
    let found = table.texts[column][row].as_deref();
    found.with_context(|| {
        format!(
            "`{}` has no `{column}` in row {}",
            table.path.display(),
            row + 1
        )
    })
}

pub(crate) fn models(path: &Path) -> anyhow::Result<Models> {
    let table = read(path, &[MODEL], &PRICES)?;
    let mut names = Vec::with_capacity(table.n_rows);
    let mut prices = Vec::with_capacity(table.n_rows);
    for row in 0..table.n_rows {
        let name = text(&table, MODEL, row)?.to_owned();
        ensure!(
            !names.contains(&name),
            "`{}` has the LLM `{name}` twice",
            path.display()
        );
        let [input, output] = PRICES.map(|column| table.numbers[column][row]);
        prices.push((
            name.clone(),
            Price {
                input_usd_per_mtok: input,
                output_usd_per_mtok: output,
                source: Some("xRouteBench's llm_candidates".to_owned()),
            },
        ));
        names.push(name);
    }
    let prices = Prices::from_iter(prices);
    prices.check(path)?;
    Ok(Models { names, prices })
}

/// All prompts of both parts; an id is `part/number`. Returns the answers of each part, too, and notes on what had to be done.
pub(crate) fn table(
    paths: [&Path; 2],
    names: &[String],
) -> anyhow::Result<(RawTable, [usize; 2], Vec<String>)> {
    let places: HashMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(m, name)| (&**name, m))
        .collect();
    let mut raw = RawTable {
        path: paths[0].parent().unwrap_or(paths[0]).to_owned(),
        row_numbers: Vec::new(),
        ids: Vec::new(),
        tasks: Vec::new(),
        prompts: Vec::new(),
        parts: None,
        kept: KeptColumns::default(),
        models: Vec::new(),
    };
    let mut parts = Vec::new();
    // By LLM: score, input and output tokens of each prompt.
    let mut columns: Vec<[Vec<f64>; 3]> = vec![[const { Vec::new() }; 3]; names.len()];
    let mut n_answers = [0; 2];
    for (path, (part, n)) in paths.into_iter().zip(
        [SourcePart::Train, SourcePart::Test]
            .into_iter()
            .zip(&mut n_answers),
    ) {
        let [score, input, output] = ANSWER;
        let answers = read(
            path,
            &[TASK, PROMPT, MODEL],
            &[NUMBER, score, input, output],
        )?;
        *n = answers.n_rows;
        let mut rows: HashMap<u64, usize> = HashMap::new();
        for row in 0..answers.n_rows {
            let number = answers.numbers[NUMBER][row];
            ensure!(
                number >= 0.0 && number.fract() == 0.0,
                "`{}` has `{number}` for `{NUMBER}` in row {}, expected a whole number",
                path.display(),
                row + 1
            );
            let (prompt, task) = (text(&answers, PROMPT, row)?, text(&answers, TASK, row)?);
            let place = *rows.entry(number as u64).or_insert_with(|| {
                raw.row_numbers.push(row + 1);
                raw.ids.push(format!("{}/{number}", part.name()));
                raw.tasks.push(task.to_owned());
                raw.prompts.push(prompt.to_owned());
                parts.push(part);
                columns
                    .iter_mut()
                    .flatten()
                    .for_each(|column| column.push(f64::NAN));
                parts.len() - 1
            });
            // Two prompts under one number would be one row with the answers of both.
            ensure!(
                raw.prompts[place] == prompt && raw.tasks[place] == task,
                "`{}` has another prompt or task under `{NUMBER}` {number} in row {} than in row {}",
                path.display(),
                row + 1,
                raw.row_numbers[place]
            );
            let model = text(&answers, MODEL, row)?;
            let m = *places.get(model).with_context(|| {
                format!(
                    "`{}` has the LLM `{model}` in row {}, which is not among the LLMs with prices",
                    path.display(),
                    row + 1
                )
            })?;
            ensure!(
                columns[m][0][place].is_nan(),
                "`{}` has a second answer of `{model}` to `{NUMBER}` {number} in row {}",
                path.display(),
                row + 1
            );
            for (column, name) in columns[m].iter_mut().zip(ANSWER) {
                column[place] = answers.numbers[name][row];
            }
        }
    }
    raw.parts = Some(parts);
    let mut notes = Vec::new();
    for (name, [mut scores, input, output]) in names.iter().zip(columns) {
        // A router cannot weigh a score without a cost: the score is dropped, not the prompt.
        let mut n_dropped = 0;
        for (score, (input, output)) in scores.iter_mut().zip(input.iter().zip(&output)) {
            if !score.is_nan() && (input + output).is_nan() {
                *score = f64::NAN;
                n_dropped += 1;
            }
        }
        if n_dropped > 0 {
            notes.push(format!("{n_dropped} scores of `{name}` were left out: the tokens of the call, and so its cost, are unknown"));
        }
        if scores.iter().all(|score| score.is_nan()) {
            notes.push(format!("`{name}` is left out: there is no answer of it"));
            continue;
        }
        raw.models.push(RawModel {
            name: name.clone(),
            scores,
            input_tokens: Some(input),
            output_tokens: Some(output),
            cost_usd: None,
            propensities: None,
        });
    }
    Ok((raw, n_answers, notes))
}
