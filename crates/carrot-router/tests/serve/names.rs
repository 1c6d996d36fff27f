//! What `model` may be, and what `carrot` in the body changes.

use serde_json::{Value, json};

use crate::world::{CHAT, FOR_CHEAP, FOR_DEAR, Llms, chat};

#[test]
fn every_name_leads_to_its_llm() {
    let llms = Llms::good();
    let serve = llms.serve(0.0, "");
    for (model, prompt, expected) in [
        ("carrot", FOR_DEAR, "owner/dear"),
        ("carrot", FOR_CHEAP, "cheap"),
        ("carrot:mu=1", FOR_DEAR, "cheap"),
        ("router-carrot-1.0", FOR_DEAR, "cheap"),
        ("owner/dear", FOR_CHEAP, "owner/dear"),
        ("twin", FOR_DEAR, "twin"),
        ("extra", FOR_DEAR, "extra"),
    ] {
        let reply = serve.post(CHAT, &chat(model, prompt));
        assert_eq!(reply.status, 200, "{model}: {}", reply.text());
        assert_eq!(reply.header("x-carrot-model"), Some(expected), "{model}");
        assert_eq!(
            reply.header("x-model-router-selected-model"),
            Some(expected)
        );
        assert_eq!(reply.json()["model"], format!("up-{expected}"));
        let is_routed = model.contains("carrot");
        assert_eq!(reply.header("x-carrot-mu").is_some(), is_routed);
        assert_eq!(reply.header("x-carrot-score").is_some(), is_routed);
    }
    for model in ["carrot:dear", "gpt-4", "up-cheap", ""] {
        let reply = serve.post(CHAT, &chat(model, FOR_DEAR));
        assert_eq!(
            (reply.status, reply.error_code().as_str()),
            (404, "model_not_found"),
            "{model}"
        );
    }
    let reply = serve.post(CHAT, &chat("carrot:mu=2", FOR_DEAR));
    assert_eq!(
        (reply.status, reply.error_code().as_str()),
        (400, "invalid_request")
    );
    assert_eq!(llms.server.n_requests(), 7);
}

#[test]
fn aliases_are_listed_before_the_pool() {
    let llms = Llms::good();
    let serve = llms.serve(0.0, "");
    let list = serve.get("/v1/models").json();
    let ids: Vec<&str> = (list["data"].as_array().expect("a list").iter())
        .map(|it| it["id"].as_str().expect("a name"))
        .collect();
    assert_eq!(ids, ["carrot", "owner/dear", "cheap", "twin", "extra"]);
    assert!(
        list["data"]
            .as_array()
            .expect("a list")
            .iter()
            .all(|it| it["owned_by"] == "carrot")
    );
    assert_eq!(serve.get("/health").text(), "ok");
    assert_eq!(serve.get("/ready").text(), "ready");
    assert_eq!(serve.get("/v1/nothing").error_code(), "not_found");
    assert_eq!(serve.get(CHAT).error_code(), "method_not_allowed");
}

#[test]
fn options_of_a_request_narrow_the_choice_and_do_not_go_on() {
    let llms = Llms::good();
    let serve = llms.serve(0.0, "");
    let with = |carrot: Value| {
        let mut body = chat("carrot", FOR_DEAR);
        body["carrot"] = carrot;
        serve.post(CHAT, &body)
    };
    for (carrot, expected) in [
        (json!({"mu": 1.0}), "cheap"),
        (json!({"models": ["twin", "extra"]}), "twin"),
        (json!({"models": ["owner/*"]}), "owner/dear"),
        (json!({"max_cost_usd": 0.001}), "cheap"),
        (json!({"min_score": 0.6, "mu": 1.0}), "owner/dear"),
    ] {
        let reply = with(carrot.clone());
        assert_eq!(
            reply.header("x-carrot-model"),
            Some(expected),
            "{carrot}: {}",
            reply.text()
        );
    }
    assert!(llms.bodies().iter().all(|body| !body.contains("carrot")));
    for carrot in [
        json!({"models": ["none"]}),
        json!({"min_score": 0.99}),
        json!({"max_cost_usd": 0.0}),
    ] {
        let reply = with(carrot);
        assert_eq!(
            (reply.status, reply.error_code().as_str()),
            (503, "no_eligible_model")
        );
    }
    let reply = with(json!({"mew": 1}));
    assert_eq!(
        (reply.status, reply.json()["error"]["param"].clone()),
        (400, json!("carrot"))
    );
}

#[test]
fn who_cannot_take_a_request_is_not_asked() {
    let llms = Llms::good();
    // Tools are what all can; pictures, nobody but the dear one; the cheap ones have small windows.
    let config = llms.config(1.0, "");
    let config = config.replace(
        "up-owner/dear\"\ncan = [\"tools\"]",
        "up-owner/dear\"\ncan = [\"tools\", \"images\"]",
    );
    let config = config.replace("up-cheap\"\n", "up-cheap\"\ncontext-window = 500\n");
    let serve = crate::world::Serve::start(&config, &[], &[]);
    let model = |body: &Value| {
        let reply = serve.post(CHAT, body);
        let name = reply
            .header("x-carrot-model")
            .unwrap_or_default()
            .to_owned();
        (reply.status, name)
    };
    let mut body = chat("carrot", FOR_DEAR);
    assert_eq!(model(&body), (200, "cheap".to_owned()));
    body["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
    assert_eq!(model(&body), (200, "cheap".to_owned()));
    body["max_tokens"] = json!(600);
    assert_eq!(model(&body), (200, "twin".to_owned()));
    body["messages"][0]["content"] = json!([{"type": "text", "text": FOR_DEAR}, {"type": "image_url", "image_url": {"url": "x"}}]);
    assert_eq!(model(&body), (200, "owner/dear".to_owned()));
    body["response_format"] = json!({"type": "json_schema"});
    assert_eq!(model(&body).0, 503);
    // A long system prompt counts, though it does not decide.
    let system = json!({"role": "system", "content": "word ".repeat(600)});
    let long =
        json!({"model": "carrot", "messages": [system, {"role": "user", "content": FOR_DEAR}]});
    assert_eq!(model(&long), (200, "twin".to_owned()));
}
