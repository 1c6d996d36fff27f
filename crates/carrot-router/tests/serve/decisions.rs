//! Decisions: for other gateways, and where none can be made.

use std::time::Duration;

use dataset::{CostKind, Precision};
use ndarray::Array2;
use saved_routers::Embedder;
use serde_json::{Value, json};
use test_support::OpenAi;

use crate::{
    bench::{MODELS, PROMPTS, Tiny, TrainEmbeddings},
    world::{CHAT, FOR_DEAR, Llms, Serve, chat, stream},
};

/// Numbers of an embedding from a server.
const DIM: usize = 8;

#[test]
fn a_decision_is_the_same_as_that_of_route() {
    let llms = Llms::good();
    let serve = llms.serve(0.25, "");
    let lines: String = PROMPTS.map(|prompt| format!("{prompt}\n")).concat();
    for mu in ["0", "0.25", "1"] {
        let routed = serve.bench.decisions(&["--mu", mu], &lines);
        for (prompt, routed) in PROMPTS.iter().zip(&routed) {
            let bare = chat(&format!("carrot:mu={mu}"), prompt);
            let wrapped = json!({"input_format": "openai_chat", "request": bare});
            for body in [bare, wrapped] {
                let reply = serve.post("/v1/decision", &body);
                let found = reply.json();
                assert_eq!(reply.status, 200, "{found}");
                assert_eq!(found["object"], "routing.decision");
                assert_eq!(found["selected"]["model"], routed["selected"]);
                assert_eq!(
                    found["fallbacks"].as_array().expect("a list").len(),
                    MODELS.len() - 1
                );
                for (model, expected) in (found["models"].as_array().expect("a list").iter())
                    .zip(routed["models"].as_array().expect("a list"))
                {
                    for key in [
                        "name",
                        "score",
                        "input_tokens",
                        "output_tokens",
                        "cost_usd",
                        "utility",
                    ] {
                        assert_eq!(model[key], expected[key], "{key}");
                    }
                }
                assert_eq!(
                    (&found["truncated"], &found["calibration"]),
                    (&json!(false), &json!(null))
                );
                assert!(found["created"].is_u64() && found["id"].is_string());
            }
        }
    }
    assert_eq!(llms.server.n_requests(), 0);
    // Another gateway's name for its group of LLMs is no name here, and the router is meant; so it is without one.
    for body in [
        chat("gpt-4-group", FOR_DEAR),
        json!({"messages": [{"role": "user", "content": FOR_DEAR}]}),
    ] {
        assert_eq!(serve.post("/v1/decision", &body).json()["mu"], 0.25);
    }
    let odd = json!({"input_format": "x", "request": {}});
    assert_eq!(
        serve.post("/v1/decision", &odd).error_code(),
        "invalid_request"
    );
    assert_eq!(
        serve
            .post("/v1/decision", &json!({"messages": 1}))
            .error_code(),
        "invalid_request"
    );
}

#[test]
fn the_default_model_answers_where_there_is_nothing_to_decide_by() {
    let llms = Llms::good();
    let serve = llms.serve(0.0, "[log]\npath = \"log.jsonl\"");
    let reminder = "<system-reminder>so so</system-reminder>";
    for body in [
        chat("carrot", ""),
        chat("carrot", " \n"),
        chat("carrot", reminder),
        stream("carrot", ""),
    ] {
        let reply = serve.post(CHAT, &body);
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert_eq!(reply.header("x-carrot-model"), Some("cheap"));
        assert_eq!(reply.header("x-carrot-cause"), Some("empty_prompt"));
        assert_eq!(reply.header("x-carrot-score"), None);
    }
    // What it cannot do, nobody else is asked to: anyone else might be dearer.
    let picture = json!({"model": "carrot", "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]});
    assert_eq!(serve.post(CHAT, &picture).status, 503);
    let causes: Vec<Value> = serve
        .log()
        .iter()
        .map(|line| line["cause"].clone())
        .collect();
    assert_eq!(causes[..4], ["empty_prompt"; 4].map(|it| json!(it)));
}

#[test]
fn a_decision_that_comes_too_late_is_not_waited_for() {
    let (llms, name) = (Llms::good(), "owner/tiny-embedder");
    let embedder = OpenAi::start()
        .model(name, DIM)
        .latency(Duration::from_secs(1));
    let bench = Tiny::empty();
    let embeddings = PROMPTS.map(|prompt| OpenAi::vector(prompt, DIM)).concat();
    let embeddings = TrainEmbeddings {
        values: Array2::from_shape_vec((PROMPTS.len(), DIM), embeddings).expect("a matrix"),
        embedder: Embedder {
            name: "owner--tiny-embedder".to_owned(),
            model: None,
            sha256: None,
            server: None,
            dim: DIM,
            precision: Precision::F32,
            truncate: None,
            license: None,
        },
    };
    bench.write_knn(CostKind::OutputTokens, embeddings, |_| ());
    let more = "[decision]\ntimeout-seconds = 0.1";
    let config = llms
        .config(0.0, more)
        .replace("mu = 0.0", "mu = 0.0\nembedder = \"openai\"");
    let variables = [
        ("OPENAI_BASE_URL", embedder.url()),
        ("OPENAI_API_KEY", "sk".to_owned()),
    ];
    let variables = variables
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let serve = Serve::start_in(bench, &config, &[], &variables);
    let reply = serve.post(CHAT, &chat("carrot", FOR_DEAR));
    assert_eq!(
        reply.header("x-carrot-model"),
        Some("cheap"),
        "{}",
        reply.text()
    );
    assert_eq!(reply.header("x-carrot-cause"), Some("decision_timeout"));
    assert_eq!(serve.get("/ready").status, 503);
}

#[test]
fn what_surrounds_the_last_user_turn_does_not_change_the_choice() {
    let llms = Llms::good();
    let serve = llms.serve(0.0, "");
    let mut body = chat("carrot", FOR_DEAR);
    let around = [
        json!({"role": "system", "content": "very long"}),
        json!({"role": "user", "content": "very long"}),
        json!({"role": "assistant", "content": "very long"}),
    ];
    let messages = body["messages"].as_array_mut().expect("a list");
    messages.splice(0..0, around);
    messages.push(json!({"role": "tool", "tool_call_id": "1", "content": "very long"}));
    let found = serve.post("/v1/decision", &body).json();
    assert_eq!(found["selected"]["model"], "owner/dear");
    let bare = serve.post("/v1/decision", &chat("carrot", FOR_DEAR)).json();
    let tokens = |found: &Value| {
        found["models"][0]["input_tokens"]
            .as_u64()
            .expect("a count")
    };
    assert!(tokens(&found) > tokens(&bare) + 8, "{found}");
    for key in ["score", "output_tokens"] {
        assert_eq!(found["models"][0][key], bare["models"][0][key]);
    }
    // What is billed is in the cost: 10 $ per million.
    let cost = |found: &Value| found["models"][0]["cost_usd"].as_f64().expect("a cost");
    let n_more = (tokens(&found) - tokens(&bare)) as f64;
    assert!((cost(&found) - cost(&bare) - n_more * 1e-5).abs() < 1e-9);
}
