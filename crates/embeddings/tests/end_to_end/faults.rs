//! What goes wrong on the way: what is tried again, what ends the run, and what the error says.
use std::{error::Error as _, time::Duration};

use crate::support::{DIM, KEY, MODEL, client, endpoint, limits, server, store, texts};
use embeddings::{Client, Embedded, Endpoint, Error, Limits, Model, Progress, Store};
use test_support::{EmbeddingFault, OpenAi, assert_contains};

fn silent(_: Progress) {}

fn embed(server: &OpenAi, limits: Limits, store: &Store) -> embeddings::Result<Embedded> {
    client(server, limits).embed(store, &texts(10), &silent)
}

/// An error with its causes, as a binary prints it, and as a log may.
fn everything(error: &Error) -> String {
    let mut all = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        all += &format!(": {cause} {cause:?}");
        source = cause.source();
    }
    all
}

#[test]
fn what_may_pass_is_tried_again() {
    let check = |fault: EmbeddingFault, case: &str| {
        // The first request fails twice, and one in the middle once.
        let script = move |number| [0, 1, 3].contains(&number).then(|| fault.clone());
        let server = server().fault(script);
        let (_dir, store) = store();
        let limits = Limits {
            timeout: Duration::from_millis(400),
            ..limits()
        };
        let embedded = embed(&server, limits, &store).expect(case);
        for (row, text) in embedded.values.rows().into_iter().zip(texts(10)) {
            assert_eq!(row.to_vec(), OpenAi::vector(&text, DIM), "{case}");
        }
        // What takes too long twice is asked for in halves.
        let is_late = case.starts_with("too");
        let counts = (embedded.usage.n_retries, embedded.usage.n_requests);
        assert!(counts == (3, 3) || is_late, "{case}: {counts:?}");
    };
    for status in [429, 408, 409, 502, 503, 529] {
        check(
            EmbeddingFault::refusal(status, "not now"),
            &status.to_string(),
        );
    }
    let limited = EmbeddingFault::refusal(429, "slow down");
    check(
        limited.clone().with_code("rate_limit_exceeded"),
        "rate limit",
    );
    check(
        limited.clone().with_header("retry-after", "2"),
        "retry-after",
    );
    check(
        limited.with_header("retry-after-ms", "1500"),
        "retry-after-ms",
    );
    check(EmbeddingFault::Hangup, "hangup");
    check(EmbeddingFault::Cut(0), "no body");
    check(EmbeddingFault::Cut(70), "half a body");
    check(EmbeddingFault::Late(Duration::from_secs(1)), "too late");
    check(EmbeddingFault::Slow(Duration::from_secs(1)), "too slow");
    check(
        EmbeddingFault::Garbage(r#"{"data":[{"index":0,"#.to_owned()),
        "cut before it was sent",
    );
}

#[test]
fn what_never_passes_ends_the_run_after_the_last_attempt() {
    let check = |fault: EmbeddingFault, expected: &[&str]| {
        let server = server().fault(move |_| Some(fault.clone()));
        let (_dir, store) = store();
        let limits = Limits {
            max_in_flight: 1,
            ..limits()
        };
        let error = embed(&server, limits, &store).unwrap_err();
        let message = error.to_string();
        for part in expected {
            assert!(message.contains(part), "{message} lacks {part}");
        }
        assert_eq!(server.n_requests(), 4, "{message}");
        assert!(!everything(&error).contains(KEY));
    };
    let name = "request 1 of 3 (texts 1 to 4)";
    let refusal = |status| EmbeddingFault::refusal(status, "come back later, {authorization}");
    check(
        refusal(503),
        &[name, "4 times", "503", "come back later, Bearer ***"],
    );
    check(refusal(429), &[name, "4 times", "429"]);
    check(EmbeddingFault::Hangup, &[name, "4 times"]);
    check(EmbeddingFault::Cut(50), &[name, "4 times"]);
}

#[test]
fn what_cannot_pass_ends_the_run_at_once() {
    let check = |fault: EmbeddingFault, n_requests: usize, expected: &[&str]| {
        let server = server().fault(move |_| Some(fault.clone()));
        let (_dir, store) = store();
        let error = embed(&server, limits(), &store).unwrap_err();
        let message = error.to_string();
        for part in expected {
            assert!(message.contains(part), "{message} lacks {part}");
        }
        assert_eq!(server.n_requests(), n_requests, "{message}");
        assert_eq!(store.n_vectors().unwrap(), 0, "{message}");
        assert!(!everything(&error).contains(KEY), "{message}");
    };
    let name = "request 1 of 3 (texts 1 to 4)";
    for status in [401, 403, 404] {
        let refusal = EmbeddingFault::refusal(status, "You sent\n{authorization}.");
        check(
            refusal,
            1,
            &[name, &status.to_string(), "You sent Bearer ***"],
        );
    }
    // In three forms, and then a single text.
    for status in [400, 413, 422] {
        let refusal = EmbeddingFault::refusal(status, "You sent\n{authorization}.");
        let name = "request 1 of 3 (texts 1 to 1)";
        check(
            refusal,
            4,
            &[name, &status.to_string(), "You sent Bearer ***"],
        );
    }
    let quota = EmbeddingFault::refusal(429, "You exceeded your quota.");
    check(
        quota.with_code("insufficient_quota"),
        1,
        &[name, "quota", "You exceeded"],
    );
    let day = EmbeddingFault::refusal(429, "Daily limit").with_header("retry-after", 86_400);
    check(day, 1, &[name, "86400 s", "600 s", "Daily limit"]);
    let moved =
        EmbeddingFault::refusal(307, "").with_header("location", "http://me:pw@h/k3y/embeddings");
    check(moved, 1, &[name, "307", "http://h/***/embeddings"]);

    check(
        EmbeddingFault::OneLess,
        1,
        &[name, "3 embeddings for 4 texts"],
    );
    check(
        EmbeddingFault::OneMore,
        1,
        &[name, "5 embeddings for 4 texts"],
    );
    check(
        EmbeddingFault::SameIndex,
        1,
        &[name, "duplicate index 0 (from 0)"],
    );
    check(EmbeddingFault::IndexTooLarge, 1, &[name, "index 4"]);
    check(
        EmbeddingFault::ShortVector,
        1,
        &[name, "23 values, expected 24"],
    );
    check(
        EmbeddingFault::Garbage("<html>Welcome</html>".to_owned()),
        1,
        &[name, "not an embeddings answer", "web page"],
    );
    let echo = format!(r#"{{"data":"{KEY}"}}"#);
    check(EmbeddingFault::Garbage(echo), 1, &[name, "***"]);
}

#[test]
fn a_wrong_key_is_told_without_it() {
    let server = OpenAi::start().model(MODEL, DIM).key("sk-other");
    let (_dir, store) = store();
    let error = embed(&server, limits(), &store).unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 401, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("Incorrect API key provided"));
    assert!(!everything(&error).contains(KEY));
}

#[test]
fn lengths_that_differ_between_answers_or_from_the_store_are_refused() {
    let fault = |number| (number == 1).then_some(EmbeddingFault::Dimension(5));
    let server = server().fault(fault);
    let (_dir, store) = store();
    let limits = Limits {
        max_in_flight: 1,
        ..limits()
    };
    let error = embed(&server, limits.clone(), &store).unwrap_err();
    let message = error.to_string();
    assert_contains(&message, "request 2 of 3 (texts 5 to 8)");
    assert!(
        message.contains("5 values") && message.contains("24"),
        "{message}"
    );
    // The answers before and after it are paid for, and kept; the wrong one is not.
    assert!([4, 6].contains(&store.n_vectors().unwrap()));

    embed(&server, limits, &store).unwrap();

    let server = crate::support::server().fault(|_| Some(EmbeddingFault::Dimension(5)));
    let (_dir, store) = crate::support::store();
    let model = Model {
        dimensions: Some(8),
        ..Model::named(MODEL)
    };
    let client = Client::new(endpoint(&server), model, crate::support::limits()).unwrap();
    let error = client.embed(&store, &["x"], &silent).unwrap_err();
    assert!(
        error.to_string().contains("5 values, expected 8"),
        "{error}"
    );
}

#[test]
fn all_that_a_client_brings_has_one_length() {
    let server = server().fault(|number| (number == 1).then_some(EmbeddingFault::Dimension(5)));
    let (_dir, store) = store();
    let client = client(&server, limits());
    client.embed(&store, &["train"], &silent).unwrap();
    let error = client.embed(&store, &["test"], &silent).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("5 values") && message.contains("24"),
        "{message}"
    );
    assert!(client.expect_dim(DIM) && !client.expect_dim(5));

    let other = crate::support::client(&server, limits());
    assert!(other.expect_dim(5));
    // From the store, too.
    let error = other.embed(&store, &["train"], &silent).unwrap_err();
    assert_contains(&error.to_string(), "24 values");
}

/// What was under way when the run ended is paid for.
#[test]
fn requests_under_way_are_kept_when_another_fails() {
    let server = server().fault(|number| match number {
        1 => Some(EmbeddingFault::refusal(404, "no")),
        2.. => Some(EmbeddingFault::Late(Duration::from_millis(200))),
        0 => None,
    });
    let (_dir, store) = store();
    let error = embed(&server, limits(), &store).unwrap_err();
    assert!(
        matches!(error, Error::Refused { status: 404, .. }),
        "{error}"
    );
    let n_answered: usize = server
        .asked()
        .iter()
        .filter(|asked| asked.status == 200)
        .map(|asked| asked.texts.len())
        .sum();
    assert_eq!(store.n_vectors().unwrap(), n_answered as u64);
    assert!(n_answered >= 4, "{n_answered}");
}

#[test]
fn a_client_serves_again_after_an_error() {
    let server = server().faults([EmbeddingFault::refusal(404, "no")]);
    let (_dir, store) = store();
    let client = client(&server, limits());
    client.embed(&store, &texts(10), &silent).unwrap_err();
    client.embed(&store, &texts(10), &silent).unwrap();
}

#[test]
fn a_server_that_is_not_there_is_named_without_secrets() {
    let server = server();
    let address = endpoint(&server);
    drop(server);
    let (_dir, store) = store();
    let client = Client::new(address, Model::named(MODEL), limits()).unwrap();
    let error = client.embed(&store, &texts(1), &silent).unwrap_err();
    assert!(
        matches!(error, Error::Broken { n_attempts: 4, .. }),
        "{error}"
    );
    assert!(!everything(&error).contains(KEY));
}

#[test]
fn useless_settings_are_refused_before_anything_is_sent() {
    let good = Endpoint::at("http://localhost/v1");
    let model = Model::named("");
    assert!(Client::new(good.clone(), model, limits()).is_err());
    let none = Limits {
        max_in_flight: 0,
        ..limits()
    };
    assert!(Client::new(good.clone(), Model::named(MODEL), none).is_err());
    assert!(Client::new(Endpoint::at("nowhere"), Model::named(MODEL), limits()).is_err());
}

/// Real waits: the bucket holds 6,000 tokens, 6,250 are asked for, and 100 come back each second.
#[test]
fn rate_limits_are_met_without_being_overrun() {
    let server = server().rate_limits(60_000, 6_000).count_tokens(|_| 125);
    let (_dir, store) = store();
    let mut limits = limits();
    limits.retry = Limits::openai().retry;
    let client = client(&server, limits);
    client.embed(&store, &texts(50), &silent).unwrap();
    let (n_tokens, n_limited) = server.totals();
    assert_eq!(n_tokens, 50 * 125);
    assert!(n_limited <= 1, "{n_limited}");
}
