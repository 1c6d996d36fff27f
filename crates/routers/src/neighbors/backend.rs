use serde::{Deserialize, Serialize};

/// How candidates for the nearest neighbors are found. The result is the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backend {
    /// Blocked float32 matrix products: the fastest above some tens of dimensions.
    Gemm,
    /// `linfa-nn`'s linear search.
    LinfaLinear,
    /// `linfa-nn`'s ball tree: for few dimensions.
    LinfaBalltree,
    /// `linfa-nn`'s k-d tree: for few dimensions.
    LinfaKdtree,
}
