//! `GET /`: a page that shows what the server does as it does it, and `GET /stats`, the numbers that it asks for every two seconds.

mod latency;
mod minutes;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};

use decision_log::rfc3339;
use serde::Serialize;

use self::{
    latency::{Latencies, Quantiles},
    minutes::{Minute, Minutes},
};
use super::{caps::SpendCaps, record::DecisionLine};

/// The page, of type `text/html; charset=utf-8`. One file that loads nothing but `/stats`; it knows no other path.
pub(crate) const PAGE: &str = include_str!("page.html");
/// Its `Content-Security-Policy`. Names of LLMs come from elsewhere; should one get past the page's care, this keeps it from loading or sending
/// anything.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:; \
                                 base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// So many requests are shown one by one.
const N_RECENT: usize = 50;
/// A client's name for a model is cut to so many characters.
const NAME_LENGTH: usize = 80;

/// The numbers of the page, since the start. Their memory is bounded, and no prompt is among them.
#[derive(Debug)]
pub(crate) struct Stats {
    started: SystemTime,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    totals: Totals,
    outcomes: BTreeMap<&'static str, u64>,
    usd: Spend,
    models: Vec<ModelStats>,
    latency: Latency,
    minutes: Minutes,
    recent: VecDeque<Recent>,
}

/// Numbers of requests.
#[derive(Debug, Clone, Default, Serialize)]
struct Totals {
    requests: u64,
    /// Those that routing sent somewhere, or would have in the shadow.
    routed: u64,
    shadow: u64,
    explored: u64,
    kept_by_session: u64,
    fallbacks: u64,
    truncated: u64,
    feedback: u64,
}

/// US dollars.
#[derive(Debug, Clone, Copy, Default, Serialize)]
struct Spend {
    /// Predicted for the routed requests, at the LLM that each went to.
    predicted: f64,
    /// Of all answers, and the part of it that is estimated.
    actual: f64,
    actual_estimated: f64,
    /// Of routed requests alone, as far as what was paid is known: both sides of the same requests.
    actual_of_routed: f64,
    predicted_of_paid: f64,
    /// Of decisions, where an embedding server charges for them.
    routing: f64,
}

/// An LLM.
#[derive(Debug, Clone, Default, Serialize)]
struct ModelStats {
    name: String,
    /// Requests that it answered, and of these the routed ones.
    requests: u64,
    routed: u64,
    predicted_usd: f64,
    actual_usd: f64,
    /// Predicted for all routed requests, had it got them, and for how many of them there is a prediction.
    baseline_usd: f64,
    baseline_requests: u64,
    feedback: u64,
    feedback_sum: f64,
}

#[derive(Debug, Default)]
struct Latency {
    routing: Latencies,
    overhead: Latencies,
    first_byte: Latencies,
    total: Latencies,
}

#[derive(Debug, Serialize)]
struct LatencyQuantiles {
    routing: Quantiles,
    overhead: Quantiles,
    first_byte: Quantiles,
    total: Quantiles,
}

/// A request as the page lists it.
#[derive(Debug, Clone, Serialize)]
struct Recent {
    time: String,
    id: String,
    requested: String,
    chosen: Option<String>,
    served: Option<String>,
    mu: Option<f64>,
    outcome: &'static str,
    status: Option<u16>,
    predicted_usd: Option<f64>,
    cost_usd: Option<f64>,
    is_estimated: bool,
    score: Option<f64>,
    routing_ms: Option<f64>,
    total_ms: f64,
    fallbacks: usize,
    shadow: bool,
    explored: bool,
    truncated: bool,
}

/// What was spent today, and what may be.
#[derive(Debug, Serialize)]
struct Caps {
    spent_usd: f64,
    usd_per_day: Option<f64>,
    by_model: Vec<ModelCap>,
}

#[derive(Debug, Serialize)]
struct ModelCap {
    name: String,
    spent_usd: f64,
    usd_per_day: f64,
}

/// `GET /stats`.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    version: &'static str,
    now: String,
    started: String,
    totals: &'a Totals,
    outcomes: &'a BTreeMap<&'static str, u64>,
    usd: Spend,
    models: &'a [ModelStats],
    latency_ms: LatencyQuantiles,
    minutes: Vec<&'a Minute>,
    recent: &'a VecDeque<Recent>,
    caps: Option<Caps>,
}

impl Stats {
    /// All at 0, of the pool's LLMs.
    pub(crate) fn new(models: &[String], now: SystemTime) -> Self {
        let model = |name: &String| ModelStats {
            name: name.clone(),
            ..ModelStats::default()
        };
        Self {
            started: now,
            state: Mutex::new(State {
                totals: Totals::default(),
                outcomes: BTreeMap::new(),
                usd: Spend::default(),
                models: models.iter().map(model).collect(),
                latency: Latency::default(),
                minutes: Minutes::default(),
                recent: VecDeque::with_capacity(N_RECENT),
            }),
        }
    }

    /// Counts a request that has ended.
    pub(crate) fn observe(&self, line: &DecisionLine, now: SystemTime) {
        let recent = Recent::of(line);
        let mut state = self.state.lock().expect("nobody panics while counting");
        let state = &mut *state;
        state.totals.add(line);
        *state.outcomes.entry(line.outcome.name()).or_default() += 1;
        state.add_usd(line);
        for (latencies, ms) in [
            (&mut state.latency.routing, line.routing_ms),
            (&mut state.latency.overhead, line.overhead_ms),
            (&mut state.latency.first_byte, line.first_byte_ms),
            (&mut state.latency.total, Some(line.total_ms)),
        ] {
            if let Some(ms) = ms {
                latencies.add(ms);
            }
        }
        let minute = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 60;
        state.minutes.add(minute, line);
        if state.recent.len() == N_RECENT {
            state.recent.pop_back();
        }
        state.recent.push_front(recent);
    }

    /// Counts a score for an answer of this LLM.
    pub(crate) fn feedback(&self, model: &str, score: f64) {
        let mut state = self.state.lock().expect("nobody panics while counting");
        state.totals.feedback += 1;
        if let Some(model) = state.model(model) {
            model.feedback += 1;
            model.feedback_sum += score;
        }
    }

    /// The numbers as JSON.
    pub(crate) fn json(&self, caps: Option<&SpendCaps>, now: SystemTime) -> String {
        // Before the lock: counting waits for nobody.
        let caps = caps.map(|caps| Caps::of(caps, now));
        let state = self.state.lock().expect("nobody panics while counting");
        let latency = &state.latency;
        let shown = Shown {
            version: env!("CARGO_PKG_VERSION"),
            now: rfc3339(now),
            started: rfc3339(self.started),
            totals: &state.totals,
            outcomes: &state.outcomes,
            usd: state.usd,
            models: &state.models,
            latency_ms: LatencyQuantiles {
                routing: latency.routing.quantiles(),
                overhead: latency.overhead.quantiles(),
                first_byte: latency.first_byte.quantiles(),
                total: latency.total.quantiles(),
            },
            minutes: state.minutes.shown(),
            recent: &state.recent,
            caps,
        };
        serde_json::to_string(&shown).expect("numbers and names are JSON")
    }
}

impl Totals {
    fn add(&mut self, line: &DecisionLine) {
        self.requests += 1;
        self.routed += u64::from(line.routed().is_some());
        self.shadow += u64::from(line.shadow);
        self.explored += u64::from(line.explored);
        self.kept_by_session += u64::from(line.kept_by_session);
        self.fallbacks += line.fallbacks.len() as u64;
        self.truncated += u64::from(line.truncated);
    }
}

impl State {
    /// An LLM's numbers; one that is not of the pool has none, so that clients cannot add names.
    fn model(&mut self, name: &str) -> Option<&mut ModelStats> {
        self.models.iter_mut().find(|model| model.name == name)
    }

    fn add_usd(&mut self, line: &DecisionLine) {
        let paid = line.cost_usd;
        self.usd.actual += paid.unwrap_or(0.0);
        if line.is_estimated() {
            self.usd.actual_estimated += paid.unwrap_or(0.0);
        }
        self.usd.routing += line.routing_usd.unwrap_or(0.0);
        if let Some(model) = line.served.as_deref().and_then(|name| self.model(name)) {
            model.requests += 1;
            model.actual_usd += paid.unwrap_or(0.0);
        }
        let Some(routed) = line.routed() else { return };
        let predicted = routed.cost_usd.unwrap_or(0.0);
        self.usd.predicted += predicted;
        // In the shadow the answer that was paid for is another LLM's.
        if let (Some(paid), Some(predicted), false) = (paid, routed.cost_usd, line.shadow) {
            self.usd.actual_of_routed += paid;
            self.usd.predicted_of_paid += predicted;
        }
        if let Some(model) = self.model(&routed.name) {
            model.routed += 1;
            model.predicted_usd += predicted;
        }
        for other in &line.models {
            if let (Some(usd), Some(model)) = (other.cost_usd, self.model(&other.name)) {
                model.baseline_usd += usd;
                model.baseline_requests += 1;
            }
        }
    }
}

impl Recent {
    fn of(line: &DecisionLine) -> Self {
        let routed = line.routed();
        Self {
            time: line.time.clone(),
            id: line.id.clone(),
            requested: line.requested.chars().take(NAME_LENGTH).collect(),
            chosen: line.chosen.clone(),
            served: line.served.clone(),
            mu: line.mu,
            outcome: line.outcome.name(),
            status: line.status,
            predicted_usd: routed.and_then(|model| model.cost_usd),
            cost_usd: line.cost_usd,
            is_estimated: line.is_estimated(),
            score: routed.and_then(|model| model.score),
            routing_ms: line.routing_ms,
            total_ms: line.total_ms,
            fallbacks: line.fallbacks.len(),
            shadow: line.shadow,
            explored: line.explored,
            truncated: line.truncated,
        }
    }
}

impl Caps {
    fn of(caps: &SpendCaps, now: SystemTime) -> Self {
        let (spent_usd, by_model) = caps.spent_today(now);
        let limits = caps.limits();
        let model = |(name, usd_per_day): (String, f64)| ModelCap {
            spent_usd: by_model.get(&name).copied().unwrap_or(0.0),
            name,
            usd_per_day,
        };
        Self {
            spent_usd,
            usd_per_day: limits.total,
            by_model: limits.by_model.into_iter().map(model).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
