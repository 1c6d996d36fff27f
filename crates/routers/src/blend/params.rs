use std::mem;

use serde::{Deserialize, Serialize};

use super::report::{BlendReport, Setting};
use crate::{
    CheckedClusterParams, CheckedKernelParams, CheckedKnnParams, CheckedLinearParams, Error, Result,
};

/// Hyper-parameters of [`crate::Blend`], as configs/routers.toml has them; those of its learners are their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlendParams {
    /// Folds of the cross-validation that all is chosen by, shuffled. The learners' own numbers of folds do not count here.
    pub n_folds: usize,
    /// Seed of the order of rows that folds are cut from.
    pub seed: u64,
    /// Factors of the predicted differences between LLMs to choose from, ascending. Beside them stands 0: not routing.
    pub scales: Vec<f64>,
}

/// The learners of a blend.
#[derive(Debug, Clone)]
pub struct BlendLearners {
    /// Nearest neighbors; how k is chosen there does not count here.
    pub knn: CheckedKnnParams,
    /// Ridge regression.
    pub linear: CheckedLinearParams,
    /// Kernel ridge regression.
    pub kernel: CheckedKernelParams,
    /// Means over clusters.
    pub cluster: CheckedClusterParams,
}

/// Hyper-parameters that can be fitted with.
#[derive(Debug, Clone)]
pub struct CheckedBlendParams {
    pub(super) params: BlendParams,
    pub(super) knn: Option<CheckedKnnParams>,
    pub(super) linear: Option<CheckedLinearParams>,
    pub(super) kernel: Option<CheckedKernelParams>,
    pub(super) cluster: Option<CheckedClusterParams>,
}

impl BlendParams {
    /// Refuses what no fit can use.
    ///
    /// # Errors
    /// [`Error::BadParameter`] unless `n_folds` is at least 2 and `scales` ascends from above 0.
    pub fn check(self, learners: BlendLearners) -> Result<CheckedBlendParams> {
        if self.n_folds < 2 {
            return Err(Error::BadParameter {
                name: "n-folds",
                found: self.n_folds.to_string(),
                expected: "at least 2",
            });
        }
        let ascends = self.scales.windows(2).all(|pair| pair[0] < pair[1]);
        let is_usable = |scale: &f64| scale.is_finite() && *scale > 0.0;
        if self.scales.is_empty() || !ascends || !self.scales.iter().all(is_usable) {
            return Err(Error::BadParameter {
                name: "scales",
                found: format!("{:?}", self.scales),
                expected: "an ascending list of numbers above 0",
            });
        }
        Ok(CheckedBlendParams {
            params: self,
            knn: Some(learners.knn),
            linear: Some(learners.linear),
            kernel: Some(learners.kernel),
            cluster: Some(learners.cluster),
        })
    }
}

impl CheckedBlendParams {
    /// The blend's own parameters as they were given.
    pub fn params(&self) -> &BlendParams {
        &self.params
    }

    /// The parameters that a fit chose, and no others to choose from: what [`super::PreparedBlend::fit_kept`] needs prepared. Learners without
    /// weight are left out.
    ///
    /// # Errors
    /// [`Error::BadParameter`] for a setting that no fit can have chosen.
    pub fn keeping(&self, kept: &BlendReport) -> Result<Self> {
        let mut found = Grids::of(kept);
        let knn = self.knn.as_ref().filter(|_| !found.n_neighbors.is_empty());
        let linear = self.linear.as_ref().filter(|_| !found.alphas.is_empty());
        let kernel = self.kernel.as_ref().filter(|_| !found.gammas.is_empty());
        let cluster = self
            .cluster
            .as_ref()
            .filter(|_| !found.n_clusters.is_empty());
        let knn = knn.map(|it| {
            let mut params = it.params().clone();
            params.n_neighbors = mem::take(&mut found.n_neighbors);
            params.check()
        });
        let linear = linear.map(|it| {
            let mut params = it.params().clone();
            params.alphas = mem::take(&mut found.alphas);
            params.check()
        });
        let kernel = kernel.map(|it| {
            let mut params = it.params().clone();
            params.gammas = mem::take(&mut found.gammas);
            params.alphas = mem::take(&mut found.kernel_alphas);
            params.check()
        });
        let cluster = cluster.map(|it| {
            let mut params = it.params().clone();
            params.n_clusters = mem::take(&mut found.n_clusters);
            params.check()
        });
        Ok(Self {
            params: self.params.clone(),
            knn: knn.transpose()?,
            linear: linear.transpose()?,
            kernel: kernel.transpose()?,
            cluster: cluster.transpose()?,
        })
    }
}

/// The settings in force, by learner.
#[derive(Default)]
struct Grids {
    n_neighbors: Vec<usize>,
    alphas: Vec<f64>,
    gammas: Vec<f64>,
    kernel_alphas: Vec<f64>,
    n_clusters: Vec<usize>,
}

impl Grids {
    /// Each in the order that its learner's parameters have.
    fn of(kept: &BlendReport) -> Self {
        let mut found = Self::default();
        let learners = kept.targets.iter().flat_map(|it| &it.learners);
        for learner in learners.filter(|it| kept.has_weight(it.setting)) {
            match learner.setting {
                Setting::Knn { n_neighbors } => found.n_neighbors.push(n_neighbors),
                Setting::Linear { alpha } => found.alphas.push(alpha),
                Setting::Kernel { gamma, alpha } => {
                    found.gammas.push(gamma);
                    found.kernel_alphas.push(alpha);
                }
                Setting::Cluster { n_clusters } => found.n_clusters.push(n_clusters),
            }
        }
        for counts in [&mut found.n_neighbors, &mut found.n_clusters] {
            counts.sort_unstable();
            counts.dedup();
        }
        found.gammas.sort_by(f64::total_cmp);
        found.gammas.dedup();
        for alphas in [&mut found.alphas, &mut found.kernel_alphas] {
            alphas.sort_by(|a, b| b.total_cmp(a));
            alphas.dedup();
        }
        found
    }
}
