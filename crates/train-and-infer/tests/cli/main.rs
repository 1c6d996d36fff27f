//! The built program on tiny data sets in a temporary folder.

mod bench;
mod binary;
mod embeddings;
#[cfg(target_os = "linux")]
mod full_disk;
mod keeping;
mod knn;
mod learning_curve;
mod refusals;
mod roberta;
mod tiny_roberta;
