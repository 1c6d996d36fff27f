//! Makes a data set from your own table: prompts, and every LLM's score, tokens or cost on them.
//!
//! In comes a CSV, JSONL or Parquet file, or a folder of them, with the columns of the contract below, and a price list where costs have to
//! be worked out from tokens; out goes `data/<name>/`. A long table, with a row for each prompt and LLM, is turned into that form first, and so is
//! a decision log of `carrot-router serve`, whose requests with feedback are rows.
//! Must not know how a file is read, which `tables` does, nor how a data set is split, costed or stored: `datagen` and `dataset` do.
//!
//! ```text
//! id, prompt               text, in every row; ids are unique
//! task                     text, in every row; without the column all rows are of the task `all`
//! split                    `train` or `test`, in every row; without the column the split is random
//! <model>/score            a number in [0, 1]; null (in CSV: nothing) where unknown
//! <model>/input_tokens     a whole number
//! <model>/output_tokens    a whole number
//! <model>/cost_usd         a number of at least 0
//! ```
//!
//! Per LLM `score` is needed, and `cost_usd` or `input_tokens`. Columns of another form are ignored, with a warning, or kept as text if asked
//! for (`--keep`); null is then an empty text.

mod args;
mod contract;
mod job;
mod log;
mod long;
mod pattern;

use std::process::ExitCode;

use crate::{args::Args, job::Job};

fn main() -> ExitCode {
    cli_support::run(
        |args: &Args| args.shared.output.quiet,
        |args| Job::new(args)?.run(),
    )
}
