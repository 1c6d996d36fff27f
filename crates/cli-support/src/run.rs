use std::{
    borrow::Cow,
    env,
    ffi::OsString,
    fmt,
    io::{self, IsTerminal as _, Write as _},
    process::{self, ExitCode},
};

use clap::Parser;
use tracing::{error, level_filters::LevelFilter};
use tracing_subscriber::{EnvFilter, field::MakeExt as _, fmt as log_format};

use crate::{
    env_file,
    terminal::{self, escaped},
};

/// Exit code of a run that failed.
const FAILED: u8 = 1;
/// Exit code of a command line that makes no sense; clap uses the same.
const BAD_USAGE: u8 = 2;

/// The end of every `--help`: example command lines, one per line, and the exit codes.
pub fn examples(lines: &[&str]) -> String {
    format!(
        "Examples:\n  {}\n\nExit codes: 0 done, {FAILED} failed, {BAD_USAGE} bad usage.",
        lines.join("\n  ")
    )
}

/// A command line that parses but makes no sense: an unknown model, a share above 1. Ends the program with exit code 2.
#[derive(Debug)]
pub struct UsageError(String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Makes a [`UsageError`] as `anyhow` carries it.
pub fn usage_error(message: impl Into<String>) -> anyhow::Error {
    UsageError(message.into()).into()
}

/// The whole of a binary's `main`: loads `.env`, parses the command line, sets up logs, runs, and reports.
///
/// `.env` is the nearest one, in the working folder or above it; variables that are already set take precedence.
/// Exit codes: 0 done, 1 failed, 2 bad usage. Logs go to standard error; `CARROT_LOG` sets what is logged (`debug`, `nets=trace`, ...).
pub fn run<A: Parser>(
    quiet: impl FnOnce(&A) -> bool,
    job: impl FnOnce(A) -> anyhow::Result<()>,
) -> ExitCode {
    // First of all, because flags and logs read the environment, and before there is a second thread, which must not read it meanwhile.
    let complaints = env_file::load();
    let args = A::try_parse().unwrap_or_else(|error| refuse(&error));
    start_logs(quiet(&args));
    complaints.iter().for_each(env_file::Complaint::log);
    let Err(failure) = job(args) else {
        return ExitCode::SUCCESS;
    };
    error!("{failure:#}");
    ExitCode::from(if failure.is::<UsageError>() {
        BAD_USAGE
    } else {
        FAILED
    })
}

/// Ends the program as clap does: with its help, its version, or its complaint.
fn refuse(error: &clap::Error) -> ! {
    // Without clap's colors, where what was typed might color the rest, or worse: clap shows it as it is.
    let is_harmless =
        |argument: OsString| matches!(escaped(&argument.to_string_lossy()), Cow::Borrowed(_));
    if !env::args_os().all(is_harmless) {
        let text = error.to_string();
        _ = io::stderr().write_all(escaped(&text).as_bytes());
        process::exit(error.exit_code());
    }
    error.exit()
}

fn start_logs(quiet: bool) {
    let level = if quiet {
        LevelFilter::WARN
    } else {
        LevelFilter::INFO
    };
    let filter = EnvFilter::builder()
        .with_default_directive(level.into())
        .with_env_var("CARROT_LOG")
        .from_env_lossy();
    log_format()
        .with_env_filter(filter)
        // Messages quote prompts, names and servers. The library's own guard lets through what it does not take for a sequence.
        .fmt_fields(log_format::format::debug_fn(terminal::write_field).delimited(" "))
        .with_ansi_sanitization(false)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .init();
}
