//! Decision logs of `carrot-router serve`: a request with its feedback is a row, in which the score of one LLM is known.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    num::NonZeroUsize,
    path::Path,
};

use anyhow::{Context as _, bail};
use dataset::{Field, column_name};
use decision_log::{AmountSource, DecisionLine, LogFiles, Outcome, is_log_line};
use tables::{Files, Sampler, Table};
use untrusted_files::Budget;

use crate::long::Wide;

/// The task of requests of which the client did not say it, where others have one.
const NO_TASK: &str = "unknown";
/// Rows of a sample that are held before those that have left it are thrown away.
const MIN_ROWS: usize = 4096;
/// The columns that can be kept.
const KEPT: [&str; 5] = ["time", "session", "endpoint", "requested", "served"];

/// A table and what is to be said of it.
pub(crate) struct ReadLog {
    pub(crate) wide: Wide,
    pub(crate) notes: Vec<String>,
}

/// The files of a decision log, the older ones too, if that is what the input is.
///
/// # Errors
/// When a file cannot be read.
pub(crate) fn find(input: &Path, files: &Files) -> anyhow::Result<Option<LogFiles>> {
    let Some(first) = files.paths().next() else {
        return Ok(None);
    };
    let file = File::open(first).with_context(|| format!("cannot open `{}`", first.display()))?;
    let mut start = Vec::new();
    // A line of a table may be long; how it begins says enough.
    BufReader::new(file.take(64))
        .read_until(b'\n', &mut start)
        .with_context(|| format!("cannot read `{}`", first.display()))?;
    if !is_log_line(&start) {
        return Ok(None);
    }
    Ok(Some(LogFiles::find(input)?))
}

/// A request whose answer was scored.
struct Row {
    line: DecisionLine,
    model: String,
    score: f64,
    /// Which of the decisions it is, from 1.
    number: usize,
}

/// Numbers of requests that are left out, by why.
#[derive(Default)]
struct LeftOut {
    without_feedback: usize,
    without_answer: usize,
    without_prompt: usize,
    without_cost: usize,
    not_drawn: usize,
}

/// Reads a log as a wide table: `<model>/score` from feedback, `<model>/cost_usd`, tokens as far as the upstream reported them, and
/// `<model>/propensity` where requests were drawn.
///
/// # Errors
/// For a log without prompts or without feedback, and for a file that is none.
pub(crate) fn read(
    input: &Path,
    files: &LogFiles,
    keep: &[String],
    excluded_models: &[String],
    sample: Option<NonZeroUsize>,
) -> anyhow::Result<ReadLog> {
    let (mut rows, mut left_out, n_all) = rows(files, sample)?;
    if rows.is_empty() && left_out.without_prompt > 0 {
        bail!(
            "`{}` holds no prompts; set `log-prompts = true` in the configuration of `carrot-router serve` and gather requests anew",
            input.display()
        );
    }
    if rows.is_empty() {
        bail!(
            "no request of `{}` has an answer with feedback; send scores to `POST /v1/feedback` of `carrot-router serve`",
            input.display()
        );
    }
    let mut notes = Vec::new();
    notes.extend(sample.map(|n| {
        format!(
            "--sample {n}: {} requests by the hash of their ids, of {n_all}",
            rows.len()
        )
    }));
    let retain = |rows: &mut Vec<Row>, count: &mut usize, is_kept: fn(&Row) -> bool| {
        if rows.iter().any(is_kept) {
            let n = rows.len();
            rows.retain(is_kept);
            *count = n - rows.len();
        }
    };
    // Costs of some and tokens of others cannot be one column.
    let has_costs = rows.iter().any(|row| row.line.cost_usd.is_some());
    match has_costs {
        true => retain(&mut rows, &mut left_out.without_cost, |row| {
            row.line.cost_usd.is_some()
        }),
        false => retain(&mut rows, &mut left_out.without_cost, |row| {
            actual_tokens(row).is_some()
        }),
    }
    // Once one row says with which probability its LLM was chosen, all have to.
    retain(&mut rows, &mut left_out.not_drawn, |row| {
        row.line.is_drawn()
    });
    let is_explored = rows.iter().all(|row| row.line.is_drawn());
    if !is_explored {
        notes.push(
            "the log has no exploration (`serve --explore`): each LLM's scores are of the prompts that the router chose it for, and say nothing of \
             what another would have done"
                .to_owned(),
        );
    }
    let n_estimated = rows.iter().filter(|row| row.line.is_estimated()).count();
    if has_costs && n_estimated > 0 {
        notes.push(format!(
            "{n_estimated} of {} costs are estimates of the server's, since the upstream reported no usage",
            rows.len()
        ));
    }
    left_out.tell(&mut notes);
    let (table, unscored) = table(input, &rows, keep, excluded_models, is_explored)?;
    if !unscored.is_empty() {
        notes.push(format!(
            "left out LLMs without any feedback: `{}`",
            unscored.join("`, `")
        ));
    }
    let first_rows = rows.iter().map(|row| row.number).collect();
    Ok(ReadLog {
        wide: Wide { table, first_rows },
        notes,
    })
}

/// The requests that can be rows, or a sample of them, and how many there are in all.
fn rows(
    files: &LogFiles,
    sample: Option<NonZeroUsize>,
) -> anyhow::Result<(Vec<Row>, LeftOut, usize)> {
    let (mut rows, mut left_out) = (Vec::<Row>::new(), LeftOut::default());
    let (mut number, mut n_all, mut n_bytes) = (0, 0, 0_u64);
    let mut sampler = sample.map(Sampler::new);
    let mut n_left = 0;
    let budget = Budget::get();
    files.for_each_decision(|line, score| {
        number += 1;
        // Of a decision alone the gateway that asked for it took the LLM that was chosen.
        let model = match line.outcome {
            Outcome::Ok => line.served.clone(),
            Outcome::Decided => line.chosen.clone(),
            _ => None,
        };
        let Some(score) = score else {
            left_out.without_feedback += 1;
            return;
        };
        let Some(model) = model else {
            left_out.without_answer += 1;
            return;
        };
        if line.prompt.is_none() {
            left_out.without_prompt += 1;
            return;
        }
        n_all += 1;
        if let Some(sampler) = &mut sampler {
            if !sampler.offer(&line.id) {
                return;
            }
            if rows.len() > 2 * MIN_ROWS.max(n_left) {
                rows.retain(|row| sampler.holds(&row.line.id));
                n_left = rows.len();
                n_bytes = rows.iter().map(|row| n_bytes_of(&row.line)).sum();
            }
        }
        n_bytes += n_bytes_of(&line);
        if n_bytes <= budget.bytes() {
            rows.push(Row {
                line,
                model,
                score,
                number,
            });
        }
    })?;
    budget.check(format!("a log with {number} requests"), n_bytes)?;
    if let Some(sampler) = sampler {
        rows.retain(|row| sampler.holds(&row.line.id));
    }
    Ok((rows, left_out, n_all))
}

/// What a request takes in memory, about.
fn n_bytes_of(line: &DecisionLine) -> u64 {
    let prompt = line.prompt.as_deref().map_or(0, str::len);
    prompt as u64 + (line.models.len() as u64 + 1) * 200
}

impl LeftOut {
    fn tell(&self, notes: &mut Vec<String>) {
        for (n, why) in [
            (self.without_feedback, "without feedback"),
            (self.without_answer, "without a whole answer"),
            (self.without_prompt, "without a prompt in the log"),
            (self.without_cost, "without a known cost"),
            (
                self.not_drawn,
                "that exploration was not open to: before it began, kept by a session, or after a fall-back",
            ),
        ] {
            if n > 0 {
                notes.push(format!("left out {n} requests {why}"));
            }
        }
    }
}

/// Tokens of the request and of the answer, where the upstream reported them.
fn actual_tokens(row: &Row) -> Option<[f64; 2]> {
    let usage = row.line.usage?;
    (usage.source == AmountSource::Actual)
        .then_some([usage.input_tokens as f64, usage.output_tokens as f64])
}

/// The table, and the LLMs that are not in it because nothing is known of them.
fn table(
    input: &Path,
    rows: &[Row],
    keep: &[String],
    excluded_models: &[String],
    is_explored: bool,
) -> anyhow::Result<(Table, Vec<String>)> {
    let mut table = Table {
        path: input.to_owned(),
        n_rows: rows.len(),
        ..Table::default()
    };
    let mut text = |name: &str, of: &dyn Fn(&Row) -> Option<String>| {
        table.names.push(name.to_owned());
        let values = rows.iter().map(of).collect();
        table.texts.insert(name.to_owned(), values);
    };
    text("id", &|row| Some(row.line.id.clone()));
    text("prompt", &|row| row.line.prompt.clone());
    if rows.iter().any(|row| row.line.task.is_some()) {
        text("task", &|row| {
            let task = row.line.task.as_deref().filter(|task| !task.is_empty());
            Some(task.unwrap_or(NO_TASK).to_owned())
        });
    }
    for name in keep.iter().filter(|name| KEPT.contains(&name.as_str())) {
        text(name, &|row| {
            let line = &row.line;
            match name.as_str() {
                "time" => Some(line.time.clone()),
                "session" => line.session.clone(),
                "endpoint" => Some(line.endpoint.clone()),
                "requested" => Some(line.requested.clone()),
                _ => Some(row.model.clone()),
            }
        });
    }
    let models = models(rows);
    let n_values = rows.len() as u64 * models.len() as u64 * Field::ALL.len() as u64;
    Budget::get().check(
        format!(
            "a table of {} prompts and {} LLMs",
            rows.len(),
            models.len()
        ),
        n_values.saturating_mul(size_of::<f64>() as u64),
    )?;
    let mut unscored = Vec::new();
    for model in models {
        let is_scored = rows.iter().any(|row| row.model == model);
        // A name on the command line is looked up among the columns.
        if !is_scored && !excluded_models.contains(&model) {
            unscored.push(model);
            continue;
        }
        let of_served = |of: &dyn Fn(&Row) -> Option<f64>| -> Vec<f64> {
            let value = |row: &Row| match row.model == model {
                true => of(row).unwrap_or(f64::NAN),
                false => f64::NAN,
            };
            rows.iter().map(value).collect()
        };
        let propensity = |row: &Row| {
            let of_model = row.line.model(&model).and_then(|it| it.propensity);
            // What could not be chosen has none.
            of_model.filter(|&p| p > 0.0).unwrap_or(f64::NAN)
        };
        let mut columns = vec![
            (Field::Score, of_served(&|row| Some(row.score))),
            (Field::CostUsd, of_served(&|row| row.line.cost_usd)),
            (
                Field::InputTokens,
                of_served(&|row| actual_tokens(row).map(|it| it[0])),
            ),
            (
                Field::OutputTokens,
                of_served(&|row| actual_tokens(row).map(|it| it[1])),
            ),
        ];
        if is_explored {
            columns.push((Field::Propensity, rows.iter().map(propensity).collect()));
        }
        for (field, values) in columns {
            // An empty column of costs would stand in the way of tokens.
            if field == Field::Score || values.iter().any(|value| !value.is_nan()) {
                let name = column_name(&model, field);
                table.names.push(name.clone());
                table.numbers.insert(name, values);
            }
        }
    }
    Ok((table, unscored))
}

/// All LLMs, in order of first appearance.
fn models(rows: &[Row]) -> Vec<String> {
    let mut models: Vec<String> = Vec::new();
    for row in rows {
        let predicted = row.line.models.iter().map(|it| &it.name);
        for name in predicted.chain([&row.model]) {
            if !models.contains(name) {
                models.push(name.clone());
            }
        }
    }
    models
}
