//! Makes the data set of the Open LLM Leaderboard v2; the library says how.

use std::process::ExitCode;

use gen_openllm::{Args, Job};

fn main() -> ExitCode {
    cli_support::run(Args::is_quiet, |args| Job::new(args)?.run())
}
