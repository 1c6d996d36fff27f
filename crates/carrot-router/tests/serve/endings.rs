//! SIGTERM and SIGHUP while requests are in flight.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::world::{
    CHAT, FOR_CHEAP, FOR_DEAR, Llms, Serve, chat, chunk, event, good, pieces, stream,
};

/// LLMs that take their time.
fn slow() -> Llms {
    Llms::start(|model, request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let wait = Duration::from_millis(100);
        if body["stream"] == true {
            let all = ["a", "b", "c"].map(|text| (wait, event(&chunk(model, text, ""))));
            return pieces(all.into_iter().chain([(wait, event("[DONE]"))]), false);
        }
        let mut answer = good(model, request);
        answer.delay = wait;
        answer
    })
}

#[test]
fn all_requests_in_flight_finish_after_sigterm() {
    let llms = slow();
    let mut serve = llms.serve(0.0, "[decision]\ntimeout-seconds = 20.0\nqueue = 100");
    let is_ending = AtomicBool::new(false);
    let n_answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        for client_idx in 0..12 {
            let (serve, is_ending, n_answered) = (&serve, &is_ending, &n_answered);
            scope.spawn(move || {
                let mut client = serve.client();
                loop {
                    let body = match client_idx % 3 {
                        0 => chat("carrot", FOR_DEAR),
                        1 => stream("carrot", FOR_CHEAP),
                        _ => stream("twin", "x"),
                    };
                    // Sent before the end was announced, so that an answer is owed.
                    let is_owed = !is_ending.load(Ordering::SeqCst);
                    let sent = client.try_send("POST", CHAT, &[], body.to_string().as_bytes());
                    let reply = sent.ok().and_then(|()| client.reply());
                    match reply {
                        Some(reply) => {
                            assert_eq!(reply.status, 200, "{}", reply.text());
                            let text = reply.text();
                            assert!(
                                reply.is_whole && (text.contains("[DONE]") || text.ends_with("}}")),
                                "{text}"
                            );
                            n_answered.fetch_add(1, Ordering::Relaxed);
                            if reply.header("connection") == Some("close") {
                                return;
                            }
                        }
                        None => {
                            assert!(!is_owed, "a request in flight was lost");
                            return;
                        }
                    }
                }
            });
        }
        thread::sleep(Duration::from_millis(500));
        is_ending.store(true, Ordering::SeqCst);
        serve.signal("TERM");
    });
    assert_eq!(serve.ended(), Some(0), "{}", serve.said());
    assert!(n_answered.load(Ordering::Relaxed) >= 24, "{n_answered:?}");
    assert!(serve.said().contains("all requests were answered"));
}

#[test]
fn no_request_fails_while_the_configuration_is_read_again() {
    let llms = slow();
    let config = llms.config(
        0.0,
        "[decision]\ntimeout-seconds = 20.0\nqueue = 100\n[reload]\ncheck-seconds = 0.0",
    );
    let mut serve = Serve::start(&config, &[], &[]);
    let is_over = AtomicBool::new(false);
    let path = serve.bench.join("serve.toml");
    thread::scope(|scope| {
        for client_idx in 0..6 {
            let (address, is_over) = (serve.address.clone(), &is_over);
            scope.spawn(move || {
                let mut client = crate::client::Client::new(&address);
                while !is_over.load(Ordering::Relaxed) {
                    let body = match client_idx % 2 {
                        0 => chat("carrot", FOR_DEAR),
                        _ => stream("carrot", FOR_DEAR),
                    };
                    let reply = client.ask("POST", CHAT, &[], body.to_string().as_bytes());
                    assert_eq!(reply.status, 200, "{}", reply.text());
                }
            });
        }
        for round in 0..3 {
            let mu = if round % 2 == 0 { 1.0 } else { 0.0 };
            fs::write(&path, config.replace("mu = 0.0", &format!("mu = {mu:?}"))).expect("written");
            serve.signal("HUP");
            wait_for_reloads(&serve, round + 1);
        }
        // What cannot be used changes nothing.
        fs::write(&path, "listen = 1").expect("written");
        serve.signal("HUP");
        serve.wait_for("cannot be read again");
        is_over.store(true, Ordering::Relaxed);
    });
    let reply = serve.post(CHAT, &chat("carrot", FOR_DEAR));
    assert_eq!(
        reply.header("x-carrot-model"),
        Some("cheap"),
        "mu is 1 since the last round"
    );
}

#[test]
fn a_changed_file_is_read_again_without_a_signal() {
    let llms = Llms::good();
    let config = llms.config(0.0, "[reload]\ncheck-seconds = 0.1");
    let serve = Serve::start(&config, &[], &[]);
    serve
        .bench
        .write("serve.toml", config.replace("mu = 0.0", "mu = 1.0"));
    wait_for_reloads(&serve, 1);
    let reply = serve.post(CHAT, &chat("carrot", FOR_DEAR));
    assert_eq!(reply.header("x-carrot-model"), Some("cheap"));
}

#[test]
fn a_router_that_stays_is_not_read_again() {
    let llms = Llms::good();
    let config = llms.config(0.0, "[reload]\ncheck-seconds = 0.0");
    let serve = Serve::start(&config, &[], &[]);
    // Without its embedder the router could not be opened.
    let embedder = serve.bench.join("models/tiny-bert");
    fs::rename(&embedder, serve.bench.join("models/away")).expect("renamed");
    serve
        .bench
        .write("serve.toml", config.replace("mu = 0.0", "mu = 1.0"));
    serve.signal("HUP");
    wait_for_reloads(&serve, 1);
    let reply = serve.post(CHAT, &chat("carrot", FOR_DEAR));
    assert_eq!(reply.header("x-carrot-model"), Some("cheap"));
}

fn wait_for_reloads(serve: &Serve, n: usize) {
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while serve
        .said()
        .matches("the configuration was read again")
        .count()
        < n
    {
        assert!(std::time::Instant::now() < end, "{}", serve.said());
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_dry_run_prints_the_pool_and_bad_files_are_refused_by_name() {
    let llms = Llms::good();
    let bench = crate::bench::Tiny::new(dataset::CostKind::OutputTokens);
    bench.write("serve.toml", llms.config(0.25, ""));
    let output = bench.succeed(&["serve", "--config", "serve.toml", "--dry-run"]);
    let text = test_support::stdout(&output);
    for part in [
        "owner/dear",
        "up-twin",
        "by name",
        "mu             0.25",
        "default model  cheap",
    ] {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
    assert_eq!(llms.server.n_requests(), 0);
    let check = |from: &str, to: &str, code: i32, part: &str| {
        let config = llms.config(0.25, "");
        assert!(config.contains(from), "{from}");
        bench.write("bad.toml", config.replace(from, to));
        bench.refuse(&["serve", "--config", "bad.toml", "--dry-run"], code, part);
    };
    check("mu = 0.25", "mu = 7", 1, "`router.mu`");
    check(
        "name = \"cheap\"",
        "name = \"carrot\"",
        1,
        "stands for the router",
    );
    check(
        "formats",
        "api-key-env = \"NO_SUCH_KEY\"\nformats",
        1,
        "`NO_SUCH_KEY`",
    );
    check("carrot-knn\"", "nothing\"", 1, "cannot open the router");
    check("mu = 0.25", "calibration = \"none\"", 1, "calibration");
    bench.refuse(
        &["serve", "--config", "none.toml"],
        1,
        "cannot read `none.toml`",
    );
    bench.refuse(
        &["serve", "--config", "serve.toml", "--explore", "2"],
        2,
        "from 0 to 1",
    );
}
