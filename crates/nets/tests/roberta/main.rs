//! RoBERTa classifiers through the public API: on a small one that the tests make, and on two that transformers made.
#![expect(clippy::unwrap_used, reason = "tests")]

mod bad_files;
mod model;
mod resume;
mod tiny;
mod training;
mod transformers;
