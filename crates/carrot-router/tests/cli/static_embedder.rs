use std::fs;

use dataset::{CostKind, Precision};
use encoder::PromptEmbedder as _;
use saved_routers::Embedder;
use static_embeddings::{StaticEmbedder, StaticFiles};
use test_support::copy_tiny_static;

use crate::bench::{PROMPTS, Tiny, TrainEmbeddings, assert_refused};

/// A router on token vectors, its embedder in `models/static`.
fn bench() -> Tiny {
    let bench = Tiny::empty();
    let folder = bench.path().join("models/static");
    copy_tiny_static(&folder);
    let files = StaticFiles::find(&folder).expect("read").expect("static");
    let model = StaticEmbedder::load(&files).expect("loaded");
    let values = model.embed(&PROMPTS.map(str::to_owned), &|_| ());
    let embeddings = TrainEmbeddings {
        values: values.expect("embedded").values,
        embedder: Embedder {
            name: "static".to_owned(),
            model: Some("models/static".to_owned()),
            sha256: Some(files.sha256().expect("hashed")),
            server: None,
            dim: model.dim(),
            truncate: None,
            precision: Precision::F32,
            license: None,
        },
    };
    bench.write_knn(CostKind::OutputTokens, embeddings, |_| ());
    bench
}

#[test]
fn token_vectors_embed_a_prompt_however_long_it_is() {
    let bench = bench();
    let decisions = bench.decisions(&["--mu", "0", "very long"], "");
    assert_eq!(decisions[0]["selected"], "cheap");
    let decisions = bench.decisions(&["--mu", "0", "b 1 c 2"], "");
    assert_eq!(decisions[0]["selected"], "owner/dear");
    let long = format!("{}very long", "?".repeat(2_000));
    let decisions = bench.decisions(&["--mu", "0", &long], "");
    assert_eq!(decisions[0]["truncated"], false);
}

#[test]
fn other_token_vectors_than_the_recorded_ones_are_refused() {
    let bench = bench();
    let path = bench.path().join("models/static/model.safetensors");
    let mut bytes = fs::read(&path).expect("read");
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(&path, bytes).expect("written");
    let output = bench.route(&["--mu", "0", "very long"], "");
    assert_refused(&output, 1, "the router was fitted with");
}
