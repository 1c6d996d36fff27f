use dataset::Quantity;
use routers::{Cluster, ClusterFit};

use crate::{
    ClusterTarget, Contents, Error, Result, SavedLearner,
    learner::{Outputs, group},
    tensors::{Tensor, TensorFile},
};

/// Means of clusters that were opened in a folder.
pub type SavedCluster = SavedLearner<Cluster>;

const CENTROIDS: &str = "centroids";
const VALUES: &str = "values";

/// `cluster/<target>/centroids` of shape `(n_clusters, dim)` and `cluster/<target>/values` of shape `(n_clusters, n_models)`, float32 as the fit
/// has them.
pub(crate) fn tensors<'a>(cluster: &'a Cluster, quantities: &[Quantity]) -> Vec<Tensor<'a>> {
    let targets = cluster.targets().iter().zip(quantities);
    let of_target = |(target, &quantity): (&'a routers::ClusterTarget, &Quantity)| {
        let name = |name| group("cluster", quantity, name);
        [
            Tensor::matrix(name(CENTROIDS), target.centroids.view()),
            Tensor::matrix(name(VALUES), target.values.view()),
        ]
    };
    targets.flat_map(of_target).collect()
}

/// What the record says of them.
pub(crate) fn contents(cluster: &Cluster, quantities: &[Quantity]) -> Contents {
    let targets = cluster.fits().iter().zip(quantities);
    let target = |(fit, &quantity): (&ClusterFit, &Quantity)| ClusterTarget {
        quantity,
        n_clusters: fit.n_clusters,
    };
    Contents::Cluster {
        targets: targets.map(target).collect(),
    }
}

/// # Errors
/// Those of a file, and [`Error::Router`] for numbers that make no clusters.
pub(crate) fn read(
    file: &TensorFile,
    targets: &[ClusterTarget],
    outputs: Outputs,
) -> Result<Cluster> {
    let Outputs { dim, n_models } = outputs;
    let mut parts = Vec::with_capacity(targets.len());
    for target in targets {
        let name = |name| group("cluster", target.quantity, name);
        let arrays = routers::ClusterTarget {
            centroids: file.matrix(&name(CENTROIDS), (None, Some(dim)))?,
            values: file.matrix(&name(VALUES), (None, Some(n_models)))?,
        };
        // Fewer where fewer train prompts differ.
        if arrays.centroids.nrows() > target.n_clusters {
            return Err(Error::TensorShape {
                path: file.path().to_owned(),
                name: name(CENTROIDS),
                found: arrays.centroids.shape().to_vec(),
                expected: format!("at most {} rows", target.n_clusters),
            });
        }
        parts.push((format!("{:?}", target.quantity), arrays));
    }
    Cluster::from_parts(parts).map_err(Error::router(file.path()))
}

/// The names of its tensors.
pub(crate) fn names(targets: &[ClusterTarget]) -> Vec<String> {
    let names = |target: &ClusterTarget| {
        [CENTROIDS, VALUES].map(|it| group("cluster", target.quantity, it))
    };
    targets.iter().flat_map(names).collect()
}
