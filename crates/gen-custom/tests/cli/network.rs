//! Embedding servers behind what companies put before them: certificates of their own, proxies, paths.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::{
    Answer, Bench, Request, Server, Shown, assert_contains, authority_file, stderr,
};

use crate::bench::embed_with;

/// An embedding for each text, whatever the path.
fn answer(request: &Request) -> Answer {
    let asked: Value = serde_json::from_slice(&request.body).expect("JSON");
    let texts = asked["input"].as_array().expect("texts");
    let data: Vec<Value> = (0..texts.len())
        .map(|index| json!({"index": index, "embedding": [1.0, 0.5]}))
        .collect();
    Answer::new(200, json!({"data": data}).to_string())
}

fn bench(base_url: &str) -> Bench {
    let bench = Bench::new(env!("CARGO_BIN_EXE_gen-custom")).var("OPENAI_BASE_URL", base_url);
    let rows: Vec<String> = (0..20)
        .map(|i| format!("{i},question {i}?,1,0.5"))
        .collect();
    bench.write(
        "t.csv",
        format!("id,prompt,m/score,m/cost_usd\n{}\n", rows.join("\n")),
    );
    bench
}

#[test]
fn a_companys_certificate_authority_is_trusted_where_it_is_named() {
    let server = Server::start_with_tls(Shown::Here, answer);
    let bench =
        bench(&format!("{}/gateway/v1", server.url())).var("SSL_CERT_FILE", authority_file());
    bench.succeed(&embed_with("tiny"));
    assert_eq!(server.n_requests(), 2);
}

#[test]
fn a_certificate_that_is_not_trusted_ends_the_run_at_once_with_a_cure() {
    for (shown, authority) in [
        (Shown::Here, None),
        (Shown::Elsewhere, Some(authority_file())),
    ] {
        let server = Server::start_with_tls(shown, answer);
        let mut bench = bench(&format!("{}/v1", server.url()));
        if let Some(authority) = authority {
            bench.set_var("SSL_CERT_FILE", authority);
        }
        let begun = Instant::now();
        let output = bench.run(&embed_with("tiny"));
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert_contains(&message, "certificate is not trusted");
        assert_contains(&message, "SSL_CERT_FILE");
        assert!(begun.elapsed() < Duration::from_secs(20), "{message}");
        assert_eq!(server.n_requests(), 0);
    }
}

#[test]
fn a_proxy_is_used_and_left_out_as_the_variables_say() {
    let server = Server::start(answer);
    // No such host: whoever is asked for it is the proxy.
    let behind = bench("http://embeddings.invalid/llm/v1").var("http_proxy", server.url());
    behind.succeed(&embed_with("tiny"));
    assert_eq!(server.n_requests(), 2);
    let beside = bench(&format!("{}/v1", server.url()))
        .var("http_proxy", "http://127.0.0.1:9")
        .var("no_proxy", "127.0.0.1");
    beside.succeed(&embed_with("tiny"));
    assert_eq!(server.n_requests(), 4);
}
