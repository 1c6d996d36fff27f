//! Picks the LLM that should answer a prompt, on the command line.
//!
//! The library `carrot_router` does the work; [`cli`] holds the arguments, what they are checked for, the hints at flags that the library's
//! errors do without, and what is printed.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli_support::run(cli::Args::is_quiet, cli::run)
}
