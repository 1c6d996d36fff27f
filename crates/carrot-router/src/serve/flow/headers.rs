//! What the client learns from headers.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::{super::ticket::Ticket, Route, header_text};

/// The longest session or task that is noted.
const MAX_NAME: usize = 256;

const MODEL: HeaderName = HeaderName::from_static("x-carrot-model");
const SELECTED: HeaderName = HeaderName::from_static("x-model-router-selected-model");
const MU: HeaderName = HeaderName::from_static("x-carrot-mu");
const SCORE: HeaderName = HeaderName::from_static("x-carrot-score");
const COST: HeaderName = HeaderName::from_static("x-carrot-cost-usd");
const ROUTING: HeaderName = HeaderName::from_static("x-carrot-routing-ms");
const OVERHEAD: HeaderName = HeaderName::from_static("x-carrot-overhead-ms");
const FALLBACKS: HeaderName = HeaderName::from_static("x-carrot-fallbacks");
const TRUNCATED: HeaderName = HeaderName::from_static("x-carrot-truncated");
const DECISION_ID: HeaderName = HeaderName::from_static("x-carrot-decision-id");
const CAUSE: HeaderName = HeaderName::from_static("x-carrot-cause");
/// All of them: a page in a browser is shown no others.
const EXPOSED: HeaderValue = HeaderValue::from_static(
    "x-carrot-model, x-model-router-selected-model, x-carrot-mu, x-carrot-score, x-carrot-cost-usd, x-carrot-routing-ms, x-carrot-overhead-ms, \
     x-carrot-fallbacks, x-carrot-truncated, x-carrot-decision-id, x-carrot-cause",
);

/// Notes what the client says of its request in headers.
pub(super) fn read(ticket: &mut Ticket, headers: &HeaderMap) {
    let named = |name: &str| {
        let text = header_text(headers, name)?;
        (!text.is_empty() && text.len() <= MAX_NAME).then(|| text.to_owned())
    };
    ticket.session = named("x-session-id");
    ticket.line.session.clone_from(&ticket.session);
    ticket.line.task = named("x-carrot-task");
}

/// Adds what is known when the head of an answer goes out.
pub(super) fn add(
    headers: &mut HeaderMap,
    ticket: &mut Ticket,
    route: Option<&Route>,
    status: StatusCode,
) {
    let overhead_ms = ticket.answered(status.as_u16());
    let generation = std::sync::Arc::clone(&ticket.generation);
    if let Some(idx) = ticket.served_idx {
        headers.insert(MODEL, generation.header_names[idx].clone());
        headers.insert(SELECTED, generation.header_names[idx].clone());
    }
    let mut number = |name: HeaderName, text: String| {
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    };
    number(OVERHEAD, format!("{overhead_ms:.3}"));
    number(DECISION_ID, ticket.line.id.clone());
    if let Some(ms) = ticket.line.routing_ms {
        number(ROUTING, format!("{ms:.3}"));
    }
    if !ticket.line.fallbacks.is_empty() {
        number(FALLBACKS, ticket.line.fallbacks.len().to_string());
    }
    if let Some(cause) = &ticket.line.cause {
        number(CAUSE, cause.clone());
    }
    if let Some(route) = route {
        number(MU, route.weight.mu.to_string());
        if let Some(candidate) = ticket.served_idx.and_then(|idx| route.candidate(idx)) {
            number(SCORE, format!("{:.4}", candidate.score));
            number(COST, format!("{:.8}", candidate.cost_usd));
        }
        if ticket.line.truncated {
            number(TRUNCATED, "true".to_owned());
        }
    }
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    let origin = &generation.config.answer.allow_origin;
    if !origin.is_empty() {
        add_origin(headers, origin);
    }
}

/// Lets pages of an origin read the answer.
pub(crate) fn add_origin(headers: &mut HeaderMap, origin: &str) {
    if let Ok(origin) = HeaderValue::from_str(origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}
