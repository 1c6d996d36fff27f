use std::{io, process::ExitCode, sync::OnceLock, thread, time::Duration};

#[cfg(unix)]
use std::io::Write as _;

/// What the first Ctrl-C or `kill` calls instead of ending the process.
static ON_STOP: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();

/// Has the first Ctrl-C or `kill` call a function instead of ending the program: for a program that has something to bring to its end, and then ends by
/// itself. The second one ends it as usual. Only the first call of this counts.
pub fn on_stop(stop: impl Fn() + Send + Sync + 'static) {
    _ = ON_STOP.set(Box::new(stop));
}

/// Calls a function at each SIGHUP, which by itself would end the program.
///
/// # Errors
/// When the system refuses.
#[cfg(unix)]
pub fn on_hangup(hangup: impl Fn() + Send + 'static) -> io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGHUP])?;
    let wait = move || signals.forever().for_each(|_| hangup());
    thread::Builder::new().name("hangups".into()).spawn(wait)?;
    Ok(())
}

/// There is no such signal elsewhere.
#[cfg(not(unix))]
pub fn on_hangup(_: impl Fn() + Send + 'static) -> io::Result<()> {
    Ok(())
}

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
        let mut is_first = true;
        for signal in signals.forever() {
            if let (Some(stop), true) = (ON_STOP.get(), is_first) {
                is_first = false;
                stop();
                continue;
            }
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
