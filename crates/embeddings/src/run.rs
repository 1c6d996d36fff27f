use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::sync::watch;

use crate::error::NotEmbedded;

/// What the requests of one run have in common.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) n_retries: AtomicU64,
    pub(crate) is_stopped: watch::Sender<bool>,
    /// The first request has shown how to ask this server, or that this cannot be known.
    pub(crate) is_known: watch::Sender<bool>,
    /// Embeddings that arrived.
    pub(crate) n_good: AtomicUsize,
    /// Texts that were cut once more because the server refused them.
    pub(crate) n_shortened: AtomicUsize,
    refused: Mutex<Vec<NotEmbedded>>,
}

impl Run {
    pub(crate) fn new() -> Self {
        Self {
            n_retries: AtomicU64::new(0),
            is_stopped: watch::Sender::new(false),
            is_known: watch::Sender::new(false),
            n_good: AtomicUsize::new(0),
            n_shortened: AtomicUsize::new(0),
            refused: Mutex::new(Vec::new()),
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        *self.is_stopped.borrow()
    }

    pub(crate) fn n_good(&self) -> usize {
        self.n_good.load(Ordering::Relaxed)
    }

    /// The server does not embed this text, whatever else it is sent with.
    pub(crate) fn give_up(&self, text: NotEmbedded) {
        tracing::warn!(
            "the server does not embed text {}: {}",
            text.row,
            text.message
        );
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.push(text);
    }

    /// The texts that were given up, in their order.
    pub(crate) fn given_up(&self) -> Vec<NotEmbedded> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.sort_by_key(|text| text.row);
        std::mem::take(&mut refused)
    }
}
