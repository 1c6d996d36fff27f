//! The names of the routers, written once: they name files under `preds/` and `learning-curve/`, folders under `models/`, and lines in
//! figures.

/// CARROT (KNN) on the chosen embedding.
pub const CARROT_KNN: &str = "carrot-knn";
/// CARROT (KNN) on the sentence embedding that the settings name.
pub const CARROT_KNN_SBERT: &str = "carrot-knn-sbert";
/// CARROT (RoBERTa).
pub const CARROT_ROBERTA: &str = "carrot-roberta";
/// The matrix factorization that chooses within a pair.
pub const MF: &str = "mf";
/// The random forest that chooses within a pair.
pub const RORF: &str = "rorf";
/// The RoBERTa that chooses within a pair.
pub const ROBERTA_BINARY: &str = "roberta-binary";
