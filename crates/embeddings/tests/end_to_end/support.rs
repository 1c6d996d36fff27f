//! What the tests of this crate share.

use std::path::Path;

use embeddings::{Client, Delays, Endpoint, Limits, Model, Secret, Store};
use tempfile::TempDir;
use test_support::OpenAi;

pub(crate) const MODEL: &str = "text-embedding-3-small";
pub(crate) const KEY: &str = "sk-very-secret";
pub(crate) const DIM: usize = 24;

/// Small requests, no waits.
pub(crate) fn limits() -> Limits {
    let mut limits = Limits {
        max_inputs_per_request: 4,
        max_in_flight: 3,
        ..Limits::openai()
    };
    limits.retry.max_attempts = 4;
    limits.retry.delays = Delays::Off;
    limits
}

pub(crate) fn server() -> OpenAi {
    OpenAi::start().model(MODEL, DIM).key(KEY)
}

pub(crate) fn endpoint(server: &OpenAi) -> Endpoint {
    Endpoint {
        api_key: Some(Secret::new(KEY)),
        ..Endpoint::at(&server.url())
    }
}

pub(crate) fn client(server: &OpenAi, limits: Limits) -> Client {
    Client::new(endpoint(server), Model::named(MODEL), limits).expect("a client")
}

pub(crate) fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(&dir.path().join("embeddings.redb"));
    (dir, store)
}

pub(crate) fn open(path: &Path) -> Store {
    Store::open(path).expect("a store")
}

pub(crate) fn texts(n: usize) -> Vec<String> {
    (0..n).map(|n| format!("text number {n}")).collect()
}
