use std::{
    pin::pin,
    sync::atomic::Ordering,
    time::{Duration, Instant, SystemTime},
};

use reqwest::{
    Request, Response,
    header::{CONTENT_TYPE, HeaderValue},
};
use secrets::Secrets;
use tokio::time::timeout;

use crate::{
    Endpoint, Error, Limits, Model, Result, Retry,
    answer::{self, Answer, Problem},
    error::RequestName,
    failure::{Failure, Kind},
    learned::{Form, Learned},
    limits::Delays,
    pace::{Fate, LongPause, Pacer, TOLD_FROM, Ticket},
    rate::Rates,
    run::Run,
    unpack::unpack,
};

/// At most this much of a body is read per text: 16,384 numbers in 22 characters each ...
const MAX_BYTES_PER_VECTOR: usize = 16_384 * 22;
/// ... and this much beside.
const MAX_BYTES_BESIDE: usize = 1 << 20;
/// A request that takes longer is told of, again and again.
const SLOW: Duration = Duration::from_secs(20);

/// Sends requests, and retries them.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) http: reqwest::Client,
    pub(crate) url: reqwest::Url,
    pub(crate) endpoint: Endpoint,
    pub(crate) model: Model,
    pub(crate) limits: Limits,
    pub(crate) pacer: Pacer,
    pub(crate) learned: Learned,
    /// Not shown, whoever says them.
    pub(crate) secrets: Secrets,
}

/// A request that was not sent yet.
#[derive(Debug)]
pub(crate) struct Outgoing<'a> {
    pub(crate) name: RequestName,
    pub(crate) texts: &'a [&'a str],
    pub(crate) n_tokens: u64,
    /// The right to send it a first time, if there is one already.
    pub(crate) ticket: Option<Ticket>,
    /// Whether to retry to the last attempt what smaller requests may do better.
    pub(crate) is_patient: bool,
}

/// How a request ended, if not by an error that ends the run.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered(Answer),
    /// Fewer or other texts may be answered.
    Refused(Refusal),
    /// The run was stopped before.
    Stopped,
}

/// Why a request is not answered as it is.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) kind: Kind,
    /// What to end the run with if the texts are not the cause.
    pub(crate) error: Error,
    pub(crate) message: String,
    /// Whether the server speaks of tokens or lengths.
    pub(crate) names_tokens: bool,
}

#[derive(serde::Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [&'a str],
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

/// What happened to one request so far.
#[derive(Default)]
struct Attempts {
    n: u32,
    waited: Duration,
    /// The last refusal that may be one for ever.
    before: Option<(Kind, String)>,
}

impl Sender {
    /// A request for the embeddings of these texts.
    fn request(&self, texts: &[&str], form: Form) -> Result<Request> {
        let body = Body {
            model: &self.model.name,
            input: texts,
            encoding_format: form.encoding_format,
            dimensions: self.model.dimensions,
        };
        let body = serde_json::to_vec(&body).expect("text is always JSON");
        let json = HeaderValue::from_static("application/json");
        self.http
            .post(self.url.clone())
            .headers(self.endpoint.headers(form.key_header)?)
            .header(CONTENT_TYPE, json)
            .body(body)
            .build()
            .map_err(|error| Error::Setup(Box::new(error.without_url())))
    }

    /// No more is sent in this run; what is under way comes to its end.
    pub(crate) fn stop(&self, run: &Run) {
        run.is_stopped.send_replace(true);
        self.pacer.wake();
    }

    /// The right to send a request; `None` if the run was stopped. An error stops the run.
    pub(crate) async fn ticket(
        &self,
        n_tokens: u64,
        name: &RequestName,
        run: &Run,
    ) -> Result<Option<Ticket>> {
        let limit = self.limits.retry.max_asked_delay;
        let ticket = self
            .pacer
            .ticket(n_tokens, limit, || run.is_stopped())
            .await;
        ticket.map_err(|LongPause { wait, cause }| {
            self.stop(run);
            Error::LongWait {
                request: name.clone(),
                wait,
                limit,
                message: cause.to_owned(),
            }
        })
    }

    /// Sends a request until it is answered, or refused for what is in it. An error stops the run.
    pub(crate) async fn deliver(&self, outgoing: Outgoing<'_>, run: &Run) -> Result<Outcome> {
        let Outgoing {
            name,
            texts,
            n_tokens,
            ticket,
            is_patient,
        } = outgoing;
        let mut ticket = match ticket {
            Some(ticket) => Some(ticket),
            None => self.ticket(n_tokens, &name, run).await?,
        };
        let mut attempts = Attempts::default();
        while let Some(held) = ticket {
            let form = self.learned.form();
            let request = self.request(texts, form).inspect_err(|_| self.stop(run))?;
            let failure = match self.told_attempt(request, texts.len(), &name).await {
                Ok((answer, rates)) => {
                    self.pacer
                        .settle(&held, Fate::Answered(answer.n_tokens), rates);
                    let shortest = texts.iter().min_by_key(|text| text.len());
                    self.learned
                        .answered(form, shortest.copied().unwrap_or_default());
                    return Ok(Outcome::Answered(answer));
                }
                Err(failure) => failure,
            };
            attempts.n += 1;
            let message = answer::shorten(&self.secrets.blot(&failure.message));
            if self.tries_other_form(form, &failure, &attempts, &message) {
                tracing::info!("{name} was refused: {message}; asking in another form");
                self.pacer.settle(&held, Fate::Failed, failure.rates);
                run.n_retries.fetch_add(1, Ordering::Relaxed);
                attempts = Attempts::default();
                ticket = self.ticket(n_tokens, &name, run).await?;
                continue;
            }
            let is_refused = !is_patient && attempts.are_in_vain(&failure, &message, texts.len());
            let retry = &self.limits.retry;
            if is_refused {
                self.pacer.settle(&held, Fate::Failed, failure.rates);
                let last = Retry {
                    max_attempts: attempts.n,
                    ..retry.clone()
                };
                let error = failure.kind.end(&message, &name, attempts.n, &last);
                let error = error.expect("the last attempt ends a request");
                let names_tokens = failure.names_tokens();
                return Ok(Outcome::Refused(Refusal::new(
                    failure.kind,
                    error,
                    message,
                    names_tokens,
                )));
            }
            let wait = retry.delay(attempts.n, failure.kind.asked_wait());
            let end = attempts.end(&failure, &message, &name, wait, retry);
            self.settle(&held, &failure, end.is_some(), wait, run);
            if let Some(error) = end {
                return Err(error);
            }
            attempts
                .wait(wait, &name, &message, retry.max_attempts, run)
                .await;
            attempts.before = Some((failure.kind, message));
            ticket = self.ticket(n_tokens, &name, run).await?;
        }
        Ok(Outcome::Stopped)
    }

    /// Both before others hear of it: no request may slip out after the end, or too soon after a limit.
    fn settle(&self, held: &Ticket, failure: &Failure, is_end: bool, wait: Duration, run: &Run) {
        let is_limited = matches!(failure.kind, Kind::Limited(_));
        if is_end {
            self.stop(run);
        } else if is_limited && self.limits.retry.delays == Delays::On {
            self.pacer.pause(wait);
        }
        let fate = if is_limited {
            Fate::Limited
        } else {
            Fate::Failed
        };
        self.pacer.settle(held, fate, failure.rates);
    }

    /// Whether the same texts may be taken in another form.
    fn tries_other_form(
        &self,
        form: Form,
        failure: &Failure,
        attempts: &Attempts,
        message: &str,
    ) -> bool {
        if failure.names_format() && self.learned.refuse_format(form) {
            return true;
        }
        match failure.kind {
            Kind::Content(_) => self.learned.try_other_format(form),
            kind if kind.is_internal() && attempts.had(kind, message) => {
                self.learned.try_other_format(form)
            }
            Kind::Refused(401 | 403) => {
                let message = failure.message.to_lowercase();
                let wants = ["api-key", "api key header", "subscription key"]
                    .iter()
                    .any(|word| message.contains(word));
                wants && self.learned.try_other_key_header(form)
            }
            _ => false,
        }
    }

    /// An attempt, with a word to the user now and then if it takes long.
    async fn told_attempt(
        &self,
        request: Request,
        n_inputs: usize,
        name: &RequestName,
    ) -> Result<(Answer, Rates), Failure> {
        let begun = Instant::now();
        let mut attempt = pin!(self.attempt(request, n_inputs));
        loop {
            match timeout(SLOW, &mut attempt).await {
                Ok(ended) => return ended,
                Err(_) => tracing::warn!(
                    "no whole answer to {name} after {} s; giving it {} s",
                    begun.elapsed().as_secs(),
                    self.limits.timeout.as_secs()
                ),
            }
        }
    }

    async fn attempt(&self, request: Request, n_inputs: usize) -> Result<(Answer, Rates), Failure> {
        let response = self.http.execute(request).await;
        let response = response.map_err(Failure::broken)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let rates = Rates::of(&headers);
        let max_bytes = MAX_BYTES_BESIDE + n_inputs * MAX_BYTES_PER_VECTOR;
        let body = read(response, max_bytes).await;
        if status.is_success() {
            let bad = |kind, message| Failure {
                kind,
                message,
                rates,
            };
            let body = body.map_err(|failure| Failure { rates, ..failure })?;
            let body = unpack(&headers, body, max_bytes);
            let parsed = body
                .as_deref()
                .map_err(Problem::clone)
                .and_then(|body| answer::parse(body, n_inputs, self.model.dimensions));
            return match parsed {
                Ok(answer) => Ok((answer, rates)),
                Err(Problem::Truncated(message)) => {
                    Err(bad(Kind::Broken { is_late: false }, message))
                }
                Err(Problem::Wrong(message)) => Err(bad(Kind::BadAnswer, message)),
                Err(Problem::Told(status)) => {
                    let body = body.unwrap_or_default();
                    Err(self.told(status, &headers, &body, rates))
                }
            };
        }
        // A refusal counts even if its text is cut off.
        let body = body.unwrap_or_default();
        let body = unpack(&headers, body, max_bytes).unwrap_or_default();
        Err(Failure::refused(
            status,
            &headers,
            &body,
            rates,
            &self.endpoint,
        ))
    }

    /// An error that came with status 200.
    fn told(
        &self,
        status: Option<u16>,
        headers: &reqwest::header::HeaderMap,
        body: &[u8],
        rates: Rates,
    ) -> Failure {
        let status = status.and_then(|code| reqwest::StatusCode::from_u16(code).ok());
        match status {
            Some(status) => Failure::refused(status, headers, body, rates, &self.endpoint),
            None => Failure {
                kind: Kind::BadAnswer,
                message: format!("it is an error: {}", answer::refusal(body).0),
                rates,
            },
        }
    }
}

impl Attempts {
    /// Whether the last attempt ended just like this.
    fn had(&self, kind: Kind, message: &str) -> bool {
        let before = self.before.as_ref();
        before.is_some_and(|(before, said)| (*before, said.as_str()) == (kind, message))
    }

    /// Whether the same request would fail again, so that fewer texts should be sent.
    fn are_in_vain(&self, failure: &Failure, message: &str, n_inputs: usize) -> bool {
        match failure.kind {
            Kind::Content(_) => true,
            Kind::Broken { is_late: true } | Kind::Unavailable(504 | 524, _) => {
                n_inputs > 1 && self.n >= 2
            }
            kind => kind.is_internal() && self.had(kind, message),
        }
    }

    /// The error after this attempt, if it was the last, or the next would have to wait too long.
    fn end(
        &self,
        failure: &Failure,
        message: &str,
        name: &RequestName,
        wait: Duration,
        retry: &Retry,
    ) -> Option<Error> {
        let end = failure.kind.end(message, name, self.n, retry);
        let waited = self.waited.saturating_add(wait);
        end.or_else(|| {
            (waited > retry.max_asked_delay).then(|| Error::LongWait {
                request: name.clone(),
                wait: waited,
                limit: retry.max_asked_delay,
                message: message.to_owned(),
            })
        })
    }

    async fn wait(
        &mut self,
        wait: Duration,
        name: &RequestName,
        message: &str,
        max_attempts: u32,
        run: &Run,
    ) {
        self.waited = self.waited.saturating_add(wait);
        if wait >= TOLD_FROM {
            let until = httpdate::fmt_http_date(SystemTime::now() + wait);
            tracing::warn!(
                "{name} failed: {message}; waiting {} s, until {until}",
                wait.as_secs()
            );
        } else if self.n > max_attempts / 2 {
            tracing::warn!(request = %name, n_attempts = self.n, ?wait, message, "retrying");
        } else {
            tracing::debug!(request = %name, n_attempts = self.n, ?wait, message, "retrying");
        }
        run.n_retries.fetch_add(1, Ordering::Relaxed);
        let mut stopped = run.is_stopped.subscribe();
        // Time out: go on. Stopped: found out when the next ticket is asked for.
        _ = timeout(wait, stopped.wait_for(|is_stopped| *is_stopped)).await;
    }
}

async fn read(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let length = response.content_length().unwrap_or(0);
    let mut body = Vec::with_capacity(usize::try_from(length).unwrap_or(0).min(max_bytes));
    while let Some(chunk) = response.chunk().await.map_err(Failure::broken)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(Failure {
                kind: Kind::BadAnswer,
                message: format!("the answer has more than {max_bytes} bytes"),
                rates: Rates::default(),
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
