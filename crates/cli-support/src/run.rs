use std::{
    borrow::Cow,
    env,
    ffi::OsString,
    fmt,
    io::{self, IsTerminal as _, Write},
    process::{self, ExitCode, Termination},
    sync::Arc,
};

use clap::Parser;
use secrets::Secrets;
use tracing::{error, level_filters::LevelFilter, warn};
use tracing_subscriber::{EnvFilter, field::MakeExt as _, fmt as log_format};
use untrusted_files::Budget;

use crate::{
    env_file,
    progress::above_bars,
    shell, signals,
    terminal::{self, escaped},
};

/// Exit code of a run that failed.
const FAILED: u8 = 1;
/// Exit code of a command line that makes no sense; clap uses the same.
const BAD_USAGE: u8 = 2;

/// The end of every `--help`: example command lines, one per line, and the exit codes.
pub fn examples(lines: &[&str]) -> String {
    format!(
        "Examples:\n  {}\n\nExit codes: 0 done, {FAILED} failed, {BAD_USAGE} bad usage, 130 interrupted, 143 terminated.",
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
/// Exit codes: 0 done, 1 failed, 2 bad usage, 130 interrupted (Ctrl-C), 143 terminated; then what is unfinished is removed first. Logs go to
/// standard error, without secrets; `CARROT_LOG` sets what is logged (`debug`, `nets=trace`, ...). Before all that, `--completions SHELL` and
/// `--man FOLDER` are answered, which every program has.
///
/// A job with more than one way to be done returns an [`ExitCode`] of its own, from 3 on.
pub fn run<A: Parser, T: Termination>(
    quiet: impl FnOnce(&A) -> bool,
    job: impl FnOnce(A) -> anyhow::Result<T>,
) -> ExitCode {
    if let Some(code) = shell::answer::<A>() {
        return code;
    }
    // First of all, because flags and logs read the environment, and before there is a second thread, which must not read it meanwhile.
    let reports = env_file::load();
    let args = A::try_parse().unwrap_or_else(|error| refuse(&error));
    start_logs(quiet(&args));
    reports.iter().for_each(env_file::Report::log);
    if let Err(error) = signals::handle() {
        warn!("what is unfinished stays if the program is interrupted: {error}");
    }
    // Before any work: a limit with a slip in it would be none.
    if let Err(error) = Budget::check_variable() {
        error!("{error}");
        return ExitCode::from(BAD_USAGE);
    }
    let failure = match job(args) {
        Ok(done) => return signals::unless_interrupted(done.report()),
        Err(failure) => failure,
    };
    let code = ExitCode::from(if failure.is::<UsageError>() {
        BAD_USAGE
    } else {
        FAILED
    });
    let code = signals::unless_interrupted(code);
    error!("{failure:#}");
    code
}

/// Ends the program as clap does: with its help, its version, or its complaint.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing has begun that would have to be removed"
)]
fn refuse(error: &clap::Error) -> ! {
    // Without clap's colors, where what was typed might color the rest, or worse: clap shows it as it is.
    let is_harmless =
        |argument: OsString| matches!(escaped(&argument.to_string_lossy()), Cow::Borrowed(_));
    if error.use_stderr() && !env::args_os().all(is_harmless) {
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
        .with_writer({
            // Once: nothing changes the environment from here on.
            let secrets = Arc::new(Secrets::from_env());
            move || Blotting(Arc::clone(&secrets))
        })
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .init();
}

/// Standard error, without secrets. Libraries keep them out of what they log; this is for what a library of others' shows, at `trace` say.
struct Blotting(Arc<Secrets>);

impl Write for Blotting {
    /// Gets one event at a time, as `tracing_subscriber` writes them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let shown = self.0.blot(&String::from_utf8_lossy(bytes));
        // A log that cannot be written, on a full disk or to a reader that is gone, must not end the work that it tells of.
        _ = above_bars(|| io::stderr().write_all(shown.as_bytes()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
