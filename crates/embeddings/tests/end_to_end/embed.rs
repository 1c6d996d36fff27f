//! What a run asks for, in which order, and what it gives.
use std::sync::Mutex;

use crate::support::{DIM, KEY, MODEL, client, endpoint, limits, server, store, texts};
use embeddings::{Client, Endpoint, Error, Limits, Model, Progress};
use test_support::{EmbeddingFault, OpenAi};

fn silent(_: Progress) {}

fn assert_vectors(values: &ndarray::Array2<f32>, sent: &[impl AsRef<str>]) {
    assert_eq!(values.dim(), (sent.len(), DIM));
    for (row, text) in values.rows().into_iter().zip(sent) {
        let text = text.as_ref();
        assert_eq!(row.to_vec(), OpenAi::vector(text, DIM), "{text:?}");
    }
}

#[test]
fn each_text_gets_its_vector_whatever_the_order_of_answers() {
    let limits = Limits {
        max_in_flight: 8,
        ..limits()
    };
    // Early requests take longer, and their items come in reverse.
    let server = server().fault(|number| match number % 3 {
        0 => Some(EmbeddingFault::Late(std::time::Duration::from_millis(30))),
        1 => Some(EmbeddingFault::Reversed),
        _ => None,
    });
    let (_dir, store) = store();
    let texts = texts(50);
    let embedded = client(&server, limits)
        .embed(&store, &texts, &silent)
        .unwrap();
    assert_vectors(&embedded.values, &texts);
    assert_eq!(embedded.usage.n_requests, 13);
    assert_eq!(server.n_requests(), 13);
}

#[test]
fn copies_and_empty_texts_are_asked_for_once() {
    let server = server().count_tokens(|_| 5);
    let (_dir, store) = store();
    let texts = ["b", "", "a", "b", " ", "\t", "a", "", "b"];
    let client = client(&server, limits());
    let plan = client.plan(&store, &texts).unwrap();
    let counts = (plan.n_texts, plan.n_distinct, plan.n_empty, plan.n_cached);
    assert_eq!(counts, (9, 4, 2, 0));
    assert_eq!(server.n_requests(), 0, "a plan sends nothing");

    let embedded = client.embed(&store, &texts, &silent).unwrap();
    let sent = texts.map(|text| if text.is_empty() { " " } else { text });
    assert_vectors(&embedded.values, &sent);
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].texts, ["b", " ", "a", "\t"]);
    // What is billed is the server's count, not ours.
    assert_eq!((embedded.plan.n_tokens, embedded.usage.n_tokens), (4, 20));
    assert_eq!(embedded.usage.usd, Some(20.0 * 0.02 / 1e6));

    let again = client.embed(&store, &texts, &silent).unwrap();
    assert_eq!(again.values, embedded.values);
    assert_eq!((again.plan.n_cached, again.usage.n_tokens), (4, 0));
    assert_eq!(server.n_requests(), 1);
}

#[test]
fn the_same_texts_make_the_same_requests() {
    let run = || {
        let server = server();
        let (_dir, store) = store();
        let limits = Limits {
            max_tokens_per_request: 10,
            max_in_flight: 1,
            ..limits()
        };
        let client = client(&server, limits);
        client.embed(&store, &texts(20), &silent).unwrap();
        let asked = server.asked();
        asked
            .into_iter()
            .map(|asked| asked.texts)
            .collect::<Vec<_>>()
    };
    let requests = run();
    assert_eq!(requests.concat(), texts(20));
    // "text number 7" has four tokens.
    assert!(
        requests.iter().all(|texts| texts.len() == 2),
        "{requests:?}"
    );
    assert_eq!(requests, run());
}

#[test]
fn long_texts_are_cut_before_they_are_sent_and_keyed() {
    let server = server();
    let (_dir, store) = store();
    let model = Model {
        max_tokens: 3,
        ..Model::named(MODEL)
    };
    let client = Client::new(endpoint(&server), model, limits()).unwrap();
    let texts = ["one two three four", "one two three five", "one two three"];
    let embedded = client.embed(&store, &texts, &silent).unwrap();
    assert_eq!(
        (embedded.plan.n_truncated, embedded.plan.n_distinct),
        (2, 1)
    );
    assert_vectors(&embedded.values, &["one two three"; 3]);
    assert_eq!(server.asked()[0].texts, ["one two three"]);
}

#[test]
fn arrays_and_shorter_vectors_are_taken() {
    for is_arrays in [false, true] {
        let mut server = server();
        if is_arrays {
            server = server.arrays_only();
        }
        let (_dir, store) = store();
        let model = Model {
            dimensions: Some(7),
            ..Model::named(MODEL)
        };
        let client = Client::new(endpoint(&server), model, limits()).unwrap();
        let texts = texts(9);
        let embedded = client.embed(&store, &texts, &silent).unwrap();
        assert_eq!(embedded.values.dim(), (9, 7));
        for (row, text) in embedded.values.rows().into_iter().zip(&texts) {
            assert_eq!(row.to_vec(), OpenAi::vector(text, 7));
        }
        // Another length is another embedding.
        let whole = crate::support::client(&server, limits());
        assert_eq!(whole.plan(&store, &texts).unwrap().n_cached, 0);
    }
}

#[test]
fn no_texts_make_an_empty_matrix() {
    let server = server();
    let (_dir, store) = store();
    let none: [&str; 0] = [];
    let embedded = client(&server, limits())
        .embed(&store, &none, &silent)
        .unwrap();
    assert_eq!(embedded.values.dim(), (0, 1_536));
    assert_eq!(embedded.usage.usd, Some(0.0));
    assert_eq!(server.n_requests(), 0);
}

#[test]
fn progress_counts_what_is_done_and_spent() {
    let server = server();
    let (_dir, store) = store();
    let client = client(&server, limits());
    let mut texts = texts(10);
    client.embed(&store, &texts[..2], &silent).unwrap();
    texts.extend(texts.clone());
    let ticks = Mutex::new(Vec::new());
    let embedded = client
        .embed(&store, &texts, &|progress| {
            // Durable before the tick: another look at the store finds it.
            let n_vectors = store.n_vectors().unwrap();
            ticks.lock().unwrap().push((progress, n_vectors));
        })
        .unwrap();
    let ticks = ticks.into_inner().unwrap();
    let n_done: Vec<usize> = ticks.iter().map(|(tick, _)| tick.n_done).collect();
    assert_eq!(n_done, [4, 12, 20]);
    for (tick, n_vectors) in &ticks {
        assert!(2 * n_vectors >= tick.n_done as u64, "{tick:?}: {n_vectors}");
        assert_eq!((tick.n_total, tick.n_requests), (20, 2));
    }
    let (last, _) = ticks.last().unwrap();
    assert_eq!(last.tokens_done, last.tokens_total);
    assert_eq!(last.usd, embedded.usage.usd);
    assert_eq!(ticks[0].0.usd, Some(0.0));
}

#[test]
fn unknown_prices_stay_unknown() {
    let server = OpenAi::start().model("own", DIM);
    let (_dir, store) = store();
    let endpoint = Endpoint {
        api_key: None,
        organization: Some("org-7".to_owned()),
        ..endpoint(&server)
    };
    let client = Client::new(endpoint, Model::named("own"), limits()).unwrap();
    let embedded = client.embed(&store, &["x"], &|progress| assert_eq!(progress.usd, None));
    let embedded = embedded.unwrap();
    assert_eq!((embedded.plan.usd, embedded.usage.usd), (None, None));
    let json = serde_json::to_value(&embedded.plan).unwrap();
    assert!(json["usd"].is_null());
    assert_eq!(server.asked()[0].organization.as_deref(), Some("org-7"));
}

#[test]
fn openai_wants_a_key_only_when_something_is_to_be_sent() {
    let (_dir, store) = store();
    let endpoint = Endpoint::at("https://api.openai.com/v1");
    let client = Client::new(endpoint, Model::named(MODEL), limits()).unwrap();
    assert_eq!(client.plan(&store, &["x"]).unwrap().n_requests, 1);
    let error = client.embed(&store, &["x"], &silent).unwrap_err();
    assert!(matches!(error, Error::NoKey { .. }), "{error}");
    assert!(error.to_string().contains("OPENAI_API_KEY"));
    let none: [&str; 0] = [];
    client.embed(&store, &none, &silent).unwrap();
}

#[test]
fn a_client_prints_no_key() {
    let server = server();
    let client = client(&server, limits());
    let printed = format!("{client:?}");
    assert!(
        printed.contains("***") && !printed.contains(KEY),
        "{printed}"
    );
}
