//! Streams, fall-backs and cost, as users of gateways want them and often do not get them.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use test_support::{Answer, Body, Request};

use crate::world::{
    CHAT, FOR_CHEAP, FOR_DEAR, Llms, chat, chunk, completion, event, events, good, json_answer,
    pieces, stream,
};

/// LLMs of which the dear one answers as it is told, and the others well.
fn dear_answers(answer: impl Fn(&str, &Request) -> Answer + Send + Sync + 'static) -> Llms {
    Llms::start(move |model, request| match model {
        "up-owner/dear" => answer(model, request),
        _ => good(model, request),
    })
}

/// Which case a request is of.
fn number(request: &Request) -> usize {
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    body["seed"].as_u64().expect("a number") as usize
}

fn refusal(status: u16) -> Answer {
    json_answer(
        status,
        "{\"error\":{\"message\":\"mine\",\"type\":\"t\",\"param\":null,\"code\":\"c\"}}",
    )
}

#[test]
fn failures_before_the_first_byte_fall_back_to_the_next_by_utility() {
    type Make = fn() -> Answer;
    const FAILURES: [(&str, Make); 9] = [
        ("408", || refusal(408)),
        ("409", || refusal(409)),
        ("429", || refusal(429)),
        ("500", || refusal(500)),
        ("529", || refusal(529)),
        ("error_in_200", || refusal(200)),
        ("first_event", || {
            events(&["{\"error\":{\"message\":\"busy\"}}".to_owned()], &[])
        }),
        ("cut", || Answer {
            body: Body::Hangup,
            ..Answer::new(200, "")
        }),
        ("cut", || {
            pieces([(Duration::ZERO, b": hello\n\n".to_vec())], true)
        }),
    ];
    let llms = dear_answers(move |_, request| FAILURES[number(request)].1());
    let serve = llms.serve(0.0, "[log]\npath = \"log.jsonl\"");
    for (idx, (reason, _)) in FAILURES.iter().enumerate() {
        for mut body in [chat("carrot", FOR_DEAR), stream("carrot", FOR_DEAR)] {
            body["seed"] = json!(idx);
            let reply = serve.post(CHAT, &body);
            assert_eq!(reply.status, 200, "{reason}: {}", reply.text());
            assert_eq!(reply.header("x-carrot-model"), Some("cheap"), "{reason}");
            assert_eq!(reply.header("x-carrot-fallbacks"), Some("1"), "{reason}");
            assert!(reply.text().contains("up-cheap"), "{reason}");
        }
        let log = serve.log();
        let line = &log[2 * idx];
        let expected = json!([{"from": "owner/dear", "to": "cheap", "reason": reason}]);
        assert_eq!(line["fallbacks"], expected);
        assert_eq!(
            (&line["chosen"], &line["served"]),
            (&json!("owner/dear"), &json!("cheap"))
        );
        let n = FAILURES.iter().filter(|(other, _)| other == reason).count();
        if FAILURES[..=idx]
            .iter()
            .filter(|(other, _)| other == reason)
            .count()
            == n
        {
            let metric = format!(
                "carrot_fallbacks_total{{from=\"owner/dear\",to=\"cheap\",reason=\"{reason}\"}}"
            );
            assert_eq!(serve.metric(&metric), 2.0 * n as f64, "{reason}");
        }
    }
}

#[test]
fn a_server_that_cannot_be_reached_is_passed_over() {
    let llms = Llms::good();
    let config = llms.config(0.0, "");
    let config = config.replace(
        "name = \"owner/dear\"\nupstream = \"here\"",
        "name = \"owner/dear\"\nupstream = \"gone\"",
    );
    let config =
        format!("{config}\n[[upstream]]\nname = \"gone\"\nbase-url = \"http://127.0.0.1:9/v1\"\n");
    let serve = crate::world::Serve::start(&config, &[], &[]);
    let reply = serve.post(CHAT, &chat("carrot", FOR_DEAR));
    assert_eq!(
        reply.header("x-carrot-model"),
        Some("cheap"),
        "{}",
        reply.text()
    );
    // By its name there is nobody else to ask.
    let reply = serve.post(CHAT, &chat("owner/dear", FOR_DEAR));
    assert_eq!(
        (reply.status, reply.error_code().as_str()),
        (502, "upstream_error")
    );
    assert_eq!(reply.header("x-carrot-cause"), Some("upstream_connect"));
    assert!(!reply.text().contains("127.0.0.1"));
}

#[test]
fn other_errors_are_answers_and_the_last_one_goes_through_unchanged() {
    let llms = Llms::start(move |_, request| {
        refusal(number(request) as u16).with_header("x-request-id", "r-1")
    });
    let serve = llms.serve(0.0, "");
    for (status, n_asked) in [(400, 1), (401, 1), (404, 1), (422, 1), (503, 3)] {
        let before = llms.server.n_requests();
        let mut body = chat("carrot", FOR_DEAR);
        body["seed"] = json!(status);
        let reply = serve.post(CHAT, &body);
        assert_eq!(reply.status, status);
        assert_eq!(reply.json()["error"]["message"], "mine");
        assert_eq!(reply.header("x-request-id"), Some("r-1"));
        assert_eq!(llms.server.n_requests() - before, n_asked, "{status}");
    }
}

#[test]
fn servers_say_whether_to_ask_again_and_when() {
    let llms = dear_answers(|_, _| refusal(503).with_header("x-should-retry", "false"));
    let serve = llms.serve(0.0, "");
    assert_eq!(serve.post(CHAT, &chat("carrot", FOR_DEAR)).status, 503);
    let llms = dear_answers(|_, _| refusal(400).with_header("x-should-retry", "true"));
    let serve = llms.serve(0.0, "");
    assert_eq!(
        serve
            .post(CHAT, &chat("carrot", FOR_DEAR))
            .header("x-carrot-model"),
        Some("cheap")
    );

    // One that asked for half a second is left alone so long.
    static N_DEAR: AtomicUsize = AtomicUsize::new(0);
    let llms = dear_answers(
        |model, request| match N_DEAR.fetch_add(1, Ordering::Relaxed) {
            0 => refusal(429)
                .with_header("retry-after-ms", "500")
                .with_header("retry-after", "60"),
            _ => good(model, request),
        },
    );
    let serve = llms.serve(0.0, "");
    let ask = || serve.post(CHAT, &chat("carrot", FOR_DEAR));
    let began = Instant::now();
    assert_eq!(ask().header("x-carrot-fallbacks"), Some("1"));
    let second = ask();
    if began.elapsed() < Duration::from_millis(500) {
        assert_eq!(second.header("x-carrot-model"), Some("cheap"));
        assert_eq!(second.header("x-carrot-fallbacks"), None);
    }
    std::thread::sleep(Duration::from_millis(550));
    assert_eq!(ask().header("x-carrot-model"), Some("owner/dear"));

    // With nobody else to ask, the client learns when to come back.
    let llms = Llms::start(|_, _| refusal(429).with_header("retry-after", "30"));
    let serve = llms.serve(0.0, "");
    let reply = serve.post(CHAT, &chat("carrot", FOR_DEAR));
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (429, Some("30"))
    );
    assert_eq!(reply.json()["error"]["message"], "mine");
    let reply = serve.post(CHAT, &chat("carrot", FOR_DEAR));
    assert_eq!(
        (reply.status, reply.error_code().as_str()),
        (429, "rate_limit_exceeded")
    );
    let wait: u64 = reply
        .header("retry-after")
        .expect("a wait")
        .parse()
        .expect("seconds");
    assert!((1..=30).contains(&wait), "{wait}");
}

#[test]
fn a_stream_that_breaks_ends_in_an_error_and_never_in_done() {
    let two = |wait: Duration| {
        [
            (Duration::ZERO, event(&chunk("m", "a", ""))),
            (wait, event(&chunk("m", "b", ""))),
        ]
    };
    type Make = Box<dyn Fn() -> Answer + Send + Sync>;
    let broken: [(&str, &str, Make); 6] = [
        (
            "cut",
            "upstream_error",
            Box::new(move || pieces(two(Duration::ZERO), true)),
        ),
        (
            "ended without [DONE]",
            "upstream_error",
            Box::new(move || pieces(two(Duration::ZERO), false)),
        ),
        (
            "half an event",
            "upstream_error",
            Box::new(move || {
                pieces(
                    two(Duration::ZERO)
                        .into_iter()
                        .chain([(Duration::ZERO, b"data: {\"cho".to_vec())]),
                    false,
                )
            }),
        ),
        (
            "stalled",
            "upstream_timeout",
            Box::new(move || {
                pieces(
                    two(Duration::ZERO)
                        .into_iter()
                        .chain(two(Duration::from_secs(60)))
                        .skip(1),
                    false,
                )
            }),
        ),
        (
            "an error of its own",
            "c",
            Box::new(move || {
                pieces(
                    two(Duration::ZERO).into_iter().chain([
                        (
                            Duration::ZERO,
                            event("{\"error\":{\"message\":\"m\",\"type\":\"t\",\"code\":\"c\"}}"),
                        ),
                        (Duration::ZERO, event("[DONE]")),
                    ]),
                    false,
                )
            }),
        ),
        (
            "no event at all after the first",
            "upstream_error",
            Box::new(move || pieces(two(Duration::ZERO).into_iter().take(1), true)),
        ),
    ];
    let codes = broken.each_ref().map(|(what, code, _)| (*what, *code));
    let llms = dear_answers(move |_, request| broken[number(request)].2());
    let more = "[log]\npath = \"log.jsonl\"\n[forward]\nstall-seconds = 0.3";
    let serve = llms.serve(0.0, more);
    for (idx, (what, code)) in codes.into_iter().enumerate() {
        let mut body = stream("carrot", FOR_DEAR);
        body["seed"] = json!(idx);
        let reply = serve.post(CHAT, &body);
        assert_eq!(reply.status, 200);
        let events = reply.events();
        let last: Value = serde_json::from_str(events.last().expect("events")).expect("JSON");
        assert_eq!(last["error"]["code"], code, "{what}: {events:?}");
        assert!(last["error"]["message"].is_string() && last["error"]["type"].is_string());
        assert!(!reply.text().contains("[DONE]"), "{what}");
        assert!(reply.is_whole, "{what}");
        assert!(
            reply.text().ends_with("\n\n") && !reply.text().contains("\"cho\n"),
            "{what}"
        );
        // Nothing was asked again once a byte was on its way.
        assert_eq!(llms.server.n_requests(), idx + 1, "{what}");
        let outcome = if code == "upstream_timeout" {
            "timed_out"
        } else {
            "cut"
        };
        assert_eq!(serve.log()[idx]["outcome"], outcome, "{what}");
    }
}

#[test]
fn events_and_comments_go_through_as_they_come() {
    let wait = Duration::from_millis(150);
    let llms = Llms::start(move |model, _| {
        let keep = (wait, b": keep-alive\n\n".to_vec());
        let all = [
            (Duration::ZERO, event(&chunk(model, "a", ""))),
            keep,
            (wait, event(&chunk(model, "b", ""))),
            (Duration::ZERO, event("[DONE]")),
        ];
        pieces(all, false)
    });
    let serve = llms.serve(0.0, "");
    let mut client = serve.client();
    let began = Instant::now();
    client.send(
        "POST",
        CHAT,
        &[],
        stream("carrot", FOR_DEAR).to_string().as_bytes(),
    );
    let head = client.head().expect("an answer");
    assert_eq!(head.header("x-carrot-model"), Some("owner/dear"));
    assert_eq!(head.status, 200);
    let mut found = Vec::new();
    while let Some(chunk) = client.chunk().expect("a whole stream") {
        found.push((began.elapsed(), String::from_utf8(chunk).expect("text")));
    }
    let text: String = found.iter().map(|(_, text)| text.as_str()).collect();
    let expected = format!(
        "data: {}\n\n: keep-alive\n\ndata: {}\n\ndata: [DONE]\n\n",
        chunk("up-owner/dear", "a", ""),
        chunk("up-owner/dear", "b", "")
    );
    assert_eq!(text, expected);
    assert!(
        found[0].0 + Duration::from_millis(100) < found[1].0,
        "{found:?}"
    );
    assert!(
        found[1].0 + Duration::from_millis(100) < found[2].0,
        "{found:?}"
    );
}

#[test]
fn a_client_that_leaves_takes_its_upstream_request_along() {
    let llms = Llms::start(|model, request| {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        if body["stream"] == true {
            let first = (Duration::ZERO, event(&chunk(model, "a", "")));
            return pieces([first, (Duration::from_secs(60), event("[DONE]"))], false);
        }
        Answer {
            body: Body::Hold,
            ..Answer::new(200, "")
        }
    });
    let serve = llms.serve(0.0, "[log]\npath = \"log.jsonl\"");
    for (n, body) in [
        chat("carrot", FOR_DEAR),
        stream("carrot", FOR_DEAR),
        chat("twin", "x"),
    ]
    .iter()
    .enumerate()
    {
        let mut client = serve.client();
        client.send("POST", CHAT, &[], body.to_string().as_bytes());
        if body["stream"] == true {
            client.head().expect("a head");
            client.chunk().expect("a stream").expect("an event");
        } else {
            while llms.server.n_requests() <= n {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        let left = Instant::now();
        drop(client);
        assert_eq!(
            llms.server.wait_for_left(n + 1, Duration::from_secs(5)),
            n + 1
        );
        assert!(
            left.elapsed() < Duration::from_millis(100),
            "{:?}",
            left.elapsed()
        );
    }
    let outcomes: Vec<Value> = serve
        .log()
        .iter()
        .map(|line| line["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["client_gone"; 3]);
}

#[test]
fn costs_are_actual_where_usage_is_there_and_labelled_where_it_is_not() {
    let llms = Llms::start(|model, request| {
        let body: Value = serde_json::from_slice(&request.body).expect("JSON");
        // Never asked for on the client's behalf.
        let with_usage = body["stream_options"]["include_usage"] == true;
        if body["stream"] != true {
            return json_answer(200, &completion(model));
        }
        let usage = ",\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":100,\"prompt_tokens_details\":{\"cached_tokens\":400}}";
        let text = "four".repeat(10);
        let last = chunk(model, &text, if with_usage { usage } else { "" });
        events(&[last], &["[DONE]".to_owned()])
    });
    let serve = llms.serve(0.0, "[log]\npath = \"log.jsonl\"");
    let mut asks_usage = stream("owner/dear", "x");
    asks_usage["stream_options"] = json!({"include_usage": true});
    for body in [
        chat("owner/dear", "x"),
        asks_usage,
        stream("owner/dear", "x"),
    ] {
        assert_eq!(serve.post(CHAT, &body).status, 200);
    }
    let log = serve.log();
    let sources: Vec<&Value> = log.iter().map(|line| &line["usage"]["source"]).collect();
    assert_eq!(sources, ["actual", "actual", "estimated"]);
    assert_eq!(log[1]["usage"]["cached_tokens"], 400);
    assert_eq!(log[2]["usage"]["output_tokens"], 10);
    let costs: Vec<f64> = log
        .iter()
        .map(|line| line["cost_usd"].as_f64().expect("known"))
        .collect();
    // 1,000 at 10 $ and 100 at 20 $ per million.
    assert!(
        costs[..2].iter().all(|cost| (cost - 0.012).abs() < 1e-12),
        "{costs:?}"
    );
    assert!(!llms.bodies()[2].contains("stream_options"));
    let total = serve.metric("carrot_actual_cost_usd_total{model=\"owner/dear\"}");
    assert!((total - costs.iter().sum::<f64>()).abs() < 1e-9, "{total}");
}

#[test]
fn a_session_keeps_its_llm_until_another_is_worth_a_cold_cache() {
    let more = "[sessions]\ncached-discount = 1.0\n[log]\npath = \"log.jsonl\"";
    let llms = Llms::good();
    let serve = llms.serve(0.1, more);
    let ask = |session: Option<&str>, body: &Value| {
        let session = session.map(|it| ("x-session-id", it));
        let headers: Vec<(&str, &str)> = session.into_iter().collect();
        let reply = serve
            .client()
            .ask("POST", CHAT, &headers, body.to_string().as_bytes());
        reply.header("x-carrot-model").expect("an LLM").to_owned()
    };
    let short = chat("carrot", FOR_DEAR);
    // With 2,000 tokens of context the dear LLM's utility is 0.02 below the cheap one's, and a cold cache of 1,100 tokens costs 0.11.
    let mut long = short.clone();
    let system = json!({"role": "system", "content": "word ".repeat(2_000)});
    long["messages"]
        .as_array_mut()
        .expect("a list")
        .insert(0, system);
    assert_eq!(ask(Some("a"), &short), "owner/dear");
    assert_eq!(ask(Some("a"), &long), "owner/dear");
    assert_eq!(ask(Some("b"), &long), "cheap");
    assert_eq!(ask(None, &long), "cheap");
    // Another one's gain is 0.45 here.
    assert_eq!(ask(Some("a"), &chat("carrot", FOR_CHEAP)), "cheap");
    let kept: Vec<bool> = serve
        .log()
        .iter()
        .map(|line| line["kept_by_session"] == true)
        .collect();
    assert_eq!(kept, [false, true, false, false, false]);
}
