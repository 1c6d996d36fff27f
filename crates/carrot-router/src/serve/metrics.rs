//! What Prometheus scrapes at `GET /metrics`.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use super::record::DecisionLine;

/// What a label says where no LLM answered.
const NONE: &str = "none";

type Usd = Counter<f64, AtomicU64>;

/// All metrics. Label values are the names of LLMs of the pool, outcomes, and reasons of fall-backs, so that their number is bounded.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    routing: Histogram,
    overhead: Histogram,
    predicted_cost: Family<ModelLabels, Usd>,
    actual_cost: Family<ModelLabels, Usd>,
    baseline_cost: Family<ModelLabels, Usd>,
    fallbacks: Family<FallBackLabels, Counter>,
    truncated: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    model: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelLabels {
    model: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FallBackLabels {
    from: String,
    to: String,
    reason: String,
}

impl Metrics {
    /// The `Content-Type` of [`Metrics::text`].
    pub(crate) const CONTENT_TYPE: &'static str =
        "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// All at 0; the costs of the pool's LLMs are shown from the start.
    pub(crate) fn new(models: &[String]) -> Self {
        // From 0.1 ms, in steps of a factor of 2, to 6.6 s.
        let seconds = || Histogram::new(exponential_buckets(1e-4, 2.0, 17));
        let this = Self {
            registry: Registry::default(),
            requests: Family::default(),
            routing: seconds(),
            overhead: seconds(),
            predicted_cost: Family::default(),
            actual_cost: Family::default(),
            baseline_cost: Family::default(),
            fallbacks: Family::default(),
            truncated: Counter::default(),
        };
        for model in models {
            let labels = ModelLabels::of(model);
            for family in [&this.predicted_cost, &this.actual_cost, &this.baseline_cost] {
                drop(family.get_or_create(&labels));
            }
        }
        this.registered()
    }

    fn registered(mut self) -> Self {
        let to = &mut self.registry;
        // The format adds `_total` to the names of counters, and a full stop to what they are.
        to.register(
            "carrot_requests",
            "Requests by the LLM that answered and how they ended",
            self.requests.clone(),
        );
        to.register(
            "carrot_routing_seconds",
            "How long decisions took",
            self.routing.clone(),
        );
        to.register(
            "carrot_overhead_seconds",
            "How long requests took, without the wait for upstreams",
            self.overhead.clone(),
        );
        to.register(
            "carrot_predicted_cost_usd",
            "Predicted cost of the routed requests in US dollars, by the LLM that they went to",
            self.predicted_cost.clone(),
        );
        to.register(
            "carrot_actual_cost_usd",
            "Cost of all answers in US dollars, from the usage that upstreams reported, or estimated where they reported none",
            self.actual_cost.clone(),
        );
        to.register(
            "carrot_baseline_cost_usd",
            "Predicted cost of sending all routed requests to this one LLM: compare it with carrot_predicted_cost_usd_total, not with actual costs",
            self.baseline_cost.clone(),
        );
        to.register(
            "carrot_fallbacks",
            "Changes from an LLM that failed to the next",
            self.fallbacks.clone(),
        );
        to.register(
            "carrot_truncated",
            "Prompts of which the router saw only the beginning",
            self.truncated.clone(),
        );
        self
    }

    /// Counts a request that has ended.
    pub(crate) fn observe(&self, line: &DecisionLine) {
        let served = line.served.as_deref();
        let labels = RequestLabels {
            model: served.unwrap_or(NONE).to_owned(),
            outcome: line.outcome.name(),
        };
        self.requests.get_or_create(&labels).inc();
        for (histogram, ms) in [
            (&self.routing, line.routing_ms),
            (&self.overhead, line.overhead_ms),
        ] {
            if let Some(ms) = ms {
                histogram.observe(ms / 1e3);
            }
        }
        if let Some(routed) = line.routed() {
            add(&self.predicted_cost, &routed.name, routed.cost_usd);
            for model in &line.models {
                add(&self.baseline_cost, &model.name, model.cost_usd);
            }
        }
        if let Some(served) = served {
            add(&self.actual_cost, served, line.cost_usd);
        }
        for it in &line.fallbacks {
            let labels = FallBackLabels {
                from: it.from.clone(),
                to: it.to.clone(),
                reason: it.reason.clone(),
            };
            self.fallbacks.get_or_create(&labels).inc();
        }
        if line.truncated {
            self.truncated.inc();
        }
    }

    /// All of them in the text format of OpenMetrics, which Prometheus reads.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a String can be written to");
        text
    }
}

impl ModelLabels {
    fn of(model: &str) -> Self {
        Self {
            model: model.to_owned(),
        }
    }
}

fn add(family: &Family<ModelLabels, Usd>, model: &str, usd: Option<f64>) {
    // A counter never falls, and a refund is none of the upstream's.
    if let Some(usd) = usd.filter(|&usd| usd > 0.0 && usd.is_finite()) {
        family.get_or_create(&ModelLabels::of(model)).inc_by(usd);
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::serve::record::{FallBack, ModelLine, Outcome};

    fn model(name: &str, cost_usd: f64) -> ModelLine {
        ModelLine {
            name: name.to_owned(),
            score: Some(0.5),
            cost_usd: Some(cost_usd),
            input_tokens: Some(1),
            output_tokens: None,
            utility: Some(0.5),
            eligible: true,
            propensity: None,
        }
    }

    fn line(served: Option<&str>, outcome: Outcome) -> DecisionLine {
        DecisionLine {
            served: served.map(str::to_owned),
            chosen: Some("a".to_owned()),
            outcome,
            ..DecisionLine::begin("dec_1".to_owned(), UNIX_EPOCH, "/x", "carrot")
        }
    }

    #[test]
    fn every_metric_is_counted_as_it_is_documented() {
        let metrics = Metrics::new(&["a".to_owned(), "b".to_owned()]);
        let models = vec![model("a", 0.25), model("b", 2.0)];
        metrics.observe(&DecisionLine {
            models: models.clone(),
            truncated: true,
            routing_ms: Some(0.15),
            overhead_ms: Some(3.0),
            cost_usd: Some(1.5),
            fallbacks: vec![FallBack {
                from: "a".to_owned(),
                to: "b".to_owned(),
                reason: "429".to_owned(),
            }],
            ..line(Some("b"), Outcome::Ok)
        });
        // In the shadow what routing would have done is predicted, and what was done is paid for.
        metrics.observe(&DecisionLine {
            models: models.clone(),
            shadow: true,
            cost_usd: Some(0.5),
            ..line(Some("b"), Outcome::Ok)
        });
        // Of a decision alone nothing was paid.
        metrics.observe(&DecisionLine {
            models: models.clone(),
            ..line(None, Outcome::Decided)
        });
        // Nobody answered: nothing was routed.
        metrics.observe(&DecisionLine {
            models,
            ..line(None, Outcome::UpstreamError)
        });
        // An LLM by its name: no prediction.
        metrics.observe(&DecisionLine {
            cost_usd: Some(0.125),
            ..line(Some("a"), Outcome::ClientGone)
        });
        let text = metrics.text();
        for expected in [
            r#"carrot_requests_total{model="b",outcome="ok"} 2"#,
            r#"carrot_requests_total{model="none",outcome="decided"} 1"#,
            r#"carrot_requests_total{model="none",outcome="upstream_error"} 1"#,
            r#"carrot_requests_total{model="a",outcome="client_gone"} 1"#,
            r#"carrot_routing_seconds_bucket{le="0.0001"} 0"#,
            r#"carrot_routing_seconds_bucket{le="0.0002"} 1"#,
            "carrot_routing_seconds_count 1",
            r#"carrot_overhead_seconds_bucket{le="0.0032"} 1"#,
            r#"carrot_predicted_cost_usd_total{model="a"} 0.5"#,
            r#"carrot_predicted_cost_usd_total{model="b"} 2.0"#,
            r#"carrot_actual_cost_usd_total{model="a"} 0.125"#,
            r#"carrot_actual_cost_usd_total{model="b"} 2.0"#,
            r#"carrot_baseline_cost_usd_total{model="a"} 0.75"#,
            r#"carrot_baseline_cost_usd_total{model="b"} 6.0"#,
            r#"carrot_fallbacks_total{from="a",to="b",reason="429"} 1"#,
            "carrot_truncated_total 1",
        ] {
            assert!(
                text.lines().any(|line| line == expected),
                "{expected}\n{text}"
            );
        }
        assert!(text.ends_with("# EOF\n"), "{text}");
    }

    #[test]
    fn names_with_quotes_are_escaped() {
        let metrics = Metrics::new(&["a\"b\\c\nd".to_owned()]);
        let text = metrics.text();
        let expected = r#"carrot_actual_cost_usd_total{model="a\"b\\c\nd"} 0.0"#;
        assert!(text.lines().any(|line| line == expected), "{text}");
    }
}
