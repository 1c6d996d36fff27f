use std::path::PathBuf;

use serde::Serialize;
use tracing::warn;

use super::blocks::{Block, Row};

/// The result of an embedding.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Report {
    pub(super) status: Status,
    pub(super) input: PathBuf,
    pub(super) output: PathBuf,
    pub(super) embedder: String,
    pub(super) rows: usize,
    /// What was done in this run; none where nothing was.
    pub(super) done: Option<Done>,
}

/// Whether an output is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Status {
    /// Written in this run.
    Made,
    /// Written earlier, of the same input by the same embedder.
    Kept,
}

/// Counts over the rows.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Done {
    pub(super) dim: usize,
    /// Rows without a prompt, whose embedding is null.
    pub(super) without_prompt: usize,
    /// Rows whose prompt was longer than the embedder can take.
    pub(super) truncated: usize,
    /// Rows that an earlier run, which did not end, had embedded.
    pub(super) resumed: usize,
    pub(super) seconds: f64,
}

impl Done {
    pub(super) fn add(&mut self, block: &Block, is_resumed: bool) {
        let n = |wanted| block.rows.iter().filter(|row| **row == wanted).count();
        self.without_prompt += n(Row::Nothing);
        self.truncated += n(Row::Cut);
        if is_resumed {
            self.resumed += block.rows.len();
        }
    }
}

impl Report {
    /// Says what was lost, where anything was.
    pub(super) fn log(&self) {
        let Some(done) = &self.done else { return };
        let share = |n: usize| 100.0 * n as f64 / self.rows as f64;
        for (n, what) in [
            (
                done.without_prompt,
                "have no prompt, and null for an embedding",
            ),
            (
                done.truncated,
                "have a prompt that is longer than the embedder can take and was cut",
            ),
        ] {
            if n > 0 {
                warn!("{n} of the {} rows ({:.1}%) {what}", self.rows, share(n));
            }
        }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let (output, rows) = (self.output.display(), self.rows);
        let Some(done) = &self.done else {
            return format!(
                "{output}: {rows} rows, kept from an earlier run of the same input and embedder; --force embeds again\n"
            );
        };
        let resumed = match done.resumed {
            0 => String::new(),
            n => format!(", {n} of them in an earlier run"),
        };
        format!(
            "{output}: {rows} rows of {} embedded by {} in {} dimensions{resumed}, {:.1} s\n",
            self.input.display(),
            self.embedder,
            done.dim,
            done.seconds
        )
    }
}
