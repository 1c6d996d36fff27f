//! all-MiniLM-L6-v2, which `scripts/minilm.sh` brings, against vectors made elsewhere.
#![expect(clippy::unwrap_used, reason = "tests")]

mod common;
#[path = "common/vectors.rs"]
mod vectors;

use std::path::Path;

use common::max_difference;
use encoder::{ModelFiles, PromptEmbedder, SentenceEmbedder};
use ndarray::Array2;
use vectors::{golden_matrix, golden_prompts};

/// float32 after six layers, on values of at most .3; 2e-7 was measured.
const PARITY: f32 = 1e-5;
const MIN_COSINE: f32 = 0.99999;

fn minilm() -> SentenceEmbedder {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/all-MiniLM-L6-v2");
    let files = ModelFiles::in_folder(&folder).unwrap_or_else(|error| {
        panic!("{error}; run `scripts/minilm.sh` first, which brings the model")
    });
    SentenceEmbedder::load(&files).unwrap()
}

fn check(found: &Array2<f32>, expected: &Array2<f32>) {
    let difference = max_difference(found.view(), expected.view());
    assert!(difference < PARITY, "{difference}");
    for (a, b) in found.rows().into_iter().zip(expected.rows()) {
        let cosine = a.dot(&b) / (a.dot(&a) * b.dot(&b)).sqrt();
        assert!(cosine > MIN_COSINE, "{cosine}");
    }
}

#[test]
fn matches_numpy_on_texts_of_all_kinds() {
    let embedder = minilm();
    assert_eq!((embedder.dim(), embedder.max_tokens()), (384, Some(256)));
    let embedded = embedder.embed(&golden_prompts(), &|_| ()).unwrap();
    assert_eq!(embedded.n_truncated(), 1);
    check(&embedded.values, &golden_matrix("minilm-l6/embeddings.npy"));
}

/// The same vectors by another hand, see `golden/roberta/make.py`.
#[test]
fn matches_transformers_on_texts_of_all_kinds() {
    let embedded = minilm().embed(&golden_prompts(), &|_| ()).unwrap();
    let expected = golden_matrix("minilm-l6/transformers.npy");
    check(&embedded.values, &expected);
}
