//! Makes a data set of RouterBench, `routerbench_0shot.pkl` of the Hugging Face hub's `withmartian/routerbench`.
//!
//! In comes that pickle of a pandas frame, from the hub or from a path; out goes `data/routerbench/`. Nothing in the pickle is executed.
//! Must not know how a data set is checked, split or stored: `datagen` and `dataset` do.
//!
//! ```text
//! sample_id                  text, the id
//! eval_name                  text, the task; those that begin with `chinese` are left out
//! prompt                     text, a Python list of strings as `str` writes it
//! <model>                    the score in [0, 1], of each LLM
//! <model>|total_cost         what the call cost, in US dollars
//! <model>|model_response     the answer, which is not kept
//! ```

mod args;
mod config;
mod frame;
mod job;
mod literal;
mod prompts;

use std::process::ExitCode;

use crate::{args::Args, job::Job};

fn main() -> ExitCode {
    cli_support::run(
        |args: &Args| args.configured.shared.output.quiet,
        |args| Job::new(args)?.run(),
    )
}
