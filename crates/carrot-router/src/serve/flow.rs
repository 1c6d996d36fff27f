//! A request from its arrival to its answer: who may ask, which LLMs can answer, in which order they are asked, and what the client is told.

mod decided;
mod headers;

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Instant, SystemTime},
};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header, request::Parts},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

pub(crate) use self::{decided::Route, headers::add_origin};
use super::{
    app::{App, authorized},
    choose::Question,
    config::{LimitsConfig, ResponseModel},
    error::ApiError,
    forward::{Answer, AnswerBody, Asking, Failure, is_plain},
    generation::Generation,
    json::{Object, edited},
    names::Asked,
    record::{FallBack, Outcome},
    request::{Format, Incoming},
    stream::{Changes, EventStream, renamed},
    ticket::Ticket,
    upstream::answered_headers,
    usage::{Usage, estimated_tokens},
};

/// What a request is answered, in the format of its path.
pub(crate) async fn answer(app: &Arc<App>, format: Format, request: Request) -> Response<Body> {
    let started = Instant::now();
    let generation = app.generation();
    let answered = begin(app, &generation, format, request, started).await;
    let mut response = answered.unwrap_or_else(|error| error.response(format));
    if app.is_draining.load(Ordering::Relaxed) {
        // So that no client sends its next request into a connection that is about to be closed.
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn begin(
    app: &Arc<App>,
    generation: &Arc<Generation>,
    format: Format,
    request: Request,
    started: Instant,
) -> Result<Response<Body>, ApiError> {
    let permit = match authorized(generation, &request) {
        Ok(()) => app.admit(&generation.config).await,
        Err(error) => Err(error),
    };
    let endpoint = request.uri().path().to_owned();
    let (permit, refused) = match permit {
        Ok(permit) => (Some(permit), None),
        Err(error) => (None, Some(error)),
    };
    let mut ticket = Ticket::new(app, generation, &endpoint, started, permit);
    let answered = match refused {
        Some(error) => Err(error),
        None => {
            let (parts, body) = request.into_parts();
            go(&mut ticket, format, parts, body).await
        }
    };
    match answered {
        Ok(ready) => Ok(ready.finish(ticket)),
        Err(error) => {
            let mut response = error.response(format);
            ticket.refuse(&error);
            headers::add(response.headers_mut(), &mut ticket, None, error.status);
            Ok(response)
        }
    }
}

/// An answer whose head can go out.
struct Ready {
    answer: Answer,
    incoming: Arc<Incoming>,
    route: Option<Route>,
    is_explained: bool,
}

async fn go(
    ticket: &mut Ticket,
    format: Format,
    parts: Parts,
    body: Body,
) -> Result<Ready, ApiError> {
    let generation = Arc::clone(&ticket.generation);
    let body = self::body(body, &generation.config.limits).await?;
    let incoming = Arc::new(Incoming::read(format, body)?);
    ticket.line.requested.clone_from(&incoming.model);
    headers::read(ticket, &parts.headers);
    let asked = generation
        .names
        .resolve(&incoming.model, &incoming.options)?;
    let (order, route) = match asked {
        Asked::Llm(idx) => (vec![idx], None),
        Asked::Router(weight) => {
            let route = Route::find(ticket, &incoming, weight).await?;
            (route.order.clone(), Some(route))
        }
    };
    ticket.line.chosen = order
        .first()
        .map(|&idx| generation.pool.llms[idx].name.clone());
    ticket.n_input_estimated = estimated_tokens(incoming.body.len());
    let answer = ask_in_order(ticket, &incoming, &parts, &order).await?;
    let is_explained = incoming.options.explain
        || parts
            .headers
            .get("x-carrot-debug")
            .is_some_and(|value| value == "true");
    Ok(Ready {
        answer,
        incoming,
        route,
        is_explained,
    })
}

/// Asks one LLM after the other until one answers. If none does, what an upstream said itself goes through.
async fn ask_in_order(
    ticket: &mut Ticket,
    incoming: &Arc<Incoming>,
    parts: &Parts,
    order: &[usize],
) -> Result<Answer, ApiError> {
    let generation = Arc::clone(&ticket.generation);
    let forward = &generation.config.forward;
    let mut last: Option<(usize, Failure)> = None;
    for &idx in order.iter().take(1 + forward.max_fallbacks) {
        let llm = &generation.pool.llms[idx];
        let question = Question {
            pool: &generation.pool,
            format: incoming.format,
            options: &incoming.options,
            is_forwarded: true,
        };
        let upstream = generation.pool.upstream_of(llm, incoming.format);
        let (Some(upstream), Some(served)) = (upstream, &llm.served) else {
            let reason = question
                .unranked(llm)
                .map_or(String::new(), |it| it.to_string());
            let message = format!("`{}` {reason}", llm.name);
            return Err(ApiError::no_eligible(message));
        };
        if generation.has_caps
            && let Err(error) = ticket.reserve(idx)
        {
            // Spent since the LLMs were ranked.
            match last {
                Some(_) => break,
                None => return Err(error),
            }
        }
        if let Some((from, failure)) = &last {
            ticket.line.fallbacks.push(FallBack {
                from: generation.pool.llms[*from].name.clone(),
                to: llm.name.clone(),
                reason: failure.reason.clone(),
            });
        }
        let url = upstream.url(incoming.format, parts.uri.query());
        let asking = Asking {
            url: url.expect("it speaks the format"),
            headers: upstream.headers(&parts.headers, generation.keys.is_some()),
            body: incoming.body_for(&served.model),
            format: incoming.format,
            is_stream: incoming.is_stream,
        };
        let asked = Instant::now();
        let answer = asking.ask(&generation.client, forward).await;
        ticket.upstream += asked.elapsed();
        match answer {
            Ok(answer) => {
                ticket.serve(idx);
                return Ok(answer);
            }
            Err(failure) => {
                if let Some(wait) = failure.wait {
                    llm.cool_down(wait.min(forward.max_cooldown_seconds));
                }
                // An earlier one's own words are better than none.
                match &last {
                    Some((_, earlier)) if failure.own.is_none() && earlier.own.is_some() => {
                        let reason = failure.reason;
                        let (_, mut earlier) = last.take().expect("it is there");
                        earlier.reason = reason;
                        last = Some((idx, earlier));
                    }
                    _ => last = Some((idx, failure)),
                }
            }
        }
        ticket.reservation = None;
    }
    let Some((idx, failure)) = last else {
        return Err(ApiError::no_eligible("there is no LLM to ask"));
    };
    ticket.line.cause = Some(format!("upstream_{}", failure.reason));
    match failure.own {
        Some(own) => {
            ticket.serve(idx);
            ticket.has_failed = true;
            Ok(own)
        }
        None => {
            ticket.has_failed = true;
            Err(failure.error)
        }
    }
}

impl Ready {
    /// The answer as the client gets it.
    fn finish(self, mut ticket: Ticket) -> Response<Body> {
        let Self {
            answer,
            incoming,
            route,
            is_explained,
        } = self;
        let generation = Arc::clone(&ticket.generation);
        let Answer {
            status,
            headers,
            body,
        } = answer;
        let is_good = status.is_success() && !ticket.has_failed;
        let changes = Changes {
            model: match (
                is_good,
                generation.config.answer.response_model,
                ticket.served_idx,
            ) {
                (true, ResponseModel::Requested, _) => Some(incoming.model.clone()),
                (true, ResponseModel::Pool, Some(idx)) => {
                    Some(generation.pool.llms[idx].name.clone())
                }
                _ => None,
            },
            metadata: (route.as_ref())
                .filter(|_| is_explained && is_good)
                .map(|route| route.metadata(&ticket)),
        };
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        *response.headers_mut() = answered_headers(&headers);
        headers::add(response.headers_mut(), &mut ticket, route.as_ref(), status);
        ticket.is_billed = is_good;
        *response.body_mut() = match body {
            AnswerBody::Whole(bytes) => {
                let mut bytes = bytes;
                if is_plain(&headers) {
                    let found = read_whole(incoming.format, &bytes);
                    ticket.add_usage(found.usage);
                    ticket.n_answer_bytes = found.n_bytes;
                    bytes = changed(bytes, &changes);
                }
                ticket.end(match is_good {
                    true => Outcome::Ok,
                    false => Outcome::UpstreamError,
                });
                Body::from(bytes)
            }
            AnswerBody::Stream {
                head,
                splitter,
                rest,
            } => {
                EventStream::new(incoming.format, head, splitter, rest, changes, ticket).into_body()
            }
        };
        response
    }
}

/// What a whole answer reports.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) usage: Option<Usage>,
    /// Of an answer without usage.
    pub(crate) n_bytes: usize,
}

/// Reads the usage of a whole answer.
pub(crate) fn read_whole(format: Format, bytes: &[u8]) -> Found {
    let Ok(object) = Object::parse(bytes) else {
        return Found::default();
    };
    let usage = object.raw("usage").and_then(Usage::of);
    let text = match format {
        Format::Chat => "choices",
        Format::Responses => "output",
        Format::Messages => "content",
    };
    Found {
        n_bytes: match usage {
            Some(_) => 0,
            None => object.raw(text).map_or(0, str::len),
        },
        usage,
    }
}

/// A whole answer with what is to be changed in it.
fn changed(bytes: Bytes, changes: &Changes) -> Bytes {
    let mut bytes = bytes;
    if let Some(model) = &changes.model
        && let Some(new) = renamed(&bytes, model)
    {
        bytes = new.into();
    }
    if let Some(metadata) = &changes.metadata
        && let Ok(object) = Object::parse(&bytes)
    {
        let edit = object.addition("carrot_metadata", metadata);
        bytes = edited(&bytes, vec![edit]).into();
    }
    bytes
}

/// All of a request's body, within its limits.
pub(crate) async fn body(body: Body, limits: &LimitsConfig) -> Result<Bytes, ApiError> {
    let max = limits.max_body_mib << 20;
    let known = http_body::Body::size_hint(&body);
    if known.lower() > max as u64 {
        return Err(ApiError::too_large(max));
    }
    match timeout(limits.body_seconds, Limited::new(body, max).collect()).await {
        Err(_) => Err(ApiError::slow_body()),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::too_large(max)),
        Ok(Err(_)) => Err(ApiError::invalid(None, "the body of the request broke off")),
    }
}

impl Ticket {
    /// Notes which LLM answers, well or not.
    fn serve(&mut self, idx: usize) {
        self.served_idx = Some(idx);
        let llm = &self.generation.pool.llms[idx];
        self.line.served = Some(llm.name.clone());
    }

    /// Sets aside what the request is expected to cost.
    fn reserve(&mut self, idx: usize) -> Result<(), ApiError> {
        let app = Arc::clone(self.app());
        let llm = &self.generation.pool.llms[idx];
        let predicted = self.line.model(&llm.name).and_then(|model| model.cost_usd);
        let input_only = || llm.usd(self.n_input_estimated, 0);
        let usd = predicted.or_else(input_only).unwrap_or(0.0);
        let reserved = app.caps.reserve(&llm.name, usd, SystemTime::now());
        let reserved = reserved
            .map_err(|reached| ApiError::cap_reached(reached.to_string(), reached.retry_after))?;
        self.reservation = Some(reserved);
        self.predicted_usd = usd;
        Ok(())
    }

    /// Notes that nothing of an upstream goes through.
    fn refuse(&mut self, error: &ApiError) {
        let outcome = match error.status {
            StatusCode::GATEWAY_TIMEOUT => Outcome::TimedOut,
            StatusCode::BAD_GATEWAY => Outcome::UpstreamError,
            _ if self.has_failed => Outcome::UpstreamError,
            _ => Outcome::Refused,
        };
        self.end(outcome);
        if self.line.cause.is_none() {
            self.line.cause = Some(error.code.to_owned());
        }
    }
}

/// A header's value as text.
pub(crate) fn header_text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
