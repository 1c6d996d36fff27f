//! What lives as long as the server does, and the paths that lead to it.

use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
    routing::{get, post},
};
use decision_log::{LogPlace, LogWriter};
use serde_json::json;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tracing::info;

use super::{
    ServeError,
    caps::{CapLimits, SpendCaps},
    config::Config,
    decision_endpoint,
    error::ApiError,
    feedback::FeedbackBook,
    flow,
    generation::Generation,
    ledger::Ledger,
    metrics::Metrics,
    page,
    request::Format,
    sessions::{SessionSettings, Sessions},
    shadow,
};

/// Everything that requests share.
#[derive(Debug)]
pub(crate) struct App {
    generation: RwLock<Arc<Generation>>,
    pub(crate) ledger: Ledger,
    pub(crate) caps: Arc<SpendCaps>,
    pub(crate) sessions: Sessions,
    permits: Arc<Semaphore>,
    n_waiting: AtomicUsize,
    pub(crate) is_draining: AtomicBool,
    is_shadow: bool,
}

impl App {
    pub(crate) fn new(generation: Generation, is_shadow: bool) -> Result<Self, ServeError> {
        let config = &generation.config;
        let now = SystemTime::now();
        let at_least_1 = |n: usize| NonZeroUsize::new(n).unwrap_or(NonZeroUsize::MIN);
        let capacity = at_least_1(config.feedback.decisions);
        let (log, feedback) = match &config.log {
            None => (None, FeedbackBook::new(capacity)),
            Some(log) => {
                let place = LogPlace::new(&log.path)?;
                // What an earlier server left is mended before it is read.
                let (writer, repaired) = LogWriter::open(&place, log.rotation())?;
                if repaired.n_removed > 0 {
                    info!(
                        "{} bytes of half a line at the end of the decision log were removed",
                        repaired.n_removed
                    );
                }
                (Some(writer), FeedbackBook::of_log(capacity, &place)?)
            }
        };
        let file = config.caps.as_ref().and_then(|caps| caps.file.as_deref());
        let caps = SpendCaps::open(file, limits(config), now)?;
        let names: Vec<String> = generation
            .pool
            .llms
            .iter()
            .map(|it| it.name.clone())
            .collect();
        let sessions = Sessions::new(SessionSettings {
            capacity: at_least_1(config.sessions.capacity),
            cache_lifetime: config.sessions.cache_seconds,
            cached_discount: config.sessions.cached_discount,
        });
        Ok(Self {
            ledger: Ledger::new(&names, log, feedback, Some(Arc::clone(&caps)), now),
            caps,
            sessions,
            permits: Arc::new(Semaphore::new(config.limits.max_in_flight)),
            n_waiting: AtomicUsize::new(0),
            is_draining: AtomicBool::new(false),
            is_shadow,
            generation: RwLock::new(Arc::new(generation)),
        })
    }

    /// The version for a request that begins now.
    pub(crate) fn generation(&self) -> Arc<Generation> {
        let generation = self
            .generation
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&generation)
    }

    /// Takes a new version into use. Requests in flight keep theirs.
    pub(crate) fn replace(&self, generation: Generation) {
        self.caps.set_limits(limits(&generation.config));
        let mut place = self
            .generation
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *place = Arc::new(generation);
    }

    /// A place among the requests that are worked on, after a wait in a bounded queue if need be.
    pub(crate) async fn admit(&self, config: &Config) -> Result<OwnedSemaphorePermit, ApiError> {
        let permits = Arc::clone(&self.permits);
        if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            return Ok(permit);
        }
        let waiting = Waiting::begin(&self.n_waiting);
        let busy = |message| ApiError::busy(message, Duration::from_secs(1));
        if waiting.n_before >= config.limits.queue {
            return Err(busy("too many requests are waiting"));
        }
        match timeout(config.limits.queue_seconds, permits.acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(ApiError::unavailable("the server is ending")),
            Err(_) => Err(busy("the request waited too long for its turn")),
        }
    }

    /// All paths.
    pub(crate) fn routes(self: &Arc<Self>) -> Router {
        let model = |format: Format| {
            let is_shadow = self.is_shadow;
            post(
                move |State(app): State<Arc<Self>>, request: Request| async move {
                    match is_shadow {
                        true => shadow::answer(&app, request).await,
                        false => flow::answer(&app, format, request).await,
                    }
                },
            )
        };
        let routes = Router::new()
            .route("/v1/chat/completions", model(Format::Chat))
            .route("/v1/responses", model(Format::Responses))
            .route("/v1/messages", model(Format::Messages))
            .route("/v1/decision", post(decision_endpoint::answer))
            .route("/v1/feedback", post(feedback))
            .route("/health", get(|| async { text("ok") }))
            .route("/ready", get(ready))
            .route("/metrics", get(metrics))
            .route("/stats", get(stats))
            .route("/", get(|| async { page() }));
        let routes = match self.is_shadow {
            true => routes.fallback(shadow_path),
            false => routes.route("/v1/models", get(models)).fallback(no_path),
        };
        let routes = routes.method_not_allowed_fallback(bad_method);
        routes.with_state(Arc::clone(self))
    }
}

/// One that waits, for as long as it does.
struct Waiting<'a> {
    count: &'a AtomicUsize,
    n_before: usize,
}

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        let n_before = count.fetch_add(1, Ordering::Relaxed);
        Self { count, n_before }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

fn limits(config: &Config) -> CapLimits {
    let of_llm = |llm: &super::config::LlmConfig| Some((llm.name.clone(), llm.usd_per_day?));
    CapLimits {
        total: config.caps.as_ref().and_then(|caps| caps.usd_per_day),
        by_model: config
            .llms
            .iter()
            .filter_map(of_llm)
            .collect::<BTreeMap<_, _>>(),
    }
}

/// `GET /ready`: whether requests can be taken and decisions be made.
async fn ready(State(app): State<Arc<App>>) -> Response<Body> {
    let generation = app.generation();
    if app.is_draining.load(Ordering::Relaxed) {
        return ApiError::unavailable("the server is ending").response(Format::Chat);
    }
    match generation.is_ready().await {
        true => text("ready"),
        false => {
            ApiError::unavailable("the router cannot decide: see the log").response(Format::Chat)
        }
    }
}

/// `GET /v1/models`: what stands for the router, then the LLMs.
async fn models(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let generation = app.generation();
    if let Err(error) = authorized(&generation, &request) {
        return error.response(Format::Chat);
    }
    let served = generation
        .pool
        .llms
        .iter()
        .filter(|llm| llm.served.is_some());
    let names = (generation.names.aliases().into_iter()).chain(served.map(|llm| llm.name.clone()));
    let entry = |name| json!({"id": name, "object": "model", "created": 0, "owned_by": "carrot"});
    let all: Vec<_> = names.map(entry).collect();
    typed(
        "application/json",
        json!({"object": "list", "data": all}).to_string(),
    )
}

async fn metrics(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    match authorized(&app.generation(), &request) {
        Ok(()) => typed(Metrics::CONTENT_TYPE, app.ledger.metrics_text()),
        Err(error) => error.response(Format::Chat),
    }
}

async fn stats(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    match authorized(&app.generation(), &request) {
        Ok(()) => typed("application/json", app.ledger.stats_json(SystemTime::now())),
        Err(error) => error.response(Format::Chat),
    }
}

fn page() -> Response<Body> {
    let mut response = typed("text/html; charset=utf-8", page::PAGE.to_owned());
    response.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(page::POLICY),
    );
    response
}

/// `POST /v1/feedback`.
async fn feedback(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let generation = app.generation();
    let taken = async {
        authorized(&generation, &request)?;
        let body = flow::body(request.into_body(), &generation.config.limits).await?;
        app.ledger
            .take_feedback(&body, SystemTime::now())
            .map_err(|error| {
                let status =
                    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
                ApiError::feedback(status, error.code(), error.param(), error.to_string())
            })
    };
    match taken.await {
        Ok(()) => typed(
            "application/json",
            json!({"object": "feedback"}).to_string(),
        ),
        Err(error) => error.response(Format::Chat),
    }
}

/// Whether a request may be answered.
pub(crate) fn authorized(generation: &Generation, request: &Request) -> Result<(), ApiError> {
    match &generation.keys {
        Some(keys) => keys.check(request.headers()),
        None => Ok(()),
    }
}

/// Whatever else an upstream offers.
async fn shadow_path(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    shadow::answer(&app, request).await
}

async fn no_path() -> Response<Body> {
    ApiError::no_path().response(Format::Chat)
}

/// 405, and what a browser asks before it asks.
async fn bad_method(State(app): State<Arc<App>>, request: Request) -> Response<Body> {
    let generation = app.generation();
    let origin = &generation.config.answer.allow_origin;
    if request.method() != axum::http::Method::OPTIONS || origin.is_empty() {
        return ApiError::bad_method().response(Format::Chat);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    flow::add_origin(headers, origin);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // `*` would leave `authorization` out.
    let asked = request
        .headers()
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    if let Some(asked) = asked {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
    }
    response
}

fn text(text: &'static str) -> Response<Body> {
    typed("text/plain; charset=utf-8", text.to_owned())
}

/// An answer of this server's own.
pub(crate) fn typed(kind: &'static str, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(
        HeaderName::from_static("cache-control"),
        HeaderValue::from_static("no-store"),
    );
    response
}
