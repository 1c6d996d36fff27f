//! Makes prompts and LLMs whose expectations are known: the offline default of this workspace, and the test of its theory.
//!
//! In comes `configs/synthetic.toml` (built in) and a seed; out goes `data/synthetic/`, with the expected score and cost of every LLM on
//! every prompt in `truth/`. Or in comes `configs/synthetic-<world>.toml`, a world on which routing is hard or worth nothing, and out goes
//! `data/synthetic-<world>/`. No LLM was asked, and none of the names is a real one's.
//! Must not know any router: what can be learned from the prompts is all in their text.
//!
//! ```text
//! (seed, i) -> family, prompt, difficulty       prompts
//!           -> expected score, tokens, cost     latent
//!           -> drawn score, tokens, cost        rows
//! ```
//!
//! The rows of `truth/train.parquet` and `truth/test.parquet` are those of the parts, so what any policy truly gains can be computed. With
//! p_im and c_im the expected score and cost of LLM m on prompt i, a(i) the policy's choice at worth v and b(v) that of who does not route:
//!
//! ```text
//! gain(v) = mean over i of (p_ia(i) - c_ia(i) / v) - (p_ib(v) - c_ib(v) / v)
//! ```
//!
//! It differs from the gain that is measured on scores by their noise alone. With `--log`, `--missing` or `--missing-not-at-random` the parts become
//! what a log knows of them (`log`), and `truth/` stays as it is.

mod args;
mod bayes;
mod config;
mod design;
mod job;
mod latent;
mod log;
mod prompts;
mod rows;
mod words;
mod world;

use std::process::ExitCode;

use crate::{args::Args, job::Job};

fn main() -> ExitCode {
    cli_support::run(
        |args: &Args| args.configured.shared.output.quiet,
        |args| Job::new(args)?.run(),
    )
}
