//! `route --input F --output G`: a table in, the same table with decisions out, in memory that does not grow with it.

mod answers;
mod columns;
mod report;

use std::path::{Path, PathBuf};

use carrot_router::{CalibrationPromise, CarrotRouter, TokenWatch};
use cli_support::{Output, usage_error, with_hint};
use dataset::{AtomicFile, Lock};
use tables::{Chunk, Kind, Rows, TableWriter, output_format};

use self::{answers::Answers, columns::Columns, report::Report};
use super::{losses::Losses, on_error::OnError};

/// Rows that are decided on at a time: enough to keep all cores at work, few enough that long prompts do not fill the memory.
const ROWS: usize = 256;
/// The column of prompts.
const PROMPT: &str = "prompt";
/// The column of what each request is billed for, where a table has it.
const INPUT_TOKENS: &str = "input_tokens";

/// A table that is to be routed, with its arguments checked.
#[derive(Debug)]
pub(super) struct Batch {
    input: PathBuf,
    output: PathBuf,
    on_error: OnError,
    is_brief: bool,
}

/// How to decide.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) mu: f64,
    /// Of a calibration.
    pub(super) watch: Option<TokenWatch>,
    /// What the calibration leads one to expect.
    pub(super) promise: Option<CalibrationPromise>,
}

impl Batch {
    pub(super) fn check(
        input: PathBuf,
        output: PathBuf,
        on_error: Option<OnError>,
        is_brief: bool,
    ) -> anyhow::Result<Self> {
        output_format(&output).map_err(|error| usage_error(error.to_string()))?;
        // Its own output as the next run's input would have the new columns already.
        if is_same(&input, &output) {
            return Err(usage_error("`--input` and `--output` are the same file"));
        }
        Ok(Self {
            input,
            output,
            on_error: on_error.unwrap_or(OnError::Fail),
            is_brief,
        })
    }

    /// Routes all rows, and prints what came of it.
    pub(super) fn run(
        &self,
        router: &CarrotRouter,
        mut rule: Rule,
        print: Output,
    ) -> anyhow::Result<()> {
        let lock = Lock::of(&self.output)?;
        let mut rows = Rows::open(&self.input, ROWS)?;
        self.check_columns(&rows)?;
        let columns = Columns {
            is_brief: self.is_brief,
            has_errors: self.on_error == OnError::Row,
        };
        let file = AtomicFile::create(&self.output)?;
        let mut writer = TableWriter::create(file, &self.output, &rows, columns.list(), &[])?;
        let mut losses = Losses::new();
        let mut report = Report::new(&self.input, &self.output, rule.mu);
        while let Some(chunk) = rows.next(&kind)? {
            let answers = self.answer(router, &chunk, rule.mu)?;
            // Before they are written: the costs that the calibration promises would be other ones.
            if let Some(watch) = &mut rule.watch {
                watch.add(&answers.decisions)?;
            }
            answers
                .decisions
                .iter()
                .for_each(|decision| losses.add(decision));
            report.add(&answers);
            writer.write(&chunk, columns.cells(&answers))?;
        }
        writer.finish()?.commit()?;
        drop(lock);
        losses.log();
        report.log();
        print.print(&report, &report.text())
    }

    /// Refuses a table without prompts, where its header says so. An empty part of a larger table is none.
    fn check_columns(&self, rows: &Rows) -> anyhow::Result<()> {
        match rows.names() {
            Some(names) if !names.iter().any(|name| name == PROMPT) => {
                let error = tables::Error::MissingColumn {
                    path: self.input.clone(),
                    column: PROMPT.to_owned(),
                };
                let hint = format!(
                    "it has {}; put the text that an LLM is to answer under `{PROMPT}`",
                    quoted(&names)
                );
                Err(with_hint(error.into(), hint))
            }
            _ => Ok(()),
        }
    }

    fn answer(&self, router: &CarrotRouter, chunk: &Chunk, mu: f64) -> anyhow::Result<Answers> {
        let answers = Answers::of(router, chunk, mu)?;
        match (self.on_error, answers.first_error()) {
            (OnError::Fail, Some((row, error))) => {
                let row = chunk.n_before + row + 1;
                let error = anyhow::anyhow!("{error}").context(format!(
                    "cannot route row {row} of `{}`",
                    self.input.display()
                ));
                let hint = "`--on-error row` writes such rows without a decision";
                Err(with_hint(error, hint))
            }
            _ => Ok(answers),
        }
    }
}

/// What is read of a table; all else is passed on.
fn kind(column: &str) -> Option<Kind> {
    match column {
        PROMPT => Some(Kind::Text),
        INPUT_TOKENS => Some(Kind::Number),
        _ => None,
    }
}

fn is_same(input: &Path, output: &Path) -> bool {
    match (input.canonicalize(), output.canonicalize()) {
        (Ok(input), Ok(output)) => input == output,
        _ => false,
    }
}

/// The first names of a list.
fn quoted(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`"));
    let mut shown: Vec<String> = shown.collect();
    if names.len() > SHOWN {
        shown.push("others".to_owned());
    }
    match shown.is_empty() {
        true => "no column".to_owned(),
        false => shown.join(", "),
    }
}
