//! Makes a data set of LLMRouterBench: the archive of result files of the Hugging Face hub's `NPULH/LLMRouterBench`.
//!
//! In comes that archive, read as a stream, or a folder with its files; out goes `data/llmrouterbench/`, split as LLMRouterBench splits. Must not know how
//! a data set is checked or stored: `datagen` and `dataset` do.
//!
//! ```text
//! .../bench/<data set>/<split>/<LLM>/<name>-<YYYYMMDD>_<HHMMSS>.json     of several of one folder the one of the latest time
//!   dataset_name, split, model_name, demo
//!   records[]: index, prompt, score, prompt_tokens, completion_tokens, cost; the rest, answers among it, is not kept
//! ```

mod args;
mod config;
mod files;
mod job;
mod python_random;
mod records;
mod split;
mod table;

use std::process::ExitCode;

use crate::{args::Args, job::Job};

fn main() -> ExitCode {
    cli_support::run(
        |args: &Args| args.configured.shared.output.quiet,
        |args| Job::new(args)?.run(),
    )
}
