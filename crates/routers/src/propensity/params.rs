use serde::{Deserialize, Serialize};

use crate::{Result, fold_order::check_n_folds, ridge::check_alphas};

/// Hyper-parameters of [`crate::PropensityModel`], as configs/routers.toml has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PropensityParams {
    /// Penalties of squared coefficients to choose from, the strongest first; stronger than all of them are the LLMs' shares alone.
    pub alphas: Vec<f64>,
    /// One in so many rows is held out to choose by.
    pub n_folds: usize,
    /// Seed of the order in which rows are dealt to folds.
    pub seed: u64,
}

/// Hyper-parameters that can be fitted with.
#[derive(Debug, Clone)]
pub struct CheckedPropensityParams(pub(super) PropensityParams);

impl PropensityParams {
    /// Refuses what no fit can use.
    ///
    /// # Errors
    /// [`crate::Error::BadParameter`] unless `alphas` descends to at least 1e-6 and `n_folds` is at least 2.
    pub fn check(self) -> Result<CheckedPropensityParams> {
        check_alphas(&self.alphas)?;
        check_n_folds(self.n_folds)?;
        Ok(CheckedPropensityParams(self))
    }
}

impl CheckedPropensityParams {
    /// The parameters as they were given.
    pub fn params(&self) -> &PropensityParams {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_checked_parameters_can_fit() {
        for (alphas, n_folds, is_good) in [
            (vec![10.0, 1.0], 4, true),
            (vec![], 4, false),
            (vec![1.0, 10.0], 4, false),
            (vec![1.0], 1, false),
        ] {
            let params = PropensityParams {
                alphas,
                n_folds,
                seed: 42,
            };
            assert_eq!(params.clone().check().is_ok(), is_good, "{params:?}");
        }
    }
}
