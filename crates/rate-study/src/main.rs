//! Runs the rate study of the library `rate_study` and keeps its result.
//!
//! Holds the command line and the summary: configs/rate-study.toml comes in, data/rate-study/rate-study.json goes out. Must not know how a rate
//! is measured.

mod args;
mod job;
mod summary;

use std::process::ExitCode;

use crate::{args::Args, job::Job};

fn main() -> ExitCode {
    cli_support::run(
        |args: &Args| args.program.output.quiet,
        |args| {
            let output = args.program.output;
            let study = Job::new(args)?.run()?;
            output.print(&study, &summary::of(&study))
        },
    )
}
