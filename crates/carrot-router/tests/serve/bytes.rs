//! What goes through unchanged, and what is changed in it.

use serde_json::{Value, json};

use crate::world::{CHAT, FOR_DEAR, Llms, Serve, chat, completion, good, json_answer, stream};

/// Odd in every way that re-serialization would repair.
const ODD: &str = "{ \"temperature\" : 1.0e0,\"messages\":[{\"role\":\"user\",\"content\":\"so so\",\"cache_control\":{\"type\":\"ephemeral\"}}],\n  \"model\":\"NAME\" ,\"seed\":12345678901234567890123,\"reasoning_content\":\"\\u00e9\",\"z\":[1.10,-0.0],\"a\":null }";

#[test]
fn only_model_is_changed_on_the_way_to_an_llm_and_nothing_on_the_way_back() {
    let llms = Llms::good();
    let serve = llms.serve(0.0, "");
    let mut client = serve.client();
    let headers = [
        ("content-type", "application/json"),
        ("authorization", "Bearer sk-client"),
        ("openai-beta", "x=1"),
        ("accept-encoding", "gzip"),
    ];
    for (name, expected) in [("carrot", "up-owner/dear"), ("cheap", "up-cheap")] {
        let body = ODD.replace("NAME", name);
        let reply = client.ask(
            "POST",
            &format!("{CHAT}?beta=true"),
            &headers,
            body.as_bytes(),
        );
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.text(), completion(expected));
        let seen = llms.seen.lock().expect("open").pop().expect("asked");
        assert_eq!(
            String::from_utf8_lossy(&seen.body),
            ODD.replace("NAME", expected)
        );
        assert_eq!(seen.target, format!("{CHAT}?beta=true"));
        assert_eq!(seen.header("openai-beta"), Some("x=1"));
        // The client's key is this server's, unless the configuration says otherwise.
        assert_eq!(seen.header("authorization"), None);
        assert_eq!(seen.header("accept-encoding"), None);
    }
    let with_carrot = ODD
        .replace("NAME", "carrot")
        .replace("\"a\":null", "\"carrot\":{\"mu\":0.0},\"a\":null");
    client.ask("POST", CHAT, &headers, with_carrot.as_bytes());
    let seen = llms.seen.lock().expect("open").pop().expect("asked");
    assert_eq!(
        String::from_utf8_lossy(&seen.body),
        ODD.replace("NAME", "up-owner/dear")
    );
}

#[test]
fn keys_of_upstreams_come_from_the_environment_and_those_of_clients_go_on_if_they_may() {
    let llms = Llms::good();
    let ask = |setting: &str, more: &str, variables: &[(&str, &str)]| {
        let config = llms
            .config(0.0, more)
            .replace("formats =", &format!("{setting}\nformats ="));
        let serve = Serve::start(&config, &[], variables);
        let headers = [("authorization", "Bearer sk-client-secret")];
        let body = chat("cheap", "x").to_string();
        let reply = serve.client().ask("POST", CHAT, &headers, body.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(!serve.said().contains("secret"), "{}", serve.said());
        let seen = llms.seen.lock().expect("open").pop().expect("asked");
        ["authorization", "x-api-key"].map(|name| seen.header(name).map(str::to_owned))
    };
    let bearer = |key: &str| Some(format!("Bearer {key}"));
    let variables = [("UP_KEY", "sk-up-secret")];
    assert_eq!(
        ask("api-key-env = \"UP_KEY\"", "", &variables),
        [bearer("sk-up-secret"), None]
    );
    let header = "api-key-env = \"UP_KEY\"\nkey-header = \"x-api-key\"";
    assert_eq!(
        ask(header, "", &variables),
        [None, Some("sk-up-secret".to_owned())]
    );
    assert_eq!(
        ask("forward-key = true", "", &[]),
        [bearer("sk-client-secret"), None]
    );
    // A key of this server goes nowhere.
    let keys = [("OURS", "sk-other, sk-client-secret")];
    assert_eq!(
        ask("forward-key = true", "[keys]\nenv = \"OURS\"", &keys),
        [None, None]
    );
}

#[test]
fn strict_clients_get_the_model_that_they_asked_for() {
    let llms = Llms::good();
    for (setting, expected) in [
        ("upstream", "up-owner/dear"),
        ("pool", "owner/dear"),
        ("requested", "carrot:mu=0"),
    ] {
        let serve = llms.serve(0.0, &format!("[answer]\nresponse-model = \"{setting}\""));
        let reply = serve.post(CHAT, &chat("carrot:mu=0", FOR_DEAR));
        assert_eq!(reply.text(), completion(expected));
        let reply = serve.post(CHAT, &stream("carrot:mu=0", FOR_DEAR));
        let events = reply.events();
        assert_eq!(events.len(), 4);
        for data in &events[..3] {
            let chunk: Value = serde_json::from_str(data).expect("JSON");
            assert_eq!(chunk["model"], expected);
        }
        // Streams say who answers where strict clients do not look.
        assert_eq!(reply.header("x-carrot-model"), Some("owner/dear"));
    }
}

#[test]
fn headers_tell_the_decision_on_every_routed_answer() {
    let llms = Llms::good();
    let serve = llms.serve(0.0, "[answer]\nallow-origin = \"*\"");
    for body in [chat("carrot", FOR_DEAR), stream("carrot", FOR_DEAR)] {
        let reply = serve.post(CHAT, &body);
        let number = |name: &str| -> f64 {
            let text = reply.header(name).unwrap_or_else(|| panic!("no `{name}`"));
            text.parse().expect("a number")
        };
        assert_eq!(number("x-carrot-score"), 0.9);
        assert_eq!(number("x-carrot-mu"), 0.0);
        // 1,000 output tokens at 20 $ per million, and a few of input at 10.
        assert!((0.02..0.0205).contains(&number("x-carrot-cost-usd")));
        assert!(number("x-carrot-routing-ms") > 0.0);
        assert!(number("x-carrot-overhead-ms") >= number("x-carrot-routing-ms"));
        assert!(
            reply
                .header("x-carrot-decision-id")
                .expect("an id")
                .starts_with("dec_")
        );
        for name in ["x-carrot-fallbacks", "x-carrot-cause", "x-carrot-truncated"] {
            assert_eq!(reply.header(name), None);
        }
        let exposed = reply
            .header("access-control-expose-headers")
            .expect("exposed");
        for name in [
            "x-carrot-model",
            "x-carrot-cause",
            "x-model-router-selected-model",
        ] {
            assert!(exposed.contains(name), "{exposed}");
        }
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    }
    let asked = [(
        "access-control-request-headers",
        "authorization,x-session-id",
    )];
    let reply = serve.client().ask("OPTIONS", CHAT, &asked, b"");
    assert_eq!(reply.status, 204);
    assert_eq!(
        reply.header("access-control-allow-headers"),
        Some("authorization,x-session-id")
    );
}

#[test]
fn the_whole_decision_is_in_the_answer_for_whoever_asks() {
    let llms = Llms::good();
    let serve = llms.serve(0.0, "");
    let mut body = chat("carrot", FOR_DEAR);
    body["carrot"] = json!({"explain": true});
    let reply = serve.post(CHAT, &body);
    let check = |metadata: &Value| {
        assert_eq!(metadata["selected"]["model"], "owner/dear");
        assert_eq!(metadata["fallbacks"], json!(["cheap", "twin"]));
        assert_eq!(metadata["models"].as_array().expect("a list").len(), 3);
        assert_eq!(metadata["served"], "owner/dear");
    };
    check(&reply.json()["carrot_metadata"]);
    // All else is as it came.
    let without = completion("up-owner/dear");
    assert!(
        reply.text().starts_with(&without[..without.len() - 1]),
        "{}",
        reply.text()
    );

    body["stream"] = json!(true);
    body["carrot"] = json!({});
    let debug = [("x-carrot-debug", "true")];
    let reply = serve
        .client()
        .ask("POST", CHAT, &debug, body.to_string().as_bytes());
    let events = reply.events();
    assert_eq!(events.len(), 4);
    assert_eq!(events[3], "[DONE]");
    let last: Value = serde_json::from_str(&events[2]).expect("JSON");
    check(&last["carrot_metadata"]);
    assert_eq!(last["choices"][0]["delta"]["content"], "c");
    assert!(
        events[..2]
            .iter()
            .all(|data| !data.contains("carrot_metadata"))
    );
}

#[test]
fn other_formats_pass_through_and_are_routed_too() {
    let llms = Llms::start(|model, request| match request.path() {
        "/v1/responses" => json_answer(
            200,
            &format!(
                "{{\"object\":\"response\",\"model\":\"{model}\",\"usage\":{{\"input_tokens\":3,\"output_tokens\":4}}}}"
            ),
        ),
        "/v1/messages" => json_answer(
            200,
            &format!(
                "{{\"type\":\"message\",\"model\":\"{model}\",\"usage\":{{\"input_tokens\":3,\"output_tokens\":4}}}}"
            ),
        ),
        _ => good(model, request),
    });
    let serve = llms.serve(0.0, "[log]\npath = \"log.jsonl\"");
    for (path, body) in [
        (
            "/v1/responses",
            json!({"model": "carrot", "input": FOR_DEAR, "instructions": "be brief"}),
        ),
        (
            "/v1/messages",
            json!({"model": "carrot", "max_tokens": 9, "system": "be brief", "messages": [{"role": "user", "content": [{"type": "text", "text": FOR_DEAR}]}]}),
        ),
    ] {
        let reply = serve.post(path, &body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("x-carrot-model"), Some("owner/dear"));
        let seen = llms.seen.lock().expect("open").pop().expect("asked");
        assert_eq!(seen.path(), path);
        let expected = body.to_string().replace("\"carrot\"", "\"up-owner/dear\"");
        assert_eq!(String::from_utf8_lossy(&seen.body), expected);
    }
    let usage =
        json!({"input_tokens": 3, "cached_tokens": 0, "output_tokens": 4, "source": "actual"});
    assert!(serve.log().iter().all(|line| line["usage"] == usage));
    // Anthropic's clients look for a `type` beside the error.
    let reply = serve.post("/v1/messages", &json!({"model": "none", "messages": []}));
    assert_eq!(
        (reply.status, reply.json()["type"].clone()),
        (404, json!("error"))
    );
    assert_eq!(reply.error_code(), "model_not_found");
}
