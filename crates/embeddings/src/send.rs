use std::sync::atomic::Ordering;

use reqwest::{
    Request, Response,
    header::{CONTENT_TYPE, HeaderValue},
};
use tokio::time::timeout;

use crate::{
    Endpoint, Error, Limits, Model, Result,
    answer::{self, Answer, Problem},
    error::RequestName,
    failure::{Failure, Kind, describe},
    limits::Delays,
    pace::{Fate, Pacer, Ticket},
    rate::Rates,
    run::Run,
};

/// At most this much of a body is read per text: 16,384 numbers in 22 characters each ...
const MAX_BYTES_PER_VECTOR: usize = 16_384 * 22;
/// ... and this much beside.
const MAX_BYTES_BESIDE: usize = 1 << 20;

/// Sends requests, and retries them.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) http: reqwest::Client,
    pub(crate) url: reqwest::Url,
    pub(crate) endpoint: Endpoint,
    pub(crate) model: Model,
    pub(crate) limits: Limits,
    pub(crate) pacer: Pacer,
}

/// A request that was not sent yet.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) name: RequestName,
    pub(crate) request: Request,
    pub(crate) n_inputs: usize,
    /// The right to send it a first time.
    pub(crate) ticket: Ticket,
}

#[derive(serde::Serialize)]
struct Body<'a> {
    model: &'a str,
    input: &'a [&'a str],
    encoding_format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    dimensions: Option<usize>,
}

impl Sender {
    /// A request for the embeddings of these texts.
    pub(crate) fn request(&self, input: &[&str]) -> Result<Request> {
        let body = Body {
            model: &self.model.name,
            input,
            encoding_format: "base64",
            dimensions: self.model.dimensions,
        };
        let body = serde_json::to_vec(&body).expect("text is always JSON");
        let json = HeaderValue::from_static("application/json");
        self.http
            .post(self.url.clone())
            .headers(self.endpoint.headers()?)
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

    /// Sends a request until it is answered; `None` if the run was stopped before. An error stops the run.
    pub(crate) async fn send(&self, outgoing: Outgoing, run: &Run) -> Result<Option<Answer>> {
        let Outgoing {
            name,
            request,
            n_inputs,
            mut ticket,
        } = outgoing;
        let mut n_attempts = 0;
        loop {
            let attempt = request.try_clone().expect("a body of bytes can be cloned");
            let failure = match self.attempt(attempt, n_inputs).await {
                Ok((answer, rates)) => {
                    let fate = Fate::Answered(answer.n_tokens);
                    self.pacer.settle(&ticket, fate, rates);
                    return Ok(Some(answer));
                }
                Err(failure) => failure,
            };
            n_attempts += 1;
            let fate = match failure.kind {
                Kind::Limited(_) => Fate::Limited,
                _ => Fate::Failed,
            };
            let retry = &self.limits.retry;
            let wait = retry.delay(n_attempts, failure.kind.asked_wait());
            let message = answer::shorten(&self.endpoint.redact(&failure.message));
            let end = failure.kind.end(&message, &name, n_attempts, retry);
            // Both before others hear of it: no request may slip out after the end, or too soon after a limit.
            if end.is_some() {
                self.stop(run);
            } else if matches!(fate, Fate::Limited) && retry.delays == Delays::On {
                self.pacer.pause(wait);
            }
            self.pacer.settle(&ticket, fate, failure.rates);
            if let Some(error) = end {
                return Err(error);
            }
            if n_attempts > retry.max_attempts / 2 {
                tracing::warn!(request = %name, n_attempts, ?wait, message, "retrying");
            } else {
                tracing::debug!(request = %name, n_attempts, ?wait, message, "retrying");
            }
            run.n_retries.fetch_add(1, Ordering::Relaxed);
            let mut stopped = run.is_stopped.subscribe();
            // Time out: go on. Stopped: found out below.
            _ = timeout(wait, stopped.wait_for(|is_stopped| *is_stopped)).await;
            let Some(next) = self.pacer.another(&ticket, || run.is_stopped()).await else {
                return Ok(None);
            };
            ticket = next;
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
            let body = body.map_err(|message| bad(Kind::Broken, message))?;
            let parsed = answer::parse(&body, n_inputs, self.model.dimensions);
            return match parsed {
                Ok(answer) => Ok((answer, rates)),
                Err(Problem::Truncated(message)) => Err(bad(Kind::Broken, message)),
                Err(Problem::Wrong(message)) => Err(bad(Kind::BadAnswer, message)),
            };
        }
        // A refusal counts even if its text is cut off.
        let body = body.unwrap_or_default();
        Err(Failure::refused(status, &headers, &body, rates))
    }
}

async fn read(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, String> {
    let length = response.content_length().unwrap_or(0);
    let mut body = Vec::with_capacity(usize::try_from(length).unwrap_or(0).min(max_bytes));
    while let Some(chunk) = response.chunk().await.map_err(describe)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(format!("the answer has more than {max_bytes} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
