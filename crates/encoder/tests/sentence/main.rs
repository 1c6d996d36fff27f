//! Sentence-transformers models in folders of every layout.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod cut;
mod embedding;
mod hostile;
mod layouts;
mod refusals;
mod tiny;
#[path = "../common/vectors.rs"]
mod vectors;
mod weights;
