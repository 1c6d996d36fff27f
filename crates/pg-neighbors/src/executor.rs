//! Where async ends: whoever calls waits, on whatever thread.

use std::{io, sync::mpsc};

use tokio::runtime::{Builder, Runtime};

/// Threads that wait for databases.
#[derive(Debug)]
pub(crate) struct Executor(Option<Runtime>);

/// Searches wait most of the time; what they compute is ranking some hundred candidates.
const N_THREADS: usize = 2;

impl Executor {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(N_THREADS)
            .thread_name("pg-neighbors")
            .enable_io()
            .enable_time()
            .build()?;
        Ok(Self(Some(runtime)))
    }

    /// Runs something to its end. Also from within another runtime, whose thread it blocks.
    pub(crate) fn wait<F>(&self, work: F) -> F::Output
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (done, result) = mpsc::sync_channel(1);
        let runtime = self.0.as_ref().expect("it is there until it is dropped");
        runtime.spawn(async move {
            // Nobody waits any more only if the waiting thread panicked.
            let _ = done.send(work.await);
        });
        result.recv().expect("the work sends its result")
    }
}

impl Drop for Executor {
    fn drop(&mut self) {
        // Dropped in place, a runtime waits for its threads, and panics within another one.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
