//! A KNN router that was fitted on the embeddings of a server.

use std::process::Output;

use dataset::{CostKind, Precision};
use ndarray::Array2;
use saved_routers::Embedder;
use serde_json::json;
use test_support::{EmbeddingFault, OpenAi};

use crate::bench::{
    MODELS, PROMPTS, Tiny, TrainEmbeddings, assert_refused, decisions, number, output_tokens, run,
    scores, stderr,
};

const MODEL: &str = "owner/tiny-embedder";
const DIM: usize = 8;
const KEY: &str = "sk-not-to-be-seen";
const ROUTE: [&str; 4] = ["--model", "models/tiny/carrot-knn", "--mu", "0.25"];

/// A router whose embeddings have a name and no model, as `--embedder openai` of the generators leaves them.
fn bench(name: &str) -> Tiny {
    bench_at(name, None)
}

/// The same with the server that computed them.
fn bench_at(name: &str, server: Option<&str>) -> Tiny {
    let bench = Tiny::empty();
    let embeddings = PROMPTS.map(|prompt| OpenAi::vector(prompt, DIM)).concat();
    let embeddings = TrainEmbeddings {
        values: Array2::from_shape_vec((PROMPTS.len(), DIM), embeddings).expect("a matrix"),
        embedder: Embedder {
            name: name.to_owned(),
            model: None,
            sha256: None,
            server: server.map(str::to_owned),
            dim: DIM,
            truncate: None,
            precision: Precision::F32,
            license: None,
        },
    };
    bench.write_knn(CostKind::OutputTokens, embeddings, |_| ());
    bench
}

fn server() -> OpenAi {
    OpenAi::start().model(MODEL, DIM).key(KEY)
}

fn route(bench: &Tiny, server: &OpenAi, args: &[&str], stdin: &str) -> Output {
    let args = [&ROUTE[..], args].concat();
    let mut command = bench.route_command(&args);
    command
        .env("OPENAI_BASE_URL", server.url())
        .env("OPENAI_API_KEY", KEY);
    let output = run(&mut command, stdin);
    let shown = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
    assert!(!shown.contains(KEY), "{shown}");
    output
}

#[test]
fn a_server_is_asked_only_when_it_is_named() {
    let (bench, server) = (bench("owner--tiny-embedder"), server());
    let refused = route(&bench, &server, &["so"], "");
    assert_refused(
        &refused,
        1,
        "pass `--embedder openai` to send each prompt to it, which may cost money",
    );
    assert_eq!(server.n_requests(), 0);

    // The train prompts are their own neighbors.
    let args = ["--embedder", "openai", "--json"];
    // Lines that are complete are asked about together; the last one is only with its line break.
    let lines = PROMPTS.map(|prompt| format!("{prompt}\n")).concat();
    let output = route(&bench, &server, &args, &lines);
    for (row, decision) in decisions(&output).iter().enumerate() {
        assert_eq!(decision["prompt"], json!(PROMPTS[row]));
        assert_eq!(decision["truncated"], json!(false));
        for (idx, model) in decision["models"]
            .as_array()
            .expect("a list")
            .iter()
            .enumerate()
        {
            assert_eq!(model["name"], MODELS[idx]);
            let score = f64::from(scores()[[row, idx]]);
            assert!((number(model, "score") - score).abs() < 1e-6, "{model}");
            let tokens = f64::from(output_tokens()[[row, idx]]);
            assert_eq!(number(model, "output_tokens"), tokens);
        }
    }
    let message = stderr(&output);
    assert!(
        message.contains("from the server's `owner/tiny-embedder`, at an unknown price"),
        "{message}"
    );
    assert!(
        message.contains("the encoding cl100k_base of the embedder"),
        "{message}"
    );
    assert!(
        message.contains("no line to what is billed can be fitted on a server's embeddings"),
        "{message}"
    );
    assert_eq!(server.n_times_asked().len(), PROMPTS.len());
    assert_eq!(server.n_requests(), 1);
}

#[test]
fn embeddings_are_kept_if_there_is_a_file_for_them() {
    let (bench, server) = (bench("owner--tiny-embedder"), server());
    let args = [
        "so",
        "--embedder",
        "openai",
        "--json",
        "--embedding-store",
        "kept.redb",
    ];
    let first = decisions(&route(&bench, &server, &args, ""));
    assert_eq!(decisions(&route(&bench, &server, &args, "")), first);
    assert_eq!(server.n_requests(), 1);
    decisions(&route(&bench, &server, &args[..4], ""));
    assert_eq!(server.n_requests(), 2);
}

#[test]
fn the_model_follows_from_the_embeddings_name_or_from_the_user() {
    for (name, args, part) in [
        // Shortened, and cut.
        ("owner--tiny-embedder-8-of-2-tokens", &[][..], None),
        (
            "owner--tiny-embedder-8",
            &["--embedding-model", MODEL],
            None,
        ),
        (
            "owner--tiny-embedder",
            &["--embedding-model", "owner/other"],
            Some("which the model `owner/other` does not produce"),
        ),
        ("owner--unheard-of", &[], Some("status 404")),
    ] {
        let (bench, server) = (bench(name), server());
        let args = [&["one two three", "--embedder", "openai", "--json"], args].concat();
        let output = route(&bench, &server, &args, "");
        match part {
            None => {
                let is_cut = json!(name.ends_with("tokens"));
                assert_eq!(decisions(&output)[0]["truncated"], is_cut);
            }
            Some(part) => assert_refused(&output, 1, part),
        }
    }
}

#[test]
fn the_key_is_not_shown_however_much_is_logged() {
    let bench = bench("owner--tiny-embedder");
    for level in ["debug", "trace"] {
        for fault in [None, Some(EmbeddingFault::refusal(400, "{authorization}"))] {
            let mut server = server();
            if let Some(fault) = fault {
                server = server.fault(move |_| Some(fault.clone()));
            }
            let args = [&ROUTE[..], &["so", "--embedder", "openai"]].concat();
            let mut command = bench.route_command(&args);
            command
                .env("OPENAI_BASE_URL", server.url())
                .env("OPENAI_API_KEY", KEY)
                .env("CARROT_LOG", level);
            let output = run(&mut command, "");
            let shown = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
            assert!(!shown.contains(KEY), "{shown}");
            assert!(server.n_requests() > 0);
        }
    }
}

#[test]
fn another_server_than_the_recorded_one_is_told() {
    let server = server();
    for (recorded, is_told) in [(None, false), (Some("http://trial:1 00000000"), true)] {
        let bench = bench_at("owner--tiny-embedder", recorded);
        let output = route(&bench, &server, &["so", "--embedder", "openai"], "");
        assert!(output.status.success(), "{}", stderr(&output));
        let is_found = stderr(&output).contains("embeddings of the server `http://trial:1");
        assert_eq!(is_found, is_told, "{}", stderr(&output));
    }
}

#[test]
fn refusals_do_not_show_the_key() {
    let bench = bench("owner--tiny-embedder");
    let echo = EmbeddingFault::refusal(401, &format!("Incorrect API key provided: {KEY}"));
    let server = OpenAi::start().model(MODEL, DIM).faults([echo]);
    let args = ["so", "--embedder", "openai"];
    assert_refused(
        &route(&bench, &server, &args, ""),
        1,
        "refused with status 401",
    );
    // Embeddings of another length.
    let server = OpenAi::start().model(MODEL, DIM + 1);
    let part = "predicts from embeddings of 8 dimensions, not 9";
    assert_refused(&route(&bench, &server, &args, ""), 1, part);
    // OpenAI itself wants a key, which is said before it is asked.
    let output = run(&mut bench.route_command(&[&ROUTE[..], &args].concat()), "");
    assert_refused(&output, 1, "set `OPENAI_API_KEY`");
    // A local model's embeddings.
    let local = Tiny::new(CostKind::Known);
    assert_refused(
        &local.route(&["so", "--mu", "0", "--embedder", "openai"], ""),
        1,
        "which runs on this machine",
    );
}
