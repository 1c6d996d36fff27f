use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Hyper-parameters of [`crate::Cluster`], as configs/routers.toml has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClusterParams {
    /// Numbers of clusters to choose from.
    pub n_clusters: Vec<usize>,
    /// Rows at the overall mean that each cluster's mean counts besides its own.
    pub prior_rows: f64,
    /// Most steps of k-means.
    pub max_iterations: u64,
    /// k-means ends when a step moves all centroids together by less (the root of the sum of squares).
    pub tolerance: f32,
    /// Folds of the cross-validation that chooses, shuffled.
    pub n_folds: usize,
    /// Seed of the initial centroids and of the folds.
    pub seed: u64,
}

/// Hyper-parameters that can be fitted with.
#[derive(Debug, Clone)]
pub struct CheckedClusterParams(pub(super) ClusterParams);

impl ClusterParams {
    /// Refuses what no fit can use.
    ///
    /// # Errors
    /// [`Error::BadParameter`] unless `n_clusters` ascends from at least 1, `prior_rows` is at least 0, `max_iterations` at least 1,
    /// `tolerance` above 0, and `n_folds` at least 2.
    pub fn check(self) -> Result<CheckedClusterParams> {
        let bad = |name, found: String, expected| {
            Err(Error::BadParameter {
                name,
                found,
                expected,
            })
        };
        let ascends = self.n_clusters.windows(2).all(|pair| pair[0] < pair[1]);
        if self.n_clusters.first().is_none_or(|&k| k == 0) || !ascends {
            let expected = "an ascending list of numbers of at least 1";
            return bad("n-clusters", format!("{:?}", self.n_clusters), expected);
        }
        if !(self.prior_rows >= 0.0 && self.prior_rows.is_finite()) {
            return bad("prior-rows", self.prior_rows.to_string(), "at least 0");
        }
        if self.max_iterations == 0 {
            return bad("max-iterations", "0".to_owned(), "at least 1");
        }
        if !(self.tolerance > 0.0 && self.tolerance.is_finite()) {
            return bad("tolerance", self.tolerance.to_string(), "above 0");
        }
        if self.n_folds < 2 {
            return bad("n-folds", self.n_folds.to_string(), "at least 2");
        }
        Ok(CheckedClusterParams(self))
    }
}

impl CheckedClusterParams {
    /// The parameters as they were given.
    pub fn params(&self) -> &ClusterParams {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_checked_parameters_can_fit() {
        let good = ClusterParams {
            n_clusters: vec![1, 8],
            prior_rows: 5.0,
            max_iterations: 50,
            tolerance: 1e-3,
            n_folds: 4,
            seed: 42,
        };
        assert!(good.clone().check().is_ok());
        let bad = |change: fn(&mut ClusterParams), name| {
            let mut params = good.clone();
            change(&mut params);
            let message = params.check().expect_err(name).to_string();
            assert!(message.contains(name), "{message}");
        };
        bad(|it| it.n_clusters.clear(), "n-clusters");
        bad(|it| it.n_clusters = vec![0, 2], "n-clusters");
        bad(|it| it.n_clusters = vec![8, 8], "n-clusters");
        bad(|it| it.prior_rows = -1.0, "prior-rows");
        bad(|it| it.prior_rows = f64::NAN, "prior-rows");
        bad(|it| it.max_iterations = 0, "max-iterations");
        bad(|it| it.tolerance = 0.0, "tolerance");
        bad(|it| it.n_folds = 1, "n-folds");
    }
}
