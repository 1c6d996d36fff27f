use std::sync::{Arc, atomic::Ordering};

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::{Model, Progress, Result, Store, prepare::Prepared, rows::Rows, run::Run, serve::Part};

/// What was answered of a request.
pub(crate) struct Answered {
    /// Which request.
    pub(crate) idx: usize,
    pub(crate) part: Part,
    /// Given back when all embeddings of the request are on disk, so that a killed run cannot lose much.
    pub(crate) unsaved: Arc<OwnedSemaphorePermit>,
}

/// Counts what a run does.
pub(crate) struct Meter<'a> {
    pub(crate) run: Arc<Run>,
    pub(crate) model: &'a Model,
    pub(crate) n_tokens_billed: u64,
    pub(crate) progress: Progress,
    pub(crate) on_progress: &'a (dyn Fn(Progress) + Sync),
}

impl Meter<'_> {
    fn tick(&mut self, n_done: usize, n_tokens: u64, n_tokens_billed: u64) {
        self.n_tokens_billed = self.n_tokens_billed.saturating_add(n_tokens_billed);
        let progress = &mut self.progress;
        progress.n_done = n_done;
        progress.tokens_done += n_tokens;
        progress.n_requests_done += 1;
        progress.n_retries = self.run.n_retries.load(Ordering::Relaxed);
        progress.usd = self.model.usd(self.n_tokens_billed);
        (self.on_progress)(*progress);
    }
}

/// Stores answers until no more come. All that have arrived go into one transaction, as each costs a sync of the disk.
pub(crate) fn keep_all(
    mut answers: mpsc::UnboundedReceiver<Answered>,
    store: &Store,
    prepared: &Prepared,
    rows: &mut Rows,
    meter: &mut Meter<'_>,
) -> Result<()> {
    while let Some(first) = answers.blocking_recv() {
        let mut batch = vec![first];
        while let Ok(next) = answers.try_recv() {
            batch.push(next);
        }
        // An answer of another length than the others must not reach the store; those before it may.
        let mut problem = Ok(());
        let n_good = batch.iter().position(|answered| {
            let name = || prepared.request_name(answered.idx);
            problem = rows.check_dim(&answered.part.answer, name);
            problem.is_err()
        });
        batch.truncate(n_good.unwrap_or(batch.len()));
        let vectors = batch.iter().flat_map(|answered| {
            let vectors = answered.part.vectors();
            vectors.map(|(pending, vector)| (prepared.of_pending(pending).key, vector))
        });
        store.insert(vectors)?;
        for Answered { part, unsaved, .. } in batch {
            drop(unsaved);
            let mut n_tokens = 0;
            for (pending, vector) in part.vectors() {
                rows.put(prepared.of_pending(pending), vector);
                n_tokens += u64::from(prepared.pending[pending].n_tokens);
            }
            let billed = part.answer.n_tokens.unwrap_or(n_tokens);
            meter.tick(rows.n_done(), n_tokens, billed);
        }
        problem?;
    }
    Ok(())
}
