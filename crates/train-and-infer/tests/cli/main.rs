//! The built program on tiny data sets in a temporary folder. Without the feature `torch` only what needs no libtorch is tested.

mod bench;
mod binary;
mod cross_fit;
mod distill;
mod embed;
mod embeddings;
#[cfg(all(feature = "torch", target_os = "linux"))]
mod full_disk;
#[cfg(feature = "torch")]
mod keeping;
mod knn;
mod learning_curve;
mod locks;
mod precision;
mod propensities;
#[cfg(feature = "torch")]
mod refusals;
#[cfg(feature = "torch")]
mod reproducing;
#[cfg(feature = "torch")]
mod roberta;
#[cfg(not(feature = "torch"))]
mod without_torch;
