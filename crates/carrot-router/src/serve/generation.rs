//! Everything that a reload replaces as a whole. A request keeps the version that it began with.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, mpsc::channel},
    thread,
    time::{Duration, Instant},
};

use axum::http::HeaderValue;
use reqwest::Client;
use saved_routers::Calibration;
use serde_json::json;
use tracing::{info, warn};

use super::{
    OpenRouter, ServeError,
    auth::Keys,
    brain::{Brain, chain},
    config::Config,
    explore::Explorer,
    names::{ALIAS, Names, Weight},
    pool::Pool,
    request::{Format, Incoming, Reading},
    upstream,
};
use crate::{CarrotRouter, UsableCalibration, mu_of_calibration};

/// A prompt that shows whether decisions can be made.
const PROBE: &str = "What is 2 + 2?";
/// At the start so long is waited for the decision on it.
const WARM_UP: Duration = Duration::from_secs(10);
/// How long it is believed that decisions can be made.
const READY_FOR: Duration = Duration::from_secs(5);

/// One version of the configuration, with all that follows from it.
#[derive(Debug)]
pub(crate) struct Generation {
    pub(crate) config: Config,
    pub(crate) pool: Pool,
    pub(crate) names: Names,
    pub(crate) brain: Brain,
    /// For the next version, if only other settings change.
    pub(crate) router: Arc<CarrotRouter>,
    pub(crate) client: Client,
    pub(crate) keys: Option<Keys>,
    pub(crate) explorer: Explorer,
    /// Whether anything may only be spent up to a cap.
    pub(crate) has_caps: bool,
    /// LLMs' names as headers, by their positions.
    pub(crate) header_names: Vec<HeaderValue>,
    /// When a probe was last decided on.
    ready_at: Mutex<Option<Instant>>,
    /// What predicts, in words.
    pub(crate) describes: String,
    /// Whether a prompt changes anything, see [`CarrotRouter::routes`].
    pub(crate) routes: bool,
}

impl Generation {
    /// Opens the router, unless it is there already, and gets ready to ask LLMs. Takes as long as reading the router does.
    pub(crate) fn open(
        config: Config,
        open: &OpenRouter,
        opened: Option<Arc<CarrotRouter>>,
    ) -> Result<Self, ServeError> {
        let router = match opened {
            Some(router) => router,
            None => {
                let router = open(&config.router);
                let router = Arc::new(router.map_err(|source| ServeError::Router { source })?);
                warm_up(&router);
                router
            }
        };
        let folder = &config.router.model;
        let default = match (config.router.mu, &config.router.calibration) {
            (Some(mu), _) => Weight {
                mu,
                calibration: None,
            },
            (None, name) => {
                let name = name.clone().expect("checked with the configuration");
                let mu = mu_of_calibration(folder, &name);
                let mu = mu.map_err(|source| ServeError::Calibration {
                    name: name.clone(),
                    source,
                })?;
                Weight {
                    mu,
                    calibration: Some(name),
                }
            }
        };
        let pool = Pool::new(&config, &router)?;
        if !pool
            .llms
            .iter()
            .any(|llm| llm.is_predicted && llm.served.is_some())
        {
            return Err(ServeError::NoLlm {
                models: router.models().iter().map(|it| it.name.clone()).collect(),
            });
        }
        let named = pool.llms.iter().enumerate();
        let named = named.filter(|(_, llm)| llm.served.is_some());
        let named = named.map(|(idx, llm)| (llm.name.clone(), idx));
        let names = Names::new(default, calibrations(&config), named);
        let reading = Reading {
            deciding: config.decision.text,
            ignored_blocks: config.decision.ignored_blocks.clone(),
        };
        let (describes, routes) = (router.describe(), router.routes());
        let caps = config.llms.iter().filter_map(|llm| llm.usd_per_day);
        let has_caps = config
            .caps
            .as_ref()
            .is_some_and(|caps| caps.usd_per_day.is_some())
            || caps.count() > 0;
        Ok(Self {
            brain: Brain::start(Arc::clone(&router), reading, &config.decision)?,
            router,
            client: upstream::client(config.forward.connect_seconds)?,
            keys: config.keys.as_ref().map(Keys::read).transpose()?,
            explorer: Explorer::new(config.explore.share, config.explore.seed).map_err(
                |error| ServeError::Explore {
                    message: error.to_string(),
                },
            )?,
            header_names: pool.llms.iter().map(|llm| header(&llm.name)).collect(),
            ready_at: Mutex::new(None),
            has_caps,
            names,
            pool,
            describes,
            routes,
            config,
        })
    }

    /// Whether decisions can be made. Asked often, as probes of orchestrators are, it decides once in a while: an embedding server may charge for it.
    pub(crate) async fn is_ready(&self) -> bool {
        let lately = |at: &Instant| at.elapsed() < READY_FOR;
        let known = *self.ready_at.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_some_and(lately) {
            return true;
        }
        let body = json!({"model": ALIAS, "messages": [{"role": "user", "content": PROBE}]});
        let probe = Incoming::read(Format::Chat, body.to_string().into()).expect("a request");
        let is_ready = self.brain.decide(Arc::new(probe), 0.5).await.is_ok();
        if is_ready {
            *self.ready_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        is_ready
    }
}

/// The weights of cost of all calibrations that can be used.
fn calibrations(config: &Config) -> BTreeMap<String, f64> {
    let folder = &config.router.model;
    let names = Calibration::names(folder).unwrap_or_else(|error| {
        warn!("no calibration can be used: {}", chain(&error));
        Vec::new()
    });
    let mut found = BTreeMap::new();
    for name in names {
        match UsableCalibration::open(folder, &name) {
            Ok(usable) => _ = found.insert(name, usable.mu),
            Err(error) => warn!("calibration `{name}` cannot be used: {}", chain(&error)),
        }
    }
    found
}

/// The first decision reads what later ones find in memory, and shows whether the embedder answers. If it does not, the default model answers until it
/// does, as it will later if the embedder fails then.
fn warm_up(router: &Arc<CarrotRouter>) {
    let (done, decided) = channel();
    let warming = Arc::clone(router);
    // On a thread of its own, since an embedding server may let it wait for long.
    let decide = move || {
        // Whoever waits for the decision may have given up.
        _ = done.send(warming.explain(PROBE, 0.5).map(|_| ()));
        // Reading the encoding by which contexts are counted takes a third of a second, and only the first request with one would wait for it.
        _ = embeddings::count_tokens(PROBE);
    };
    let spawned = thread::Builder::new().name("warm-up".into()).spawn(decide);
    let problem = match spawned.map(|_| decided.recv_timeout(WARM_UP)) {
        Ok(Ok(Ok(()))) => return,
        Ok(Ok(Err(error))) => chain(&error),
        Ok(Err(_)) => format!("no decision within {} s", WARM_UP.as_secs()),
        Err(error) => error.to_string(),
    };
    warn!("the router cannot decide yet, so that the default model answers: {problem}");
}

/// A name as a header's value, without what such a value must not hold.
fn header(name: &str) -> HeaderValue {
    let bytes: Vec<u8> = name
        .bytes()
        .filter(|byte| *byte >= b' ' && *byte != 127)
        .collect();
    HeaderValue::from_bytes(&bytes).expect("no control character is left")
}

/// What is said of a version that is taken into use.
pub(crate) fn announce(generation: &Generation) {
    let served = generation
        .pool
        .llms
        .iter()
        .filter(|llm| llm.served.is_some());
    let (routed, named): (Vec<_>, Vec<_>) = served.partition(|llm| llm.is_predicted);
    info!(
        "choosing among {} LLMs by {}; {} more answer to their names",
        routed.len(),
        generation.describes,
        named.len()
    );
    let unserved = generation
        .pool
        .llms
        .iter()
        .filter(|llm| llm.served.is_none());
    let unserved: Vec<&str> = unserved.map(|llm| llm.name.as_str()).collect();
    if !unserved.is_empty() {
        warn!(
            "{} LLMs of the router have no `[[llm]]` and are never chosen: {}",
            unserved.len(),
            unserved.join(", ")
        );
    }
    if let Some(remark) = generation.router.held_back() {
        warn!("{remark}");
    }
    if !generation.routes {
        warn!(
            "this router does not route: on the prompts that it was fitted on, routing was not better than the best single LLM. The weight of cost \
             alone decides"
        );
    }
}
