//! The names of the routers, written once: they name files under `preds/` and `learning-curve/`, folders under `models/`, and lines in
//! figures.

/// CARROT (KNN) on the chosen embedding.
pub const CARROT_KNN: &str = "carrot-knn";
/// CARROT (KNN) on the sentence embedding that the settings name.
pub const CARROT_KNN_SBERT: &str = "carrot-knn-sbert";
/// Ridge regression on the chosen embedding.
pub const CARROT_LINEAR: &str = "carrot-linear";
/// Kernel ridge regression on the chosen embedding.
pub const CARROT_KERNEL: &str = "carrot-kernel";
/// Means of k-means clusters of the chosen embedding.
pub const CARROT_CLUSTER: &str = "carrot-cluster";
/// The blend of nearest neighbors, ridge, kernel ridge and clusters, which routes only where that pays.
pub const CARROT_BLEND: &str = "carrot-blend";
/// CARROT (RoBERTa).
pub const CARROT_ROBERTA: &str = "carrot-roberta";
/// The matrix factorization that chooses within a pair.
pub const MF: &str = "mf";
/// The random forest that chooses within a pair.
pub const RORF: &str = "rorf";
/// The RoBERTa that chooses within a pair.
pub const ROBERTA_BINARY: &str = "roberta-binary";
