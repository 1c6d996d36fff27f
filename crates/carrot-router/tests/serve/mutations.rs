//! Broken requests: 2,000 mutations of good ones. None ends the server, and what is wrong with them is said in OpenAI's form.

use serde_json::{Value, json};
use test_support::mutated;

use crate::world::{CHAT, Llms};

/// How many.
const N: u64 = 2_000;

#[test]
fn broken_requests_reach_no_llm_and_are_told_why() {
    let llms = Llms::good();
    let mut serve = llms.serve(0.0, "[limits]\nhead-seconds = 20.0");
    let good = [
        json!({"model": "carrot:mu=0.3", "messages": [{"role": "user", "content": "so so"}], "carrot": {"mu": 0.25, "models": ["*"]}}).to_string(),
        json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "very \u{e9}\n"}]}], "stream": false, "model": "owner/dear", "n": 1.5e3}).to_string(),
    ];
    let mut client = serve.client();
    let (mut n_refused, mut n_forwarded) = (0, 0);
    for number in 0..N {
        let body = mutated(good[number as usize % good.len()].as_bytes(), number);
        let before = llms.server.n_requests();
        client.send("POST", CHAT, &[], &body);
        let Some(reply) = client.reply() else {
            panic!("mutation {number}: no answer; {}", serve.said());
        };
        let asked = llms.server.n_requests() - before;
        match reply.status {
            200 => {
                n_forwarded += 1;
                assert_eq!(asked, 1, "mutation {number}");
                // Still a request: JSON with a name that there is, and nothing unknown in `carrot`.
                let value: Value = serde_json::from_slice(&body).unwrap_or(json!({"model": "?"}));
                assert!(value["model"].is_string(), "mutation {number}");
                let sent = llms.seen.lock().expect("open").pop().expect("asked");
                let sent = String::from_utf8_lossy(&sent.body).into_owned();
                assert!(sent.contains("\"up-"), "mutation {number}: {sent}");
            }
            400 | 404 | 503 => {
                n_refused += 1;
                assert_eq!(asked, 0, "mutation {number}");
                assert!(!reply.error_code().is_empty());
            }
            status => panic!("mutation {number}: {status}: {}", reply.text()),
        }
        if reply.header("connection") == Some("close") {
            client = serve.client();
        }
    }
    assert_eq!(n_refused + n_forwarded, N);
    assert!(n_refused > N / 2, "{n_refused}");
    assert!(!serve.said().contains("panicked"), "{}", serve.said());
    let refused = serve.metric("carrot_requests_total{model=\"\",outcome=\"refused\"}");
    let none = serve.metric("carrot_requests_total{model=\"none\",outcome=\"refused\"}");
    assert_eq!(
        refused + none,
        n_refused as f64,
        "{}",
        serve.get("/metrics").text()
    );
    assert_eq!(serve.stop(), Some(0));
}
