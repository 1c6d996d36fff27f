//! What is known of a request, from its arrival to the last byte of its answer, and the one place where that is written down.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use tokio::{sync::OwnedSemaphorePermit, task::JoinHandle};

use super::{
    app::App,
    brain::{Decided, Undecided},
    caps::Reservation,
    choose::Question,
    generation::Generation,
    record::{
        AmountSource, DecisionLine, Outcome, Usage as BilledUsage, new_decision_id, prompt_sha256,
    },
    request::{Format, Options},
    usage::{Usage, estimated_tokens},
};

/// A request on its way. Dropped before its end was noted, it tells of a client that has gone.
#[derive(Debug)]
pub(crate) struct Ticket {
    app: Arc<App>,
    pub(crate) generation: Arc<Generation>,
    pub(crate) line: Box<DecisionLine>,
    pub(crate) started: Instant,
    /// Time spent waiting for upstreams, up to the first byte of the answer.
    pub(crate) upstream: Duration,
    /// Which LLM answers.
    pub(crate) served_idx: Option<usize>,
    /// Whether what goes through is an upstream's own word on why it did not answer.
    pub(crate) has_failed: bool,
    pub(crate) reservation: Option<Reservation>,
    /// What was set aside.
    pub(crate) predicted_usd: f64,
    pub(crate) usage: Option<Usage>,
    /// Bytes of the answer's text, for an estimate.
    pub(crate) n_answer_bytes: usize,
    /// Tokens of the request, where the upstream does not say.
    pub(crate) n_input_estimated: u64,
    /// Whether the answer is one that is paid for.
    pub(crate) is_billed: bool,
    pub(crate) session: Option<String>,
    /// What routing would have done, in the shadow.
    pub(crate) shadow: Option<JoinHandle<Result<Decided, Undecided>>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Ticket {
    pub(crate) fn new(
        app: &Arc<App>,
        generation: &Arc<Generation>,
        endpoint: &str,
        started: Instant,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        let mut line = DecisionLine::begin(new_decision_id(), SystemTime::now(), endpoint, "");
        line.outcome = Outcome::ClientGone;
        Self {
            app: Arc::clone(app),
            generation: Arc::clone(generation),
            line: line.into(),
            started,
            upstream: Duration::ZERO,
            served_idx: None,
            has_failed: false,
            reservation: None,
            predicted_usd: 0.0,
            usage: None,
            n_answer_bytes: 0,
            n_input_estimated: 0,
            is_billed: false,
            session: None,
            shadow: None,
            _permit: permit,
        }
    }

    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Notes how it ended. Later notes replace earlier ones.
    pub(crate) fn end(&mut self, outcome: Outcome) {
        self.line.outcome = outcome;
    }

    /// Notes that the head of the answer goes out, and returns how long this server was at work until then.
    pub(crate) fn answered(&mut self, status: u16) -> f64 {
        let elapsed = self.started.elapsed();
        let overhead_ms = ms(elapsed.saturating_sub(self.upstream));
        self.line.status = Some(status);
        self.line.first_byte_ms = Some(ms(elapsed));
        self.line.overhead_ms = Some(overhead_ms);
        if let Some(name) = &self.line.served {
            self.app.ledger.begin_answer(&self.line.id, Some(name));
        }
        overhead_ms
    }

    /// Adds what an event or a whole answer reports.
    pub(crate) fn add_usage(&mut self, found: Option<Usage>) {
        if let Some(found) = found {
            self.usage.get_or_insert_default().update(found);
        }
    }

    /// Computes what the answer cost.
    fn bill(&mut self) {
        let Some(llm) = self.served_idx.map(|idx| &self.generation.pool.llms[idx]) else {
            return;
        };
        if !self.is_billed {
            return;
        }
        let said = self.usage.unwrap_or_default();
        let source = match (said.input, said.output) {
            (Some(_), Some(_)) => AmountSource::Actual,
            _ => AmountSource::Estimated,
        };
        let n_input = said.input.unwrap_or(self.n_input_estimated);
        let n_output = said
            .output
            .unwrap_or_else(|| estimated_tokens(self.n_answer_bytes));
        self.line.usage = Some(BilledUsage {
            input_tokens: n_input,
            cached_tokens: said.cached.unwrap_or(0),
            output_tokens: n_output,
            source,
        });
        self.line.cost_usd = llm.usd(n_input, n_output);
        if let Some(session) = &self.session {
            let n_tokens = n_input.saturating_add(n_output);
            self.app
                .sessions
                .answered(session, &llm.name, n_tokens, Instant::now());
        }
    }

    /// Notes what routing would have done.
    fn note_shadow(
        line: &mut DecisionLine,
        generation: &Generation,
        decided: Result<Decided, Undecided>,
        format: Format,
    ) {
        let decided = match decided {
            Ok(decided) => decided,
            Err(Undecided::Cause(cause, _)) => {
                line.cause = Some(cause.name().to_owned());
                return;
            }
            Err(Undecided::Bad(error)) => {
                line.cause = Some(error.code.to_owned());
                return;
            }
        };
        let options = Options::default();
        let question = Question {
            pool: &generation.pool,
            format,
            options: &options,
            is_forwarded: true,
        };
        let ranked = question.rank(&decided.content, &decided.decision, |_, _| false);
        note_prompt(line, generation, &decided.content.prompt);
        if let Some(&best) = ranked.order.first() {
            let eligible = ranked.eligible(decided.decision.models.len());
            super::record::note_decision(line, &decided.decision, &eligible, best, None);
            line.chosen = Some(generation.pool.llms[best].name.clone());
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.line.total_ms = ms(self.started.elapsed());
        if self.line.outcome == Outcome::ClientGone && self.line.first_byte_ms.is_none() {
            self.line.status = None;
        }
        self.bill();
        // What was not billed has cost nothing, and what cannot be known is taken to be what was predicted.
        if let (Some(reservation), true) = (self.reservation.take(), self.is_billed) {
            let usd = self.line.cost_usd.unwrap_or(self.predicted_usd);
            reservation.settle(usd, SystemTime::now());
        }
        let app = Arc::clone(&self.app);
        let nothing = DecisionLine::begin(String::new(), SystemTime::UNIX_EPOCH, "", "");
        let mut line = *std::mem::replace(&mut self.line, nothing.into());
        match self.shadow.take() {
            None => app.ledger.finish(line, SystemTime::now()),
            // The client's last byte waits for no decision.
            Some(shadow) => {
                let generation = Arc::clone(&self.generation);
                let format = Format::of_path(&line.endpoint);
                let note = async move {
                    let started = Instant::now();
                    if let (Ok(decided), Some(format)) = (shadow.await, format) {
                        Self::note_shadow(&mut line, &generation, decided, format);
                        line.routing_ms = line.routing_ms.or(Some(ms(started.elapsed())));
                    }
                    app.ledger.finish(line, SystemTime::now());
                };
                match tokio::runtime::Handle::try_current() {
                    Ok(runtime) => drop(runtime.spawn(note)),
                    Err(_) => {
                        tracing::warn!("a request ended with the server, and is not in the log")
                    }
                }
            }
        }
    }
}

/// Notes the text that decides, as far as the configuration allows it.
pub(crate) fn note_prompt(line: &mut DecisionLine, generation: &Generation, prompt: &str) {
    line.prompt_sha256 = Some(prompt_sha256(prompt));
    if generation
        .config
        .log
        .as_ref()
        .is_some_and(|log| log.prompts)
    {
        line.prompt = Some(prompt.to_owned());
    }
}

/// In milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
