//! `POST /v1/decision`: which LLM should answer, for a gateway that asks it itself. Nothing is forwarded.

use std::{
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Body,
    extract::{Request, State},
    http::Response,
};
use bytes::Bytes;

use super::{
    app::{App, authorized, typed},
    error::ApiError,
    flow::{self, Route},
    json::Object,
    names::ALIAS,
    record::Outcome,
    request::{Format, Incoming},
    ticket::Ticket,
};

pub(crate) async fn answer(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let started = Instant::now();
    let generation = app.generation();
    let path = request.uri().path().to_owned();
    if let Err(error) = authorized(&generation, &request) {
        return error.response(Format::Chat);
    }
    let permit = match app.admit(&generation.config).await {
        Ok(permit) => permit,
        Err(error) => return error.response(Format::Chat),
    };
    let mut ticket = Ticket::new(&app, &generation, &path, started, Some(permit));
    match decide(&mut ticket, request).await {
        Ok(text) => {
            ticket.end(Outcome::Decided);
            _ = ticket.answered(200);
            app.ledger
                .begin_answer(&ticket.line.id, ticket.line.chosen.as_deref());
            typed("application/json", text)
        }
        Err(error) => {
            ticket.end(Outcome::Refused);
            ticket.line.cause = Some(error.code.to_owned());
            _ = ticket.answered(error.status.as_u16());
            error.response(Format::Chat)
        }
    }
}

async fn decide(ticket: &mut Ticket, request: Request) -> Result<String, ApiError> {
    let generation = Arc::clone(&ticket.generation);
    let session = flow::header_text(request.headers(), "x-session-id").map(str::to_owned);
    let body = flow::body(request.into_body(), &generation.config.limits).await?;
    let (format, body) = unwrapped(body)?;
    let incoming = Arc::new(Incoming::read_with(format, body, Some(ALIAS))?);
    ticket.line.requested.clone_from(&incoming.model);
    let weight = generation
        .names
        .weight(&incoming.model, &incoming.options)?;
    let app = Arc::clone(ticket.app());
    let line = &mut ticket.line;
    let route = Route::decide(
        &app,
        &generation,
        line,
        &incoming,
        weight,
        session.as_deref(),
        false,
    )
    .await?;
    let created = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut described = route.describe(&generation, line);
    described.created = Some(created.map_or(0, |it| it.as_secs()));
    Ok(described.json())
}

/// The request within `{"input_format": ..., "request": {...}}`, or the body itself.
fn unwrapped(body: Bytes) -> Result<(Format, Bytes), ApiError> {
    let object = Object::parse(&body).map_err(|error| {
        ApiError::invalid(None, format!("the body is not a JSON object: {error}"))
    })?;
    let Some(at) = object.span("request") else {
        return Ok((Format::Chat, body));
    };
    let format = match object.string("input_format").as_deref() {
        None if !object.has("input_format") => Format::Chat,
        Some("openai_chat") => Format::Chat,
        Some("openai_responses") => Format::Responses,
        Some("anthropic_messages") => Format::Messages,
        _ => {
            return Err(ApiError::invalid(
                Some("input_format"),
                "`input_format` is not `openai_chat`, `openai_responses` or `anthropic_messages`",
            ));
        }
    };
    Ok((format, body.slice(at)))
}
