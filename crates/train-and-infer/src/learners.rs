//! The learners that need no libtorch.

pub(crate) mod knn;
pub(crate) mod mf;
pub(crate) mod pair_labels;
mod pair_scores;
pub(crate) mod rorf;
