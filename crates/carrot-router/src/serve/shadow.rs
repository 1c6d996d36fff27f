//! Shadow: requests go where they would go without this server, no byte of them or of their answers is changed, and beside that a decision is
//! made, so that the log says what routing would have done.

use std::{sync::Arc, time::Instant};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, Method, Response, StatusCode, header},
};
use futures_util::stream::unfold;
use http_body_util::BodyExt as _;
use tokio::time::timeout;

use super::{
    app::App,
    error::ApiError,
    flow::{self, read_whole},
    forward::{is_event_stream, is_plain},
    generation::Generation,
    record::Outcome,
    request::{Format, Incoming},
    sse::Splitter,
    ticket::Ticket,
    upstream::answered_headers,
    usage::estimated_tokens,
};

/// Of an answer that is no stream so much is kept to find its usage.
const MAX_KEPT: usize = 8 << 20;

pub(crate) async fn answer(app: &Arc<App>, request: Request) -> Response<Body> {
    let started = Instant::now();
    let generation = app.generation();
    let format = Format::of_path(request.uri().path());
    let answered = forward(app, &generation, format, request, started).await;
    answered.unwrap_or_else(|error| error.response(format.unwrap_or(Format::Chat)))
}

async fn forward(
    app: &Arc<App>,
    generation: &Arc<Generation>,
    format: Option<Format>,
    request: Request,
    started: Instant,
) -> Result<Response<Body>, ApiError> {
    super::app::authorized(generation, &request)?;
    let permit = app.admit(&generation.config).await?;
    let (parts, body) = request.into_parts();
    let body = flow::body(body, &generation.config.limits).await?;
    let mut ticket = Ticket::new(app, generation, parts.uri.path(), started, Some(permit));
    let shadow = generation.config.shadow.as_ref();
    let default = shadow.map(|it| it.upstream.as_str()).unwrap_or_default();
    let mut upstream = (generation
        .pool
        .upstreams
        .iter()
        .find(|it| it.name == default))
    .ok_or_else(|| ApiError::upstream("`[shadow]` names no upstream"))?;
    if let Some(format) = format
        && parts.method == Method::POST
        // What is wrong with a request is for the upstream to say.
        && let Ok(incoming) = Incoming::read(format, body.clone())
    {
        ticket.line.requested.clone_from(&incoming.model);
        let named = generation.pool.llms.iter().position(|llm| {
            let served = llm.served.as_ref().map(|served| served.model.as_str());
            // By its own name there, since no name is changed.
            served == Some(incoming.model.as_str())
        });
        if let Some(idx) = named {
            let llm = &generation.pool.llms[idx];
            upstream = generation.pool.upstream_of(llm, format).unwrap_or(upstream);
            ticket.served_idx = Some(idx);
            ticket.line.served = Some(llm.name.clone());
        }
        ticket.n_input_estimated = estimated_tokens(body.len());
        let (generation, incoming) = (Arc::clone(generation), Arc::new(incoming));
        let mu = generation.names.default_mu();
        ticket.line.shadow = true;
        ticket.line.mu = Some(mu);
        let decide = async move { generation.brain.decide(incoming, mu).await };
        ticket.shadow = Some(tokio::spawn(decide));
    }
    let path = parts
        .uri
        .path()
        .strip_prefix("/v1/")
        .unwrap_or(parts.uri.path());
    let url = upstream.url_of(path.trim_start_matches('/'), parts.uri.query());
    let mut asking = reqwest::Request::new(parts.method.clone(), url);
    *asking.headers_mut() = upstream.headers_as_they_are(&parts.headers);
    *asking.body_mut() = Some(body.into());
    let asked = Instant::now();
    let sent = generation.client.execute(asking);
    let sent = timeout(generation.config.forward.answer_seconds, sent).await;
    ticket.upstream += asked.elapsed();
    let failed = |ticket: &mut Ticket, outcome, error: ApiError| {
        ticket.end(outcome);
        ticket.served_idx = None;
        _ = ticket.answered(error.status.as_u16());
        error
    };
    let response = match sent {
        Ok(Ok(response)) => Response::<reqwest::Body>::from(response),
        Ok(Err(_)) => {
            let error = ApiError::upstream("the LLM's server cannot be reached");
            return Err(failed(&mut ticket, Outcome::UpstreamError, error));
        }
        Err(_) => {
            let error = ApiError::timeout("no answer in time");
            return Err(failed(&mut ticket, Outcome::TimedOut, error));
        }
    };
    let (parts, body) = response.into_parts();
    _ = ticket.answered(parts.status.as_u16());
    ticket.is_billed = parts.status.is_success();
    let mut answer = Response::new(observed(
        ticket,
        format.unwrap_or(Format::Chat),
        parts.status,
        &parts.headers,
        body,
    ));
    *answer.status_mut() = parts.status;
    *answer.headers_mut() = answered_headers(&parts.headers);
    if let Some(length) = parts.headers.get(header::CONTENT_LENGTH) {
        answer
            .headers_mut()
            .insert(header::CONTENT_LENGTH, length.clone());
    }
    Ok(answer)
}

/// What is looked at on the way through.
struct Observed {
    ticket: Ticket,
    format: Format,
    status: StatusCode,
    body: reqwest::Body,
    kind: Kind,
    /// Bytes that are still to come, where their number was stated: after the last one nobody looks for an end.
    n_left: Option<u64>,
    has_ended: bool,
}

enum Kind {
    Events(Splitter),
    Whole(Vec<u8>),
    Opaque,
}

/// The body as it comes. If it breaks off, so does the client's.
fn observed(
    ticket: Ticket,
    format: Format,
    status: StatusCode,
    headers: &HeaderMap,
    body: reqwest::Body,
) -> Body {
    let kind = match (is_plain(headers), is_event_stream(headers)) {
        (false, _) => Kind::Opaque,
        (true, true) => Kind::Events(Splitter::default()),
        (true, false) => Kind::Whole(Vec::new()),
    };
    let mut observed = Observed {
        ticket,
        format,
        status,
        kind,
        n_left: http_body::Body::size_hint(&body).exact(),
        body,
        has_ended: false,
    };
    if observed.n_left == Some(0) {
        observed.end();
    }
    Body::from_stream(unfold(observed, |mut observed| async move {
        if observed.has_ended {
            return None;
        }
        loop {
            match observed.body.frame().await {
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    observed.look_at(&data);
                    let n_left = observed.n_left.map(|n| n.saturating_sub(data.len() as u64));
                    observed.n_left = n_left;
                    if n_left == Some(0) {
                        observed.end();
                    }
                    return Some((Ok(data), observed));
                }
                Some(Err(error)) => {
                    observed.has_ended = true;
                    observed.ticket.end(Outcome::Cut);
                    return Some((Err(error.without_url()), observed));
                }
                None => {
                    observed.end();
                    return None;
                }
            }
        }
    }))
}

impl Observed {
    fn look_at(&mut self, data: &[u8]) {
        match &mut self.kind {
            Kind::Events(splitter) => {
                splitter.push(data);
                while let Some(event) = splitter.next() {
                    let said = event.said(self.format);
                    self.ticket.add_usage(said.usage);
                    self.ticket.n_answer_bytes += said.n_bytes;
                    if said.is_done {
                        // The client may leave now, and has all that it wanted.
                        self.ticket.end(Outcome::Ok);
                    }
                }
                if splitter.n_waiting() > MAX_KEPT {
                    self.kind = Kind::Opaque;
                }
            }
            Kind::Whole(kept) if kept.len() + data.len() <= MAX_KEPT => {
                kept.extend_from_slice(data);
            }
            Kind::Whole(_) => self.kind = Kind::Opaque,
            Kind::Opaque => {}
        }
    }

    fn end(&mut self) {
        self.has_ended = true;
        if let Kind::Whole(kept) = &self.kind {
            let found = read_whole(self.format, kept);
            self.ticket.add_usage(found.usage);
            self.ticket.n_answer_bytes = found.n_bytes;
        }
        self.ticket.end(match self.status.is_success() {
            true => Outcome::Ok,
            false => Outcome::UpstreamError,
        });
    }
}
