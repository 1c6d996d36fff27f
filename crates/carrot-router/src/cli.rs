//! The program around the library: a folder per subcommand, each with its arguments as typed (`args.rs`), as checked (`job.rs`), and what it
//! prints.

mod arena;
mod args;
mod calibrate;
mod hints;
mod pool;
mod replay;
mod route;
#[cfg(feature = "serve")]
mod serve;
mod worth;

use std::process::ExitCode;

pub(crate) use self::args::Args;
use self::args::Command;

/// Runs a subcommand, which may have exit codes of its own. An error that a flag could cure ends in a hint at that flag.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let success = |()| ExitCode::SUCCESS;
    let done = match args.command {
        Command::Route(args) => route::run(args).map(success),
        Command::Calibrate(args) => calibrate::run(args).map(success),
        Command::Pool(args) => pool::run(args).map(success),
        Command::Arena(args) => arena::run(args).map(success),
        Command::Replay(args) => replay::run(args).map(success),
        #[cfg(feature = "serve")]
        Command::Serve(args) => serve::run(args).map(success),
        Command::Worth(args) => worth::run(args),
    };
    done.map_err(hints::add)
}
