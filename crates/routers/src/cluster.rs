//! Means over clusters of embeddings.

mod fit;
mod kmeans;
mod model;
mod params;

pub use self::{
    fit::PreparedCluster,
    model::{Cluster, ClusterCvScore, ClusterFit, ClusterTarget},
    params::{CheckedClusterParams, ClusterParams},
};
