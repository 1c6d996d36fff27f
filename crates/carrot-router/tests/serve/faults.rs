//! 1,000 requests against LLMs that fail in every way: each is answered whole or told that it is not, each is counted once, and nothing is asked
//! again once a byte of an answer has been sent.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;
use test_support::{Answer, Body, Request};

use crate::world::{
    CHAT, FOR_DEAR, Llms, Serve, chat, chunk, event, events, good, json_answer, pieces, stream,
};

const N: usize = 1_000;
const N_CLIENTS: usize = 8;

/// What the dear LLM does to a request, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Good,
    Limited,
    Broken,
    FirstEvent,
    Cut,
    Stall,
    Hangup,
    Refused,
}

impl Script {
    const ALL: [Self; 8] = [
        Self::Good,
        Self::Limited,
        Self::Broken,
        Self::FirstEvent,
        Self::Cut,
        Self::Stall,
        Self::Hangup,
        Self::Refused,
    ];

    fn of(number: usize) -> Self {
        // Stalls take time, so there are few.
        match number % 50 {
            7 => Self::Stall,
            n => [
                Self::Good,
                Self::Limited,
                Self::Broken,
                Self::FirstEvent,
                Self::Cut,
                Self::Hangup,
                Self::Refused,
            ][n % 7],
        }
    }

    fn answer(self, model: &str, request: &Request) -> Answer {
        let error = "{\"error\":{\"message\":\"m\",\"type\":\"t\",\"param\":null,\"code\":\"c\"}}";
        let first = (Duration::ZERO, event(&chunk(model, "a", "")));
        match self {
            Self::Good => good(model, request),
            Self::Limited => json_answer(429, error),
            Self::Broken => json_answer(500, error),
            Self::FirstEvent => events(&[error.to_owned()], &[]),
            Self::Cut => pieces([first], true),
            Self::Stall => pieces([first, (Duration::from_secs(60), Vec::new())], true),
            Self::Hangup => Answer {
                body: Body::Hangup,
                ..Answer::new(200, "")
            },
            Self::Refused => json_answer(400, error),
        }
    }

    /// The reason of the fall-back that it leads to.
    fn reason(self) -> Option<&'static str> {
        match self {
            Self::Limited => Some("429"),
            Self::Broken => Some("500"),
            Self::FirstEvent => Some("first_event"),
            Self::Hangup => Some("cut"),
            Self::Good | Self::Cut | Self::Stall | Self::Refused => None,
        }
    }
}

#[test]
fn a_thousand_requests_are_each_counted_once() {
    let n_asked: &'static AtomicUsize = Box::leak(Box::default());
    let llms = Llms::start(move |model, request| {
        n_asked.fetch_add(1, Ordering::Relaxed);
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        let number = body["seed"].as_u64().expect("a number") as usize;
        match model {
            "up-owner/dear" => Script::of(number).answer(model, request),
            _ => good(model, request),
        }
    });
    let more = "[log]\npath = \"log.jsonl\"\n[forward]\nstall-seconds = 0.2\n[decision]\nqueue = 1000\ntimeout-seconds = 20.0";
    let mut serve = llms.serve(0.0, more);
    thread::scope(|scope| {
        for client_idx in 0..N_CLIENTS {
            let serve = &serve;
            scope.spawn(move || {
                let mut client = serve.client();
                for number in (client_idx..N).step_by(N_CLIENTS) {
                    let is_stream = number % 3 != 0;
                    let mut body = match is_stream {
                        true => stream("carrot", FOR_DEAR),
                        false => chat("carrot", FOR_DEAR),
                    };
                    body["seed"] = number.into();
                    let reply = client.ask("POST", CHAT, &[], body.to_string().as_bytes());
                    check(number, &reply);
                }
            });
        }
    });
    let count = |script: Script| {
        (0..N)
            .filter(|number| Script::of(*number) == script)
            .count()
    };
    let n_fallbacks: usize = Script::ALL
        .iter()
        .filter(|it| it.reason().is_some())
        .map(|it| count(*it))
        .sum();
    assert_eq!(n_asked.load(Ordering::Relaxed), N + n_fallbacks);
    check_metrics(&serve, &count);
    let log = serve.log();
    assert_eq!(log.len(), N);
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for line in &log {
        *outcomes
            .entry(line["outcome"].as_str().expect("an outcome").to_owned())
            .or_default() += 1;
    }
    let expected = [
        ("cut", count(Script::Cut)),
        ("ok", count(Script::Good) + n_fallbacks),
        ("timed_out", count(Script::Stall)),
        ("upstream_error", count(Script::Refused)),
    ];
    let expected = expected.map(|(name, n)| (name.to_owned(), n));
    assert_eq!(outcomes, BTreeMap::from(expected));
    assert_eq!(serve.stop(), Some(0));
}

fn check(number: usize, reply: &crate::client::Reply) {
    let script = Script::of(number);
    assert!(reply.is_whole, "{number}");
    let text = reply.text();
    match script {
        Script::Refused => assert_eq!(reply.status, 400, "{number}"),
        Script::Cut | Script::Stall => {
            assert_eq!(reply.status, 200);
            let last = reply.events().pop().expect("an event");
            assert!(
                last.contains("\"error\"") && !text.contains("[DONE]"),
                "{number}: {text}"
            );
        }
        _ => {
            let expected = if script == Script::Good {
                "owner/dear"
            } else {
                "cheap"
            };
            assert_eq!(
                reply.header("x-carrot-model"),
                Some(expected),
                "{number}: {script:?} {text}"
            );
            let is_whole = text.ends_with("data: [DONE]\n\n") || text.ends_with("1100}}");
            assert!(is_whole && !text.contains("\"error\""), "{number}: {text}");
        }
    }
}

fn check_metrics(serve: &Serve, count: &dyn Fn(Script) -> usize) {
    for script in Script::ALL {
        if let Some(reason) = script.reason() {
            let name = format!(
                "carrot_fallbacks_total{{from=\"owner/dear\",to=\"cheap\",reason=\"{reason}\"}}"
            );
            assert_eq!(serve.metric(&name), count(script) as f64, "{name}");
        }
    }
    let requests = |model: &str, outcome: &str| {
        serve.metric(&format!(
            "carrot_requests_total{{model=\"{model}\",outcome=\"{outcome}\"}}"
        ))
    };
    assert_eq!(requests("owner/dear", "ok"), count(Script::Good) as f64);
    assert_eq!(requests("owner/dear", "cut"), count(Script::Cut) as f64);
    assert_eq!(
        requests("owner/dear", "timed_out"),
        count(Script::Stall) as f64
    );
    assert_eq!(
        requests("owner/dear", "upstream_error"),
        count(Script::Refused) as f64
    );
    assert_eq!(serve.metric("carrot_routing_seconds_count"), N as f64);
    assert_eq!(serve.metric("carrot_overhead_seconds_count"), N as f64);
}
