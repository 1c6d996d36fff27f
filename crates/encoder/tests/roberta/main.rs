//! RoBERTa classifiers on the CPU: two that transformers made, and its outputs for them; `golden/roberta/make.py` asked it.
#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod folders;
mod predicting;
mod transformers;
