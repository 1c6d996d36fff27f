use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Parameters of the three computations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DimensionParams {
    /// Seed of both samples. Each has a random stream of its own, so that the size of one does not change the other.
    pub seed: u64,
    /// Shares of the variance whose number of dimensions is wanted, each above 0 and at most 1.
    pub variance_shares: Vec<f64>,
    /// Kernel principal components.
    pub kernel: KernelParams,
    /// Isomap.
    pub isomap: IsomapParams,
}

/// Parameters of kernel principal components.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KernelParams {
    /// Points drawn; all where there are fewer.
    pub n_points: usize,
    /// The kernel is `exp(-gamma * squared distance)` with gamma this many times `1 / dim`.
    pub gamma_times_dim: f64,
    /// Largest eigenvalues wanted; all where the sample has fewer points.
    pub n_components: usize,
}

/// Parameters of Isomap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IsomapParams {
    /// Points drawn; all where there are fewer.
    pub n_points: usize,
    /// Nearest neighbors that each point is linked with.
    pub n_neighbors: usize,
    /// Numbers of dimensions to lay the points out in, ascending.
    pub n_components: Vec<usize>,
}

/// Parameters that can be computed with.
#[derive(Debug, Clone)]
pub struct CheckedDimensionParams(DimensionParams);

impl DimensionParams {
    /// Refuses what cannot be computed with.
    ///
    /// # Errors
    /// [`Error::BadParameter`] unless shares are above 0 and at most 1, samples hold at least two points, gamma is positive, every number of components
    /// and of neighbors is at least 1, and Isomap's numbers of components ascend.
    pub fn check(self) -> Result<CheckedDimensionParams> {
        let bad = |name, found: String, expected| {
            Err(Error::BadParameter {
                name,
                found,
                expected,
            })
        };
        let Self {
            variance_shares,
            kernel,
            isomap,
            ..
        } = &self;
        if !variance_shares
            .iter()
            .all(|&share| share > 0.0 && share <= 1.0)
        {
            let found = format!("{variance_shares:?}");
            return bad("variance-shares", found, "numbers above 0 and at most 1");
        }
        for (name, found) in [
            ("kernel.n-points", kernel.n_points),
            ("isomap.n-points", isomap.n_points),
        ] {
            if found < 2 {
                return bad(name, found.to_string(), "at least 2");
            }
        }
        if !(kernel.gamma_times_dim > 0.0 && kernel.gamma_times_dim.is_finite()) {
            let found = kernel.gamma_times_dim.to_string();
            return bad("kernel.gamma-times-dim", found, "a positive number");
        }
        for (name, found) in [
            ("kernel.n-components", kernel.n_components),
            ("isomap.n-neighbors", isomap.n_neighbors),
        ] {
            if found == 0 {
                return bad(name, found.to_string(), "at least 1");
            }
        }
        let components = &isomap.n_components;
        let ascends = components.windows(2).all(|pair| pair[0] < pair[1]);
        if components.first().is_none_or(|&least| least == 0) || !ascends {
            let found = format!("{components:?}");
            return bad(
                "isomap.n-components",
                found,
                "an ascending list of at least one number from 1 on",
            );
        }
        Ok(CheckedDimensionParams(self))
    }
}

impl CheckedDimensionParams {
    /// The parameters as they were given.
    pub fn params(&self) -> &DimensionParams {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_checked_parameters_can_be_computed_with() {
        type Change = fn(&mut DimensionParams);
        let cases: [(Change, Option<&str>); 14] = [
            (|_| (), None),
            (|p| p.variance_shares = vec![], None),
            (|p| p.variance_shares = vec![1.0], None),
            (|p| p.variance_shares = vec![0.0], Some("variance-shares")),
            (|p| p.variance_shares = vec![1.1], Some("variance-shares")),
            (
                |p| p.variance_shares = vec![f64::NAN],
                Some("variance-shares"),
            ),
            (|p| p.kernel.n_points = 1, Some("kernel.n-points")),
            (|p| p.isomap.n_points = 1, Some("isomap.n-points")),
            (
                |p| p.kernel.gamma_times_dim = 0.0,
                Some("kernel.gamma-times-dim"),
            ),
            (|p| p.kernel.n_components = 0, Some("kernel.n-components")),
            (|p| p.isomap.n_neighbors = 0, Some("isomap.n-neighbors")),
            (
                |p| p.isomap.n_components = vec![],
                Some("isomap.n-components"),
            ),
            (
                |p| p.isomap.n_components = vec![0, 2],
                Some("isomap.n-components"),
            ),
            (
                |p| p.isomap.n_components = vec![2, 2],
                Some("isomap.n-components"),
            ),
        ];
        for (change, refused) in cases {
            let mut params = DimensionParams {
                seed: 42,
                variance_shares: vec![0.9, 0.95, 0.99],
                kernel: KernelParams {
                    n_points: 2,
                    gamma_times_dim: 1.0,
                    n_components: 1,
                },
                isomap: IsomapParams {
                    n_points: 2,
                    n_neighbors: 1,
                    n_components: vec![1, 2],
                },
            };
            change(&mut params);
            let found = match params.clone().check() {
                Ok(_) => None,
                Err(Error::BadParameter { name, .. }) => Some(name),
                Err(other) => panic!("{other}"),
            };
            assert_eq!(found, refused, "{params:?}");
        }
    }
}
