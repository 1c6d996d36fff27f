use std::{
    env, fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, UNIX_EPOCH},
};

use decision_log::{AmountSource, FallBack, ModelLine, Outcome, Usage};
use serde_json::{Value, json};
use test_support::{Answer, Browser, Request, Server};

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

/// Waits until the page says what is expected of it, for some seconds.
fn wait_for(browser: &Browser, script: &str, expected: &Value) -> Value {
    let mut found = Value::Null;
    for _ in 0..100 {
        found = browser.evaluate(script);
        if found == *expected {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    found
}

#[test]
fn the_page_shows_the_numbers_as_they_come() {
    let Some(browser) = Browser::start() else {
        return;
    };
    // Names of LLMs, and what clients call them, come from elsewhere.
    const HOSTILE: &str = "<img src=x onerror=\"document.title='taken'\">";
    let names = ["a".to_owned(), "b".to_owned(), HOSTILE.to_owned()];
    let stats = Arc::new(Stats::new(&names, UNIX_EPOCH));
    let is_open = Arc::new(AtomicBool::new(true));
    let server = Server::start({
        let (stats, is_open) = (Arc::clone(&stats), Arc::clone(&is_open));
        move |request: &Request| match request.path() {
            "/" => Answer::new(200, PAGE)
                .with_header("content-type", "text/html; charset=utf-8")
                .with_header("content-security-policy", POLICY),
            "/stats" if request.header("authorization") != Some("Bearer k") => {
                Answer::new(401, "{}")
            }
            "/stats" if is_open.load(Ordering::Relaxed) => {
                let text = stats.json(None, SystemTime::now());
                Answer::new(200, text).with_header("content-type", "application/json")
            }
            _ => Answer::new(503, ""),
        }
    });
    let now = SystemTime::now();
    stats.observe(&routed(), now);
    browser.open(&format!("{}/", server.url()));
    // A server with keys asks for one.
    let door = "return !document.getElementById('door').hidden";
    assert_eq!(wait_for(&browser, door, &json!(true)), true);
    browser.evaluate(
        "document.getElementById('key').value = 'k'; document.getElementById('door').requestSubmit()",
    );
    let tile = |name: &str| {
        format!("return document.querySelector('[data-tile={name}] b')?.textContent ?? null")
    };
    assert_eq!(wait_for(&browser, &tile("requests"), &json!("1")), "1");
    assert_eq!(browser.evaluate(&tile("actual")), "$0.500");

    // As more comes in, the page follows by itself.
    for i in 0..3 {
        let line = DecisionLine {
            id: format!("dec_x{i}"),
            requested: HOSTILE.to_owned(),
            chosen: Some("a".to_owned()),
            served: Some("a".to_owned()),
            outcome: Outcome::Cut,
            ..routed()
        };
        stats.observe(&line, now);
    }
    stats.feedback("b", 0.5);
    assert_eq!(wait_for(&browser, &tile("requests"), &json!("4")), "4");
    let found = browser.evaluate(
        "const text = (selector) => [...document.querySelectorAll(selector)].map((it) => it.textContent);
         return {
           failed: text('[data-tile=failed] b'), share: text('[data-model=b] .meter'), feedback: text('[data-model=b] td:last-child'),
           spend: text('#spend .number'), first: text('#recent tr:first-child td'), bars: document.querySelectorAll('#hour rect').length,
           latency: text('[data-latency=total] td'), title: document.title, images: document.querySelectorAll('img').length,
           door: document.getElementById('door').hidden, caps: document.getElementById('caps').hidden,
         };",
    );
    // Three at $.25 and one at $1 are $1.75, and four decisions cost $.5: more than always a, less than always b.
    assert_eq!(
        found["spend"],
        json!(["$2.25", "$4.00 (saved 43.8%)", "$1.00 (125.0% more)"])
    );
    assert_eq!(found["failed"], json!(["3"]));
    assert_eq!(found["share"], json!(["25.0%"]));
    assert_eq!(found["feedback"], json!(["0.500 of 1"]));
    assert_eq!(found["first"][2], HOSTILE);
    assert_eq!(found["first"][1], "cut 200");
    assert_eq!(found["bars"], 2);
    let total: f64 = found["latency"][0]
        .as_str()
        .expect("text")
        .parse()
        .expect("ms");
    assert!((total / 100.0 - 1.0).abs() < 0.06, "{total}");
    assert_eq!(
        (&found["title"], &found["images"]),
        (&json!("CARROT: live routing"), &json!(0))
    );
    assert_eq!(
        (&found["door"], &found["caps"]),
        (&json!(true), &json!(true))
    );
    // Nothing is wider than a phone's window but what scrolls by itself.
    let (width, height) = (390, 844);
    browser.devtools(
        "Emulation.setDeviceMetricsOverride",
        &json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": true }),
    );
    let wide = browser.evaluate("return document.documentElement.scrollWidth");
    assert!(wide.as_u64().expect("a width") <= width, "{wide}");
    photograph(&browser);

    // A server that is gone is said to be, and the numbers stay.
    is_open.store(false, Ordering::Relaxed);
    let alarm = "return !document.getElementById('alarm').hidden";
    assert_eq!(wait_for(&browser, alarm, &json!(true)), true);
    assert_eq!(browser.evaluate(&tile("requests")), "4");
    is_open.store(true, Ordering::Relaxed);
    assert_eq!(wait_for(&browser, alarm, &json!(false)), false);
    // Nothing is asked of any other server, and the policy stopped nothing of the page's own.
    for entry in browser.log("performance") {
        let message: Value =
            serde_json::from_str(entry["message"].as_str().expect("text")).expect("JSON");
        let message = &message["message"];
        if message["method"] == "Network.requestWillBeSent" {
            let url = message["params"]["request"]["url"].as_str().expect("a URL");
            assert!(
                url.starts_with(&server.url()) || url.starts_with("data:"),
                "{url}"
            );
        }
    }
    for entry in browser.log("browser") {
        let text = entry["message"].as_str().expect("text");
        // What the server refused on purpose.
        assert!(text.contains("401") || text.contains("503"), "{text}");
    }
}

/// Keeps a picture of the whole page, for eyes, where tests leave theirs.
fn photograph(browser: &Browser) {
    let Some(folder) = env::var_os("CARROT_PAGE_PICTURES") else {
        return;
    };
    let png = browser.devtools(
        "Page.captureScreenshot",
        &json!({ "format": "png", "captureBeyondViewport": true }),
    );
    let encoded = png["data"].as_str().expect("a picture");
    let path = Path::new(&folder).join("page.png.base64");
    fs::write(path, encoded).expect("written");
}
