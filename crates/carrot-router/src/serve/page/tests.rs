use std::time::{Duration, UNIX_EPOCH};

use decision_log::{AmountSource, FallBack, ModelLine, Outcome, Usage};
use serde_json::{Value, json};

use super::*;
use crate::serve::caps::CapLimits;

fn models() -> Vec<String> {
    ["a", "b"].map(str::to_owned).to_vec()
}

fn model(name: &str, cost_usd: Option<f64>) -> ModelLine {
    ModelLine {
        name: name.to_owned(),
        score: Some(0.75),
        cost_usd,
        input_tokens: Some(10),
        output_tokens: None,
        utility: Some(0.5),
        eligible: true,
        propensity: None,
    }
}

/// A request that was routed to `b`.
fn routed() -> DecisionLine {
    DecisionLine {
        mu: Some(0.5),
        models: vec![model("a", Some(0.25)), model("b", Some(1.0))],
        chosen: Some("b".to_owned()),
        served: Some("b".to_owned()),
        cost_usd: Some(0.5),
        routing_usd: Some(0.125),
        routing_ms: Some(1.0),
        status: Some(200),
        outcome: Outcome::Ok,
        total_ms: 100.0,
        ..DecisionLine::begin("dec_1".to_owned(), UNIX_EPOCH, "/x", "carrot")
    }
}

fn json(stats: &Stats) -> Value {
    serde_json::from_str(&stats.json(None, UNIX_EPOCH)).expect("JSON")
}

#[test]
fn spend_is_compared_over_the_same_requests() {
    let stats = Stats::new(&models(), UNIX_EPOCH);
    stats.observe(&routed(), UNIX_EPOCH);
    // An LLM by its name, whose usage is estimated: it is paid for, and nothing was predicted.
    let usage = Usage {
        input_tokens: 1,
        cached_tokens: 0,
        output_tokens: 1,
        source: AmountSource::Estimated,
    };
    stats.observe(
        &DecisionLine {
            models: Vec::new(),
            chosen: None,
            usage: Some(usage),
            routing_usd: None,
            cost_usd: Some(2.0),
            served: Some("a".to_owned()),
            ..routed()
        },
        UNIX_EPOCH,
    );
    // In the shadow what would have been chosen is predicted, and the other LLM paid for.
    stats.observe(
        &DecisionLine {
            shadow: true,
            served: Some("a".to_owned()),
            ..routed()
        },
        UNIX_EPOCH,
    );
    // An unknown prediction is no cost of 0.
    stats.observe(
        &DecisionLine {
            models: vec![model("a", None), model("b", Some(1.0))],
            fallbacks: vec![FallBack {
                from: "a".to_owned(),
                to: "b".to_owned(),
                reason: "429".to_owned(),
            }],
            ..routed()
        },
        UNIX_EPOCH,
    );
    let found = json(&stats);
    assert_eq!(
        found["usd"],
        json!({
            "predicted": 3.0, "actual": 3.5, "actual_estimated": 2.0, "actual_of_routed": 1.0, "predicted_of_paid": 2.0, "routing": 0.375,
        })
    );
    let numbers = |idx: usize| {
        let model = &found["models"][idx];
        ["requests", "routed", "baseline_requests"].map(|key| model[key].as_u64().expect("a count"))
    };
    assert_eq!([numbers(0), numbers(1)], [[2, 0, 2], [2, 3, 3]]);
    assert_eq!(found["models"][0]["baseline_usd"], 0.5);
    assert_eq!(found["models"][1]["baseline_usd"], 3.0);
    assert_eq!(found["totals"]["requests"], 4);
    assert_eq!(found["totals"]["routed"], 3);
    assert_eq!(found["totals"]["fallbacks"], 1);
    assert_eq!(found["latency_ms"]["routing"]["n"], 4);
    assert_eq!(found["minutes"][0]["routed"], json!({ "b": 3 }));
}

#[test]
fn memory_and_what_clients_send_are_bounded() {
    let stats = Stats::new(&models(), UNIX_EPOCH);
    for i in 0..500 {
        let line = DecisionLine {
            id: format!("dec_{i}"),
            requested: "x".repeat(10_000),
            served: Some(format!("not of the pool {i}")),
            prompt: Some("a secret".to_owned()),
            outcome: Outcome::Refused,
            ..routed()
        };
        stats.observe(&line, UNIX_EPOCH + Duration::from_secs(60 * i));
    }
    let text = stats.json(None, UNIX_EPOCH);
    assert!(!text.contains("secret"));
    let found = json(&stats);
    let recent = found["recent"].as_array().expect("a list");
    assert_eq!(
        (recent.len(), &recent[0]["id"]),
        (N_RECENT, &json!("dec_499"))
    );
    assert_eq!(recent[0]["requested"], "x".repeat(NAME_LENGTH));
    assert_eq!(found["models"].as_array().expect("a list").len(), 2);
    assert_eq!(found["minutes"].as_array().expect("a list").len(), 60);
    assert_eq!(found["outcomes"], json!({ "refused": 500 }));
}

#[test]
fn feedback_and_caps_are_shown() {
    let stats = Stats::new(&models(), UNIX_EPOCH);
    stats.feedback("a", 0.5);
    stats.feedback("a", 1.0);
    let limits = CapLimits {
        total: Some(5.0),
        by_model: [("a".to_owned(), 2.0)].into(),
    };
    let caps = SpendCaps::open(None, limits, UNIX_EPOCH).expect("opened");
    let reservation = caps.reserve("a", 1.0, UNIX_EPOCH).expect("below the cap");
    reservation.settle(1.5, UNIX_EPOCH);
    let found: Value = serde_json::from_str(&stats.json(Some(&caps), UNIX_EPOCH)).expect("JSON");
    assert_eq!(found["models"][0]["feedback_sum"], 1.5);
    assert_eq!(found["totals"]["feedback"], 2);
    let of_a = json!({ "name": "a", "spent_usd": 1.5, "usd_per_day": 2.0 });
    let expected = json!({ "spent_usd": 1.5, "usd_per_day": 5.0, "by_model": [of_a] });
    assert_eq!(found["caps"], expected);
}
