//! Shadow: no byte is changed, and the log says what routing would have done.

use serde_json::{Value, json};

use crate::world::{CHAT, FOR_CHEAP, FOR_DEAR, Llms, Serve, completion, good, json_answer, stream};

#[test]
fn nothing_is_changed_and_the_decision_is_in_the_log() {
    let llms = Llms::start(
        |model, request| match (request.method.as_str(), request.path()) {
            ("POST", CHAT) => good(model, request).with_header("x-own", "1"),
            ("GET", "/v1/models") => json_answer(200, "{\"data\":[ ]}"),
            _ => json_answer(404, "{\"error\":\"none here\"}"),
        },
    );
    let config = llms.config(0.0, "[log]\npath = \"log.jsonl\"");
    let serve = Serve::start(&config, &["--shadow"], &[]);
    let headers = [
        ("authorization", "Bearer sk-client"),
        ("x-any", "y"),
        ("accept-encoding", "br"),
    ];
    let mut client = serve.client();
    let bodies = [
        format!(
            "{{\"model\":\"up-owner/dear\", \"messages\":[{{\"role\":\"user\",\"content\":\"{FOR_CHEAP}\"}}],\"carrot\":{{\"mu\":0.5}}}}"
        ),
        stream("up-cheap", FOR_DEAR).to_string(),
        stream("unknown", FOR_DEAR).to_string(),
        "not JSON at all".to_owned(),
    ];
    for body in &bodies {
        let reply = client.ask("POST", CHAT, &headers, body.as_bytes());
        assert_eq!(reply.status, 200);
        assert!(reply.header("x-carrot-model").is_none() && reply.header("x-own") == Some("1"));
        let seen = llms.seen.lock().expect("open").pop().expect("asked");
        assert_eq!(String::from_utf8_lossy(&seen.body), *body);
        for (name, value) in headers {
            assert_eq!(seen.header(name), Some(value));
        }
    }
    let reply = client.ask("POST", CHAT, &[], bodies[0].as_bytes());
    assert_eq!(reply.text(), completion("up-owner/dear"));
    // Other paths, too.
    assert_eq!(
        client.ask("GET", "/v1/models?a=b", &headers, b"").text(),
        "{\"data\":[ ]}"
    );
    assert_eq!(
        client.ask("DELETE", "/v1/files/1", &headers, b"").status,
        404
    );
    let seen = llms.seen.lock().expect("open").pop().expect("asked");
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("DELETE", "/v1/files/1")
    );

    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    let log = loop {
        let log = serve.log();
        if log.len() >= 7 || std::time::Instant::now() > end {
            break log;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    let of = |requested: &str| -> Vec<&Value> {
        log.iter()
            .filter(|line| line["requested"] == requested)
            .collect()
    };
    let dear = of("up-owner/dear");
    assert_eq!(dear.len(), 2, "{log:?}");
    for line in dear {
        assert_eq!(
            (&line["shadow"], &line["served"], &line["chosen"]),
            (&json!(true), &json!("owner/dear"), &json!("cheap"))
        );
        assert_eq!(
            (&line["usage"]["source"], &line["outcome"]),
            (&json!("actual"), &json!("ok"))
        );
        assert_eq!(line["models"].as_array().expect("a list").len(), 3);
    }
    let cheap = of("up-cheap");
    assert_eq!(
        (&cheap[0]["served"], &cheap[0]["chosen"]),
        (&json!("cheap"), &json!("owner/dear"))
    );
    let unknown = of("unknown");
    assert_eq!(
        (&unknown[0]["served"], &unknown[0]["chosen"]),
        (&json!(null), &json!("owner/dear"))
    );
}
