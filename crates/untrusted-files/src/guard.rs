use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::{
        Once,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

thread_local! {
    /// How many guards this thread is in.
    static GUARDS: Cell<usize> = const { Cell::new(0) };
}

/// How many guards the whole process is in.
static ALL_GUARDS: AtomicUsize = AtomicUsize::new(0);

/// A third party's code panicked. Its message is for a bug report, so it is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("its reader panicked, so it is probably damaged: {message}")]
pub struct Panicked {
    /// What the panic said.
    pub message: String,
}

/// Runs code of a third party that may panic on a broken file. A panic is an error, and prints nothing.
///
/// What `read` has changed when it panics may be half-changed: pass in what is thrown away then.
///
/// # Errors
/// [`Panicked`].
pub fn guard<T>(read: impl FnOnce() -> T) -> Result<T, Panicked> {
    quiet_the_hook();
    let entered = Entered::new();
    let outcome = panic::catch_unwind(AssertUnwindSafe(read));
    drop(entered);
    outcome.map_err(|panic| Panicked {
        message: message(panic.as_ref()),
    })
}

/// Counts while it lives.
struct Entered;

impl Entered {
    fn new() -> Self {
        GUARDS.set(GUARDS.get() + 1);
        ALL_GUARDS.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        GUARDS.set(GUARDS.get() - 1);
        ALL_GUARDS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Puts a hook before the current one that is silent where a guard will report the panic.
fn quiet_the_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !is_guarded() {
                loud(info);
            }
        }));
    });
}

fn is_guarded() -> bool {
    // polars decodes on threads of its own, and raises their panics again on the thread that asked.
    let works_for_a_guard = || {
        ALL_GUARDS.load(Ordering::SeqCst) > 0
            && thread::current()
                .name()
                .is_some_and(|name| name.starts_with("polars-"))
    };
    GUARDS.get() > 0 || works_for_a_guard()
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        assert_eq!(guard(|| 3), Ok(3));
        for (panicked, expected) in [
            (guard(|| panic!("plain")), "plain"),
            (guard(|| panic!("row {}", 7)), "row 7"),
            (guard(|| panic::panic_any(1_u8)), "without a message"),
        ] {
            let panicked: Result<(), Panicked> = panicked;
            assert_eq!(panicked.expect_err("it panicked").message, expected);
        }
    }

    #[test]
    fn guards_nest_and_end() {
        let inner = guard(|| guard(|| panic!("inner")).is_err());
        assert_eq!(inner, Ok(true));
        assert!(!is_guarded());
    }
}
