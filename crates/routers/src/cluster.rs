//! Means over clusters of embeddings.

mod distance;
mod fit;
mod kmeans;
mod model;
mod nearest;
mod params;

pub use self::{
    fit::PreparedCluster,
    model::{Cluster, ClusterCvScore, ClusterFit, ClusterTarget},
    params::{CheckedClusterParams, ClusterParams},
};
