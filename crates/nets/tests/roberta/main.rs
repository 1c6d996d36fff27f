//! RoBERTa classifiers through the public API: on a small one that the tests make, and on the fixtures beside the repository.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bad_files;
mod model;
mod resume;
mod shared_fixtures;
mod tiny;
mod training;
