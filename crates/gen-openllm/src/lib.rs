//! Makes the data set of the Open LLM Leaderboard v2: 38 tasks, the LLMs of `configs/open-llm-lb-v2.toml`, every score joined by document.
//!
//! In come the leaderboard's own sample files (from the hub or a folder) and each LLM's tokenizer, or CARROT's published matrix of scores and a
//! table of questions; out goes `data/<name>/`, with what was found out about the source in its `dataset.json`.
//! Must not know how a data set is split, costed, stored or embedded (`datagen` and `dataset` do), nor how an order is found
//! (`row-order` does).
//!
//! ```text
//! sample files    --details::stream--> Samples ---details::join--> RawTable, notes
//! pickle, table   --published::{matrix, questions, audit, table}-> RawTable, notes, finding `alignment`
//! both            --summary--------------------------------------> finding `summary`: best single LLM and oracle on the test rows
//! ```
//!
//! # Deviations
//! From the reference (somerstep/CARROT at 3e6acff):
//! - Rows are joined on `doc_id`, not by their place. The published matrix has a different order for each LLM; it is audited, and brought into
//!   the order of the documents unless `--as-published` asks for what the paper's numbers were computed from.
//! - Each LLM's costs follow from its own tokens. The reference looks tokens up by positions of another list of LLMs, so that LLMs are charged for
//!   each other's; here a count never leaves its LLM's column.
//! - Tokens are those of the prompt that the LLM saw, under its own chat template; the reference counts one prompt for all.
//! - `--limit`, `--exclude-model` and `--keep-incomplete` have no counterpart there.

mod args;
mod config;
mod details;
mod from_details;
mod from_matrix;
mod job;
mod preflight;
mod published;
mod summary;
mod tokens;

use std::process::ExitCode;

use crate::{args::Args, job::Job};

/// The program: reads the command line and makes the data set. Exit codes are those of [`cli_support::run`].
pub fn main() -> ExitCode {
    cli_support::run(Args::is_quiet, |args| Job::new(args)?.run())
}
