use std::{io, process::ExitCode, thread, time::Duration};

#[cfg(unix)]
use std::io::Write as _;

/// Makes Ctrl-C and `kill` remove what is unfinished before they end the process, with the exit codes 130 and 143; and a file that has grown
/// to its limit an error of the write rather than the end of the process.
///
/// # Errors
/// When the system refuses.
#[cfg(unix)]
pub(crate) fn handle() -> io::Result<()> {
    use std::sync::{Arc, atomic::AtomicBool};

    use signal_hook::{
        consts::{SIGINT, SIGTERM, SIGXFSZ},
        flag,
        iterator::Signals,
        low_level,
    };
    // That it is handled is all that it takes for the write to fail with an error.
    flag::register(SIGXFSZ, Arc::<AtomicBool>::default())?;
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let wait = move || {
        if let Some(signal) = signals.forever().next() {
            atomic_files::remove_unfinished();
            let name = match signal {
                SIGINT => "interrupted",
                _ => "terminated",
            };
            // Not by `tracing`, which the thread that was interrupted may hold.
            _ = writeln!(io::stderr(), "{name}; nothing unfinished is left");
            // Without destructors and exit handlers: other threads are still at work.
            low_level::exit(128 + signal);
        }
    };
    thread::Builder::new().name("signals".into()).spawn(wait)?;
    Ok(())
}

/// Elsewhere the system ends the process, and the next one removes what is left.
#[cfg(not(unix))]
pub(crate) fn handle() -> io::Result<()> {
    Ok(())
}

/// The exit code of a run. If it was interrupted, waits instead for the end of the process: an error may come from what was removed.
pub(crate) fn unless_interrupted(code: ExitCode) -> ExitCode {
    while atomic_files::is_interrupted() {
        thread::sleep(Duration::from_secs(1));
    }
    code
}
