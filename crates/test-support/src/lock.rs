use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks what the threads of a server share. A thread that panicked left it whole, since every change is one statement.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
