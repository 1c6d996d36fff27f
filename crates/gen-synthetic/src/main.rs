//! Makes prompts and LLMs whose expectations are known: the offline default of this workspace, and the test of its theory.
//!
//! In comes `configs/synthetic.toml` (built in) and a seed; out goes `data/synthetic/`, with the expected score and cost of every LLM on
//! every prompt in `truth/`. No LLM was asked, and none of the names is a real one's.
//! Must not know any router: what can be learned from the prompts is all in their text.
//!
//! ```text
//! (seed, i) -> family, prompt, difficulty       prompts
//!           -> expected score, tokens, cost     latent
//!           -> drawn score, tokens, cost        rows
//! ```

mod args;
mod bayes;
mod config;
mod job;
mod latent;
mod prompts;
mod rows;
mod words;

use std::process::ExitCode;

use crate::{args::Args, job::Job};

fn main() -> ExitCode {
    cli_support::run(
        |args: &Args| args.configured.shared.output.quiet,
        |args| Job::new(args)?.run(),
    )
}
