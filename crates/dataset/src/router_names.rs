//! The names of the routers, written once: they name files under `preds/` and `learning-curve/`, folders under `models/`, and lines in
//! figures. And which of them a data set has by default.

use crate::DatasetInfo;

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

/// The program that makes data sets of one's own tables.
const GEN_CUSTOM: &str = "gen-custom ";

/// The router of a data set for which none is named: the paper's on the paper's data sets, and on others the blend, which does not route where
/// that does not pay.
///
/// ```
/// # use dataset::router_names::{default_router, CARROT_BLEND};
/// # let mut info = test_support::dataset_info("tiny", &["m"], [1, 1]);
/// info.made_by = "gen-custom 0.1.0".to_owned();
/// assert_eq!(default_router(&info), CARROT_BLEND);
/// ```
pub fn default_router(info: &DatasetInfo) -> &'static str {
    match is_of_own_table(info) {
        true => CARROT_BLEND,
        false => CARROT_KNN,
    }
}

/// Whether a data set was made of a table of one's own, and not of the paper's sources.
pub fn is_of_own_table(info: &DatasetInfo) -> bool {
    info.made_by.starts_with(GEN_CUSTOM)
}
