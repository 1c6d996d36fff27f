use serde::{Deserialize, Serialize};

use crate::{Error, Result, fold_order::check_n_folds, ridge::check_alphas};

/// Hyper-parameters of [`crate::Kernel`], as configs/routers.toml has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KernelParams {
    /// Widths of the Gaussian kernel to choose from, the widest first: the kernel is `exp(-gamma |x - y|^2)`.
    pub gammas: Vec<f64>,
    /// Penalties of squared coefficients to choose from, the strongest first.
    pub alphas: Vec<f64>,
    /// Rows that all others are compared with; where there are fewer, all.
    pub n_landmarks: usize,
    /// Folds of the cross-validation that chooses.
    pub n_folds: usize,
    /// Seed of the order in which rows are dealt to folds, and of the landmarks.
    pub seed: u64,
}

/// Hyper-parameters that can be fitted with.
#[derive(Debug, Clone)]
pub struct CheckedKernelParams(pub(super) KernelParams);

impl KernelParams {
    /// Refuses what no fit can use.
    ///
    /// # Errors
    /// [`Error::BadParameter`] unless `gammas` ascends from above 0, `alphas` descends to at least 1e-6, `n_landmarks` is at least 1 and `n_folds` at
    /// least 2.
    pub fn check(self) -> Result<CheckedKernelParams> {
        let ascends = self.gammas.windows(2).all(|pair| pair[0] < pair[1]);
        let is_usable = |&gamma: &f64| gamma.is_finite() && gamma > 0.0;
        if self.gammas.is_empty() || !ascends || !self.gammas.iter().all(is_usable) {
            return Err(Error::BadParameter {
                name: "gammas",
                found: format!("{:?}", self.gammas),
                expected: "an ascending list of numbers above 0",
            });
        }
        if self.n_landmarks == 0 {
            return Err(Error::BadParameter {
                name: "n-landmarks",
                found: self.n_landmarks.to_string(),
                expected: "at least 1",
            });
        }
        check_alphas(&self.alphas)?;
        check_n_folds(self.n_folds)?;
        Ok(CheckedKernelParams(self))
    }
}

impl CheckedKernelParams {
    /// The parameters as they were given.
    pub fn params(&self) -> &KernelParams {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_checked_parameters_can_fit() {
        for (gammas, alphas, n_landmarks, n_folds, is_good) in [
            (vec![0.5, 1.0], vec![10.0, 1.0], 800, 4, true),
            (vec![], vec![1.0], 800, 4, false),
            (vec![1.0, 0.5], vec![1.0], 800, 4, false),
            (vec![0.0], vec![1.0], 800, 4, false),
            (vec![f64::NAN], vec![1.0], 800, 4, false),
            (vec![0.5], vec![], 800, 4, false),
            (vec![0.5], vec![1.0], 0, 4, false),
            (vec![0.5], vec![1.0], 800, 1, false),
        ] {
            let params = KernelParams {
                gammas,
                alphas,
                n_landmarks,
                n_folds,
                seed: 42,
            };
            assert_eq!(params.clone().check().is_ok(), is_good, "{params:?}");
        }
    }
}
