//! Makes a data set of xRouteBench, the Parquet files of the Hugging Face hub's `ulab-ai/xRouteBench`.
//!
//! In come its files of answers and of LLMs, from the hub or a folder; out goes `data/xroutebench/`. Must not know how a data set is checked or stored:
//! `datagen` and `dataset` do.
//!
//! ```text
//! llmrouter_generic/{train,test}.parquet    a row for each prompt and LLM
//!   embedding_id                            the prompt's number in its part
//!   task_name, query                        text
//!   model_name, performance                 an LLM, and its score in [0, 1]
//!   input_tokens, output_tokens             of the call; the other columns, answers among them, are not read
//! llm_candidates/train.parquet              a row for each LLM
//!   model_name, input_price_per_1m, output_price_per_1m     US dollars per million tokens
//! ```

mod args;
mod config;
mod files;
mod job;
mod table;

use std::process::ExitCode;

use crate::{args::Args, job::Job};

fn main() -> ExitCode {
    cli_support::run(
        |args: &Args| args.configured.shared.output.quiet,
        |args| Job::new(args)?.run(),
    )
}
