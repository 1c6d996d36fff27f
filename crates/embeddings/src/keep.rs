use std::sync::{Arc, atomic::Ordering};

use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::{
    Model, Progress, Result, Store, answer::Answer, prepare::Prepared, rows::Rows, run::Run,
};

/// A request that was answered.
pub(crate) struct Answered {
    pub(crate) idx: usize,
    pub(crate) answer: Answer,
    /// Given back when the embeddings are on disk, so that a killed run cannot lose much.
    pub(crate) unsaved: OwnedSemaphorePermit,
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
        self.n_tokens_billed += n_tokens_billed;
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
            problem = rows.check_dim(&answered.answer, name);
            problem.is_err()
        });
        batch.truncate(n_good.unwrap_or(batch.len()));
        let vectors = batch.iter().flat_map(|Answered { idx, answer, .. }| {
            let texts = &prepared.pending[prepared.requests[*idx].clone()];
            let keys = texts
                .iter()
                .map(|t| prepared.distinct[t.distinct as usize].key);
            keys.zip(answer.values.chunks_exact(answer.dim))
        });
        store.insert(vectors)?;
        for Answered {
            idx,
            answer,
            unsaved,
        } in batch
        {
            drop(unsaved);
            let texts = &prepared.pending[prepared.requests[idx].clone()];
            for (text, vector) in texts.iter().zip(answer.values.chunks_exact(answer.dim)) {
                rows.put(&prepared.distinct[text.distinct as usize], vector);
            }
            let n_tokens = prepared.n_tokens(idx);
            meter.tick(rows.n_done(), n_tokens, answer.n_tokens.unwrap_or(n_tokens));
        }
        problem?;
    }
    Ok(())
}
