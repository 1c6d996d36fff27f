use std::sync::atomic::AtomicU64;

use tokio::sync::watch;

/// What the requests of one run have in common.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) n_retries: AtomicU64,
    pub(crate) is_stopped: watch::Sender<bool>,
}

impl Run {
    pub(crate) fn new() -> Self {
        Self {
            n_retries: AtomicU64::new(0),
            is_stopped: watch::Sender::new(false),
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.is_stopped.borrow()
    }
}
