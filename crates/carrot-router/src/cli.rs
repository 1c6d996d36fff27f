//! The program around the library: a folder per subcommand, each with its arguments as typed (`args.rs`), as checked (`job.rs`), and what it
//! prints.

mod args;
mod calibrate;
mod hints;
mod pool;
mod route;

pub(crate) use self::args::Args;
use self::args::Command;

/// Runs a subcommand. An error that a flag could cure ends in a hint at that flag.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let done = match args.command {
        Command::Route(args) => route::run(args),
        Command::Calibrate(args) => calibrate::run(args),
        Command::Pool(args) => pool::run(args),
    };
    done.map_err(hints::add)
}
