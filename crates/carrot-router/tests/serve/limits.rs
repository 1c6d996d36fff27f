//! Who may ask, how much, and at which price.

use std::{
    process::{ExitStatus, Output},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

use serde_json::json;
use test_support::Planted;

use crate::world::{CHAT, FOR_DEAR, Llms, Serve, chat, good, json_answer};

#[test]
fn only_holders_of_a_key_are_answered() {
    let llms = Llms::good();
    let config = llms.config(0.0, "[keys]\nenv = \"OURS\"");
    let serve = Serve::start(&config, &[], &[("OURS", "sk-one-secret, sk-two-secret")]);
    let body = chat("cheap", "x").to_string();
    let ask = |path: &str, headers: &[(&str, &str)]| {
        let method = if path == CHAT { "POST" } else { "GET" };
        serve.client().ask(method, path, headers, body.as_bytes())
    };
    for headers in [
        &[("authorization", "Bearer sk-two-secret")],
        &[("x-api-key", "sk-one-secret")],
    ] {
        assert_eq!(ask(CHAT, headers).status, 200);
    }
    for headers in [
        &[][..],
        &[("authorization", "Bearer sk-three")],
        &[("authorization", "sk-one-secret")],
    ] {
        for path in [CHAT, "/v1/models", "/metrics", "/stats"] {
            let reply = ask(path, headers);
            assert_eq!(
                (reply.status, reply.error_code().as_str()),
                (401, "invalid_api_key"),
                "{path}"
            );
        }
    }
    assert_eq!(ask("/health", &[]).status, 200);
    assert_eq!(llms.server.n_requests(), 2);
    assert!(!serve.said().contains("secret"));
}

/// What must be in no log, whatever is logged.
const PLANTED: Planted = Planted(&[
    "sk-planted-upstream",
    "sk-planted-client",
    "planted-prompt",
    "planted-answer",
    "planted-system",
]);

#[test]
fn no_key_and_no_prompt_is_in_any_log() {
    let llms = Llms::start(|model, _| match model {
        "up-owner/dear" => json_answer(500, "{\"error\":{\"message\":\"planted-answer\"}}"),
        _ => json_answer(
            200,
            "{\"choices\":[{\"message\":{\"content\":\"planted-answer\"}}]}",
        ),
    });
    let config = llms.config(0.0, "[log]\npath = \"log.jsonl\"");
    for (setting, level) in [
        ("api-key-env = \"UP_KEY\"", "trace"),
        ("forward-key = true", "debug"),
    ] {
        let config = config.replace("formats =", &format!("{setting}\nformats ="));
        let variables = [("UP_KEY", "sk-planted-upstream"), ("CARROT_LOG", level)];
        let mut serve = Serve::start(&config, &[], &variables);
        let system = json!({"role": "system", "content": "planted-system"});
        let user = json!({"role": "user", "content": format!("{FOR_DEAR} planted-prompt")});
        let good = json!({"model": "carrot", "messages": [system, user]}).to_string();
        for body in [
            good.as_str(),
            "{\"planted-prompt\":",
            "{\"model\":\"planted-prompt\"}",
        ] {
            let headers = [("authorization", "Bearer sk-planted-client")];
            serve.client().ask("POST", CHAT, &headers, body.as_bytes());
        }
        assert_eq!(serve.stop(), Some(0));
        let output = Output {
            status: ExitStatus::default(),
            stdout: Vec::new(),
            stderr: serve.said().into_bytes(),
        };
        // The log has the name that was asked for as a model.
        let log = serve.bench.join("log.jsonl");
        let text = std::fs::read_to_string(&log).expect("the log");
        let requested = "\"requested\":\"planted-prompt\"";
        assert!(
            text.contains(requested) && text.contains("prompt_sha256"),
            "{text}"
        );
        std::fs::write(&log, text.replace(requested, "")).expect("written");
        PLANTED.assert_hidden(&serve.bench, &output, level);
    }
}

#[test]
fn bodies_have_a_largest_size_and_a_longest_time() {
    let llms = Llms::good();
    let serve = llms.serve(
        0.0,
        "[limits]\nmax-body-mib = 1\nbody-seconds = 0.3\nhead-seconds = 0.5",
    );
    let reply = serve.post(CHAT, &chat("cheap", &"x".repeat(1 << 20)));
    assert_eq!(
        (reply.status, reply.error_code().as_str()),
        (413, "request_too_large")
    );
    // Less comes than was promised.
    let mut client = serve.client();
    let length = [("content-length", "1000")];
    client.send("POST", CHAT, &length[..0], b"");
    drop(client);
    let mut stream = std::net::TcpStream::connect(&serve.address).expect("connected");
    std::io::Write::write_all(
        &mut stream,
        format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{{").as_bytes(),
    )
    .expect("sent");
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).expect("read");
    assert!(
        answer.starts_with("HTTP/1.1 408") && answer.contains("request_timeout"),
        "{answer}"
    );
    // A head that never ends.
    let mut stream = std::net::TcpStream::connect(&serve.address).expect("connected");
    std::io::Write::write_all(&mut stream, b"POST / HTTP/1.1\r\nhost:").expect("sent");
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("set");
    assert_eq!(
        std::io::Read::read(&mut stream, &mut [0; 64]).unwrap_or(0),
        0
    );
    assert_eq!(llms.server.n_requests(), 0);
}

#[test]
fn requests_wait_in_a_bounded_queue() {
    // Nobody is answered before the gate opens.
    let gate: Arc<(Mutex<bool>, Condvar)> = Arc::default();
    let shut = Arc::clone(&gate);
    let llms = Llms::start(move |model, request| {
        let open = shut.0.lock().expect("a gate");
        drop(shut.1.wait_while(open, |open| !*open).expect("a gate"));
        good(model, request)
    });
    let more = "[limits]\nmax-in-flight = 2\nqueue = 1\nqueue-seconds = 20.0";
    let serve = llms.serve(0.0, more);
    let statuses = thread::scope(|scope| {
        let asking: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| serve.post(CHAT, &chat("cheap", "x")).status))
            .collect();
        // Two are worked on, and the third waits; the fourth is told to come back.
        while llms.server.n_requests() < 2 {
            thread::sleep(Duration::from_millis(2));
        }
        let refused = loop {
            let reply = serve.post_quickly(CHAT, &chat("cheap", "x"));
            match reply {
                Some(reply) => break reply,
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        assert_eq!(
            (refused.status, refused.error_code().as_str()),
            (429, "rate_limit_exceeded")
        );
        assert_eq!(refused.header("retry-after"), Some("1"));
        *gate.0.lock().expect("a gate") = true;
        gate.1.notify_all();
        asking
            .into_iter()
            .map(|it| it.join().expect("asked"))
            .collect::<Vec<_>>()
    });
    assert!(
        statuses.iter().filter(|status| **status == 200).count() >= 2,
        "{statuses:?}"
    );
}

#[test]
fn what_may_be_spent_has_an_end_which_a_restart_does_not_move() {
    let llms = Llms::good();
    // Each answer costs 0.012 $ of the dear LLM. Of a request for one LLM only the input is known before, so that the last one may pass the cap.
    let caps = "[caps]\nusd-per-day = 0.05\nfile = \"spent.json\"\n[log]\npath = \"log.jsonl\"";
    let config = llms.config(0.0, caps);
    let mut serve = Serve::start(&config, &[], &[]);
    let mut n_answered = 0;
    let refused = loop {
        let reply = serve.post(CHAT, &chat("owner/dear", FOR_DEAR));
        if reply.status != 200 {
            break reply;
        }
        n_answered += 1;
        assert!(n_answered < 10);
    };
    assert_eq!(n_answered, 5);
    assert_eq!(
        (refused.status, refused.error_code().as_str()),
        (429, "spend_cap_reached")
    );
    assert!(refused.header("retry-after").is_some());
    // Routed requests go to whoever is left.
    let mut config = config.replace("usd-per-day = 0.05", "usd-per-day = 5.0");
    config = config.replace(
        "model = \"up-owner/dear\"",
        "model = \"up-owner/dear\"\nusd-per-day = 0.05",
    );
    serve.signal("KILL");
    _ = serve.ended();
    let bench = std::mem::replace(&mut serve.bench, crate::bench::Tiny::empty());
    drop(serve);
    let serve = Serve::start_in(bench, &config, &[], &[]);
    let reply = serve.post(CHAT, &chat("owner/dear", FOR_DEAR));
    assert_eq!(reply.error_code(), "spend_cap_reached", "after a kill");
    let reply = serve.post(CHAT, &chat("carrot", FOR_DEAR));
    assert_eq!(
        reply.header("x-carrot-model"),
        Some("cheap"),
        "{}",
        reply.text()
    );
    // No half line after the kill.
    assert_eq!(serve.log().len(), n_answered + 3);
}

#[test]
fn scores_come_back_for_decisions_that_were_made() {
    let llms = Llms::good();
    let serve = llms.serve(0.0, "[log]\npath = \"log.jsonl\"");
    let reply = serve.post(CHAT, &chat("carrot", FOR_DEAR));
    let id = reply
        .header("x-carrot-decision-id")
        .expect("an id")
        .to_owned();
    let give = |id: &str, score: f64| {
        serve.post("/v1/feedback", &json!({"decision_id": id, "score": score}))
    };
    assert_eq!(give(&id, 0.8).status, 200);
    assert_eq!(give("dec_0", 0.8).status, 404);
    assert_eq!(give(&id, 1.8).status, 400);
    assert!(!give(&id, 1.8).error_code().is_empty());
    let log = serve.log();
    assert_eq!(
        (log.len(), &log[1]["log"], &log[1]["score"]),
        (2, &json!("feedback"), &json!(0.8))
    );
    assert_eq!(log[0]["id"], json!(id));
}

#[test]
fn a_share_of_requests_is_drawn_with_its_probability_in_the_log() {
    let llms = Llms::good();
    let config = llms.config(
        0.0,
        "[explore]\nshare = 0.0\nseed = 7\n[log]\npath = \"log.jsonl\"",
    );
    let serve = Serve::start(&config, &["--explore", "0.6"], &[]);
    for _ in 0..60 {
        assert_eq!(serve.post(CHAT, &chat("carrot", FOR_DEAR)).status, 200);
    }
    let log = serve.log();
    let n_explored = log.iter().filter(|line| line["explored"] == true).count();
    assert!((20..55).contains(&n_explored), "{n_explored}");
    for line in &log {
        assert_eq!(
            (&line["best"], &line["explore"]),
            (&json!("owner/dear"), &json!(0.6))
        );
        assert_eq!(line["chosen"], line["served"]);
        let propensities: Vec<f64> = (line["models"].as_array().expect("a list").iter())
            .map(|it| it["propensity"].as_f64().expect("known"))
            .collect();
        for (found, expected) in propensities.iter().zip([0.6, 0.2, 0.2]) {
            assert!((found - expected).abs() < 1e-12, "{propensities:?}");
        }
    }
}
