//! Servers that speak OpenAI's protocol in their own way, as vLLM, TEI, llama.cpp, Ollama, LM Studio, LiteLLM, Azure and DashScope do.
use std::{io::Write as _, net::TcpListener, thread, time::Duration};

use crate::support::{DIM, KEY, MODEL, client, endpoint, limits, server, store, texts};
use embeddings::{
    Client, Embedded, Endpoint, Error, KeyHeader, Limits, Model, NotEmbedded, Progress, Secret,
};
use test_support::{Asked, EmbeddingFault, OpenAi, assert_contains};

fn silent(_: Progress) {}

fn assert_vectors(embedded: &Embedded, texts: &[String]) {
    for (row, text) in embedded.values.rows().into_iter().zip(texts) {
        assert_eq!(row.to_vec(), OpenAi::vector(text, DIM), "{text}");
    }
}

fn refusal(status: u16, message: &str) -> Option<EmbeddingFault> {
    Some(EmbeddingFault::refusal(status, message))
}

/// What a server with this habit makes of some texts, and how often it was asked.
fn embed(
    texts: &[String],
    limits: Limits,
    habit: impl Fn(&Asked) -> Option<EmbeddingFault> + Send + Sync + 'static,
) -> (embeddings::Result<Embedded>, OpenAi, u64) {
    let server = server().habit(habit);
    let (_dir, store) = store();
    let embedded = client(&server, limits).embed(&store, texts, &silent);
    let n_kept = store.n_vectors().expect("a store");
    (embedded, server, n_kept)
}

#[test]
fn servers_that_do_not_take_base64_are_asked_for_numbers() {
    let is_base64 = |asked: &Asked| asked.encoding_format.as_deref() == Some("base64");
    for (status, message) in [
        (400, "base64 encoding is not currently supported"),
        (422, "Input should be 'float'"),
        (400, "[] is too short - 'encoding_format'"),
        (500, "Not implemented: base64"),
        (500, "internal error"),
        (415, "no"),
    ] {
        let habit =
            move |asked: &Asked| is_base64(asked).then(|| EmbeddingFault::refusal(status, message));
        let (embedded, server, _) = embed(&texts(10), limits(), habit);
        let embedded = embedded.expect(message);
        assert_vectors(&embedded, &texts(10));
        let n_refused = if message == "internal error" { 2 } else { 1 };
        assert_eq!(server.n_requests(), 3 + n_refused, "{message}");
    }
    // LiteLLM before Ollama takes no format at all.
    let (embedded, server, _) = embed(&texts(10), limits(), |asked| {
        asked.encoding_format.as_ref()?;
        refusal(
            400,
            "litellm.UnsupportedParamsError: Setting {'encoding_format': 'base64'} is not supported by ollama",
        )
    });
    assert_vectors(&embedded.unwrap(), &texts(10));
    assert_eq!(server.n_requests(), 5);
}

/// What a client learned serves its later runs, too.
#[test]
fn requests_shrink_to_what_the_server_takes() {
    let all = texts(40);
    for (status, message) in [
        (422, "batch size 16 > maximum allowed batch size 3"),
        (413, "Payload Too Large"),
        (
            400,
            "<400> InternalError.Algo.InvalidParameter: batch size is invalid",
        ),
    ] {
        let server = server().habit(move |asked| {
            let is_large = asked.texts.len() > 3;
            is_large.then(|| EmbeddingFault::refusal(status, message))
        });
        let (_dir, store) = store();
        let limits = Limits {
            max_inputs_per_request: 16,
            ..limits()
        };
        let client = client(&server, limits);
        let embedded = client.embed(&store, &all[..32], &silent).unwrap();
        assert_vectors(&embedded, &all[..32]);
        assert_eq!(embedded.usage.max_inputs, Some(2), "{message}");
        let refused = server
            .asked()
            .iter()
            .filter(|asked| asked.status != 200)
            .count();
        // Three forms of 16, then 8 and 4.
        assert!(refused <= 6, "{refused}");
        let again = client.embed(&store, &all, &silent).unwrap();
        assert_vectors(&again, &all);
        let now = server
            .asked()
            .iter()
            .filter(|asked| asked.status != 200)
            .count();
        assert_eq!(now, refused, "nothing is found out twice");
    }
}

fn not_embedded(error: &Error) -> &[NotEmbedded] {
    match error {
        Error::NotEmbedded { texts } => texts,
        other => panic!("{other}"),
    }
}

#[test]
fn texts_that_a_server_cannot_embed_are_named_and_all_others_are_kept() {
    let mut all = texts(10);
    all[4] = "violets are blue".to_owned();
    all[8] = "violets again".to_owned();
    let n_violets = |asked: &Asked| {
        asked
            .texts
            .iter()
            .filter(|text| text.contains("violet"))
            .count()
    };
    for (status, message) in [
        (
            500,
            "failed to encode response: json: unsupported value: NaN",
        ),
        (
            500,
            "input (596 tokens) is too large to process. increase the physical batch size",
        ),
        (413, "`inputs` must have less than 512 tokens. Given: 700"),
        (400, "the input length exceeds the context length"),
        (422, "no"),
    ] {
        let habit = move |asked: &Asked| {
            (n_violets(asked) > 0).then(|| EmbeddingFault::refusal(status, message))
        };
        let (embedded, _, n_kept) = embed(&all, limits(), habit);
        let error = embedded.unwrap_err();
        let rows: Vec<usize> = not_embedded(&error).iter().map(|text| text.row).collect();
        assert_eq!(rows, [5, 9], "{message}");
        assert_eq!(n_kept, 8, "{message}");
        assert_contains(&error.to_string(), message);
    }
    for (value, problem) in [
        (0.0, "nothing but zeros"),
        (f32::NAN, "NaN"),
        (f32::INFINITY, "inf"),
    ] {
        let habit = move |_: &Asked| {
            let word = "violet".to_owned();
            Some(EmbeddingFault::Unusable { word, value })
        };
        let (embedded, server, n_kept) = embed(&all, limits(), habit);
        let error = embedded.unwrap_err();
        assert_eq!(not_embedded(&error).len(), 2, "{problem}");
        assert_contains(&error.to_string(), problem);
        assert_eq!(n_kept, 8);
        // Each twice, and nothing else.
        assert_eq!(server.n_requests(), 3 + 2, "{problem}");
    }
}

#[test]
fn a_server_that_sends_only_zeros_is_not_asked_for_everything() {
    let habit = |_: &Asked| {
        Some(EmbeddingFault::Unusable {
            word: String::new(),
            value: 0.0,
        })
    };
    let (embedded, server, n_kept) = embed(&texts(100), limits(), habit);
    let error = embedded.unwrap_err();
    assert_contains(&error.to_string(), "zeros");
    assert_eq!((server.n_requests(), n_kept), (2, 0));
}

#[test]
fn a_server_that_fails_for_good_ends_the_run_and_one_that_recovers_does_not() {
    // All requests, from the first on.
    let (embedded, server, _) = embed(&texts(100), limits(), |_| refusal(500, "down"));
    let error = embedded.unwrap_err();
    assert!(
        matches!(error, Error::Unavailable { status: 500, .. }),
        "{error}"
    );
    assert!(server.n_requests() < 20, "{}", server.n_requests());
    // After the first answer.
    let (embedded, server, n_kept) = embed(&texts(100), limits(), |asked| {
        if asked.number == 0 {
            None
        } else {
            refusal(500, "down")
        }
    });
    let error = embedded.unwrap_err();
    assert!(
        matches!(error, Error::Unavailable { status: 500, .. }),
        "{error}"
    );
    assert!(server.n_requests() < 80, "{}", server.n_requests());
    assert_eq!(n_kept, 4);
    // For a while.
    let (embedded, ..) = embed(&texts(100), limits(), |asked| {
        if (5..9).contains(&asked.number) {
            refusal(500, "down")
        } else {
            None
        }
    });
    assert_vectors(&embedded.unwrap(), &texts(100));
}

#[test]
fn errors_with_status_200_are_shown() {
    for (body, expected) in [
        (
            r#"{"error":{"message":"No models loaded","code":404}}"#,
            "No models loaded",
        ),
        (r#"{"error":"Model not found"}"#, "Model not found"),
        (r#"{"detail":"Not authenticated"}"#, "Not authenticated"),
        (r#"{"message":"no credits left"}"#, "no credits left"),
        (
            r#"{"object":"error","message":"too bad","data":[]}"#,
            "too bad",
        ),
        (
            r#"{"data":null,"error":{"message":"null data"}}"#,
            "null data",
        ),
    ] {
        let habit = move |_: &Asked| Some(EmbeddingFault::Garbage(body.to_owned()));
        let (embedded, server, _) = embed(&texts(3), limits(), habit);
        let message = embedded.unwrap_err().to_string();
        assert_contains(&message, expected);
        assert_eq!(server.n_requests(), 1, "{message}");
    }
    // One that passes.
    let body = r#"{"error":{"message":"Rate limited upstream","code":429}}"#;
    let (embedded, ..) = embed(&texts(3), limits(), move |asked| {
        (asked.number < 2).then(|| EmbeddingFault::Garbage(body.to_owned()))
    });
    assert_vectors(&embedded.unwrap(), &texts(3));
}

#[test]
fn a_wrong_address_is_shown_with_what_may_be_wrong() {
    let server = server();
    let (_dir, store) = store();
    let base = server.url();
    let host = base.trim_end_matches("/v1");
    for (address, parts) in [
        (
            host.to_owned(),
            vec![format!("asked `{host}/embeddings`"), "`/v1`".to_owned()],
        ),
        (
            format!("{base}/embeddings"),
            vec![
                format!("asked `{base}/embeddings/embeddings`"),
                "before `/embeddings`".to_owned(),
            ],
        ),
        (
            format!("{host}/secret-path/v1"),
            vec![format!("asked `{host}/***/v1/embeddings`")],
        ),
    ] {
        let client = Client::new(Endpoint::at(&address), Model::named(MODEL), limits()).unwrap();
        let error = client
            .embed(&store, &["x"], &silent)
            .unwrap_err()
            .to_string();
        for part in parts {
            assert_contains(&error, &part);
        }
    }
}

#[test]
fn other_forms_of_a_good_answer_are_read() {
    let faults = [
        EmbeddingFault::NoIndex,
        EmbeddingFault::Gzip,
        EmbeddingFault::Usage("null".to_owned()),
        EmbeddingFault::Usage(r#"{"prompt_tokens":7.0,"total_tokens":7.0}"#.to_owned()),
        EmbeddingFault::Usage(r#"{"prompt_tokens":"7"}"#.to_owned()),
        EmbeddingFault::Usage(r#"{"prompt_tokens":-1,"total_tokens":1e300}"#.to_owned()),
        EmbeddingFault::Usage(format!(r#"{{"prompt_tokens":{}}}"#, u64::MAX)),
        EmbeddingFault::Usage("[]".to_owned()),
        EmbeddingFault::Usage(r#""free""#.to_owned()),
    ];
    for fault in faults {
        let of_run = fault.clone();
        let (embedded, ..) = embed(&texts(10), limits(), move |_| Some(of_run.clone()));
        let embedded = embedded.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_vectors(&embedded, &texts(10));
    }
}

#[test]
fn azure_gets_the_key_in_its_own_header() {
    let server = server().habit(|asked| match asked.api_key {
        Some(_) => None,
        None => refusal(
            401,
            "Access denied due to invalid subscription key or wrong API endpoint.",
        ),
    });
    let (_dir, store) = store();
    for key_header in [KeyHeader::ApiKey, KeyHeader::Bearer] {
        let endpoint = Endpoint {
            key_header,
            ..endpoint(&server)
        };
        let client = Client::new(endpoint, Model::named(MODEL), limits()).unwrap();
        let client = client.asking_anew(true);
        assert_vectors(
            &client.embed(&store, &texts(10), &silent).unwrap(),
            &texts(10),
        );
    }
    // Three answers each; the second client had to find out once.
    assert_eq!(server.n_requests(), 7);
    assert_eq!(server.asked()[6].api_key.as_deref(), Some(KEY));
}

/// OpenAI's servers count more tokens in some texts than tiktoken does.
#[test]
fn packs_and_texts_that_the_server_counts_longer_are_made_smaller() {
    let long = "odd ".repeat(120);
    let all: Vec<String> = (0..6).map(|n| format!("{long} {n}")).collect();
    let model = Model {
        max_tokens: 100,
        ..Model::named(MODEL)
    };
    // A tenth more than we count, and no more than 100 a text and 250 a request.
    let count = |text: &str| embeddings::count_tokens(text) * 11 / 10;
    let server = server()
        .request_limits(2_048, 250)
        .count_tokens(count)
        .habit(move |asked| {
            let longest = asked.texts.iter().map(|text| count(text)).max()?;
            (longest > 100)
                .then(|| EmbeddingFault::refusal(400, "maximum context length is 100 tokens"))
        });
    let (_dir, store) = store();
    let limits = Limits {
        max_tokens_per_request: 270,
        ..limits()
    };
    let client = Client::new(endpoint(&server), model, limits).unwrap();
    let embedded = client.embed(&store, &all[..1], &silent).unwrap();
    assert_eq!(embedded.usage.n_shortened, 1);
    let again = client.embed(&store, &all[..1], &silent).unwrap();
    assert_eq!(again.usage.n_requests, 0, "paid once");

    let short: Vec<String> = (0..10)
        .map(|n| format!("{} {n}", "odd ".repeat(60)))
        .collect();
    let embedded = client.embed(&store, &short, &silent).unwrap();
    assert_vectors(&embedded, &short);
    assert_eq!(embedded.usage.n_shortened, 0);
}

#[test]
fn embeddings_of_another_server_are_not_taken_for_this_ones() {
    let (_dir, store) = store();
    let [trial, real] = [server(), server()];
    for server in [&trial, &real] {
        client(server, limits())
            .embed(&store, &texts(10), &silent)
            .unwrap();
        assert_eq!(server.n_requests(), 3);
    }
    let again = client(&real, limits());
    assert_eq!(again.plan(&store, &texts(10)).unwrap().n_cached, 10);
    let again = again.asking_anew(true);
    assert_eq!(again.plan(&store, &texts(10)).unwrap().n_cached, 0);
    again.embed(&store, &texts(10), &silent).unwrap();
    assert_eq!(real.n_requests(), 6);
    assert_eq!(store.n_vectors().unwrap(), 20);
}

/// Waits are cut short where they would be too long; what came before is kept.
#[test]
fn waits_beyond_the_limit_end_the_run() {
    let mut own = limits();
    own.retry.delays = embeddings::Delays::On;
    own.retry.max_asked_delay = Duration::from_secs(3);
    own.max_in_flight = 1;
    let day = EmbeddingFault::refusal(429, "Daily limit")
        .with_header("x-ratelimit-limit-requests", 200)
        .with_header("x-ratelimit-remaining-requests", 0)
        .with_header("x-ratelimit-reset-requests", "23h59m");
    for (fault, expected) in [
        (day, "limit of requests is used up"),
        (
            EmbeddingFault::refusal(503, "later").with_header("retry-after", 599),
            "599 s",
        ),
        (
            EmbeddingFault::refusal(503, "later").with_header("retry-after", 1e30),
            "later",
        ),
        // Each allowed, together too long.
        (
            EmbeddingFault::refusal(503, "later").with_header("retry-after", 2),
            "later",
        ),
    ] {
        let begun = std::time::Instant::now();
        let (embedded, _, n_kept) = embed(&texts(10), own.clone(), move |asked| {
            (asked.number > 0).then(|| fault.clone())
        });
        let error = embedded.unwrap_err();
        assert!(matches!(error, Error::LongWait { .. }), "{error}");
        assert_contains(&error.to_string(), expected);
        assert_eq!(n_kept, 4);
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn bytes_that_are_no_tls_and_other_certificates_are_told_apart() {
    // Whoever answers here does not speak TLS: no one is asked again and again with a hint that does not help.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            _ = stream.and_then(|mut stream| stream.write_all(b"HTTP/1.1 400 no\r\n\r\n"));
        }
    });
    let endpoint = Endpoint {
        api_key: Some(Secret::new(KEY)),
        ..Endpoint::at(&format!("https://{address}/v1"))
    };
    let (_dir, store) = store();
    let client = Client::new(endpoint, Model::named(MODEL), limits()).unwrap();
    let error = client.embed(&store, &["x"], &silent).unwrap_err();
    assert!(matches!(error, Error::Broken { .. }), "{error}");
}
