//! What libraries warn of, for Python's `warnings`.

use std::{
    ffi::CString,
    fmt,
    sync::{Mutex, PoisonError},
};

use pyo3::{exceptions::PyUserWarning, prelude::*};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Messages that no caller was told yet.
static MESSAGES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Collects warnings from now on, whatever thread they come from.
pub(crate) fn collect() {
    // Fails where someone else in the process collects them; then they do.
    let _ = tracing::subscriber::set_global_default(Collector);
}

/// Issues what was collected, as warnings of the Python code that called.
pub(crate) fn issue(py: Python<'_>) -> PyResult<()> {
    let messages = std::mem::take(&mut *MESSAGES.lock().unwrap_or_else(PoisonError::into_inner));
    for message in messages {
        // A message with a zero byte, of a prompt's text say, cannot be passed on as it is.
        let message = CString::new(message.replace('\0', "\u{fffd}"))?;
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &message, 2)?;
    }
    Ok(())
}

/// Computes while other threads of Python run, then issues what was warned of.
pub(crate) fn detached<T: Send>(
    py: Python<'_>,
    compute: impl FnOnce() -> PyResult<T> + Send,
) -> PyResult<T> {
    let done = py.detach(compute);
    issue(py)?;
    done
}

struct Collector;

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::WARN
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        // No span is enabled, so that nobody looks at it.
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let mut messages = MESSAGES.lock().unwrap_or_else(PoisonError::into_inner);
        messages.push(message.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
