//! The built program on tiny data sets in a temporary folder.
#![expect(clippy::print_stderr, reason = "a note that a test was skipped")]

mod bench;
mod binary;
mod embeddings;
mod keeping;
mod knn;
mod learning_curve;
mod refusals;
mod roberta;
mod tiny_roberta;
