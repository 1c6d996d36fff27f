//! Decisions, apart from the threads that move bytes: embedding a prompt is work for processors, and a queue of it must not hold up anyone
//! who wants no decision.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use tokio::{sync::oneshot, time::timeout};
use tracing::{error, warn};

use super::{
    ServeError,
    error::ApiError,
    request::{Content, Incoming, Reading},
};
use crate::{CarrotRouter, Decision};

/// Makes decisions, a few at a time.
#[derive(Debug)]
pub(crate) struct Brain {
    jobs: SyncSender<Job>,
    timeout: Duration,
}

/// What is known once a decision was made.
#[derive(Debug, Clone)]
pub(crate) struct Decided {
    pub(crate) content: Content,
    pub(crate) decision: Decision,
}

/// Why there is no decision.
#[derive(Debug, Clone)]
pub(crate) enum Undecided {
    /// The request is at fault.
    Bad(ApiError),
    /// The default model has to answer; with what the request needs, where it was read.
    Cause(Cause, Option<Box<Content>>),
}

/// Why the default model answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The user said nothing in words.
    EmptyPrompt,
    /// It took too long.
    Timeout,
    /// Too many decisions were waiting.
    Overloaded,
    /// The embedder or the router failed.
    Failed,
}

#[derive(Debug)]
struct Job {
    incoming: Arc<Incoming>,
    mu: f64,
    reply: oneshot::Sender<Result<Decided, Undecided>>,
}

impl Cause {
    /// As a header says it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EmptyPrompt => "empty_prompt",
            Self::Timeout => "decision_timeout",
            Self::Overloaded => "decision_overloaded",
            Self::Failed => "decision_failed",
        }
    }
}

impl Brain {
    /// Starts the threads that decide. They end with the brain, after what they are at.
    pub(crate) fn start(
        router: Arc<CarrotRouter>,
        reading: Reading,
        config: &super::config::DecisionConfig,
    ) -> Result<Self, ServeError> {
        let (jobs, waiting) = sync_channel(config.queue);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..config.threads {
            let (router, waiting, reading) =
                (Arc::clone(&router), Arc::clone(&waiting), reading.clone());
            let work = move || work(&router, &reading, &waiting);
            let spawned = thread::Builder::new().name("decisions".into()).spawn(work);
            spawned.map_err(|source| ServeError::Thread { source })?;
        }
        Ok(Self {
            jobs,
            timeout: config.timeout_seconds,
        })
    }

    /// The decision on a request. Whoever no longer waits for it costs no work that has not begun.
    pub(crate) async fn decide(
        &self,
        incoming: Arc<Incoming>,
        mu: f64,
    ) -> Result<Decided, Undecided> {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            incoming,
            mu,
            reply,
        };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = self.jobs.try_send(job)
        {
            return Err(Undecided::Cause(Cause::Overloaded, None));
        }
        match timeout(self.timeout, answer).await {
            Ok(Ok(decided)) => decided,
            Ok(Err(_)) => Err(Undecided::Cause(Cause::Failed, None)),
            Err(_) => Err(Undecided::Cause(Cause::Timeout, None)),
        }
    }
}

fn work(router: &CarrotRouter, reading: &Reading, waiting: &Mutex<Receiver<Job>>) {
    loop {
        // A panic while the lock is held is impossible: nothing but `recv` runs under it.
        let Ok(receiver) = waiting.lock() else { return };
        let job = receiver.recv();
        drop(receiver);
        let Ok(job) = job else { return };
        if job.reply.is_closed() {
            continue;
        }
        let decided = catch_unwind(AssertUnwindSafe(|| decide(router, reading, &job)));
        let decided = decided.unwrap_or_else(|_| {
            error!("a decision panicked; the default model answers");
            Err(Undecided::Cause(Cause::Failed, None))
        });
        // Nobody may be waiting any more.
        _ = job.reply.send(decided);
    }
}

fn decide(router: &CarrotRouter, reading: &Reading, job: &Job) -> Result<Decided, Undecided> {
    let content = Content::read(&job.incoming, reading).map_err(Undecided::Bad)?;
    if content.prompt.is_empty() {
        return Err(Undecided::Cause(Cause::EmptyPrompt, Some(content.into())));
    }
    match router.route_with_context(&content.prompt, content.n_context_tokens, job.mu) {
        Ok(decision) => Ok(Decided { content, decision }),
        Err(error) => {
            // Errors of the router name files, servers and positions, and no text.
            warn!(
                "no decision, so that the default model answers: {}",
                chain(&error)
            );
            Err(Undecided::Cause(Cause::Failed, Some(content.into())))
        }
    }
}

/// An error with its causes, on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
