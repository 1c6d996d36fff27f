use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Hyper-parameters of [`crate::Mf`], as configs/routers.toml has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MfParams {
    /// Length of the learned vectors, to which embeddings are projected.
    pub dim: usize,
    /// Standard deviation of the noise that training adds to each component of an embedding; 0 for none.
    pub noise_std: f64,
    /// Whether logits have an intercept, which the reference's have not; false where it is not said.
    #[serde(default, skip_serializing_if = "is_without")]
    pub intercept: bool,
    /// Passes over the train rows.
    pub n_epochs: u64,
    /// Rows in a batch. The last one of an epoch may be smaller.
    pub batch_size: usize,
    /// Learning rate of Adam, constant.
    pub learning_rate: f64,
    /// Multiple of the weights that Adam adds to their gradient.
    pub weight_decay: f64,
    /// Adam's decays of the means of gradients and of their squares.
    pub betas: [f64; 2],
    /// Added to the root of the mean square in Adam's division.
    pub epsilon: f64,
    /// Share of the rows, rounded down, that validate; 0 for none, and then the last weights are kept.
    pub validation_share: f64,
    /// Steps between validations; one is also made after the last step.
    pub validate_every_steps: u64,
    /// Decides the first weights, the split, the order of rows and the noise.
    pub seed: u64,
}

/// Hyper-parameters that can be fitted with.
#[derive(Debug, Clone)]
pub struct CheckedMfParams(pub(super) MfParams);

/// Settings without an intercept are written as they were before there was a choice, so that what was fitted with them stays up to date.
fn is_without(intercept: &bool) -> bool {
    !intercept
}

impl MfParams {
    /// Refuses what no fit can use.
    ///
    /// # Errors
    /// [`Error::BadParameter`] with the first that is out of bounds.
    pub fn check(self) -> Result<CheckedMfParams> {
        let is_share = |x: f64| (0. ..1.).contains(&x);
        let at_least_0 = |x: f64| x >= 0. && x.is_finite();
        let above_0 = |x: f64| x > 0. && x.is_finite();
        let (at_least_1, not_negative, positive, share) = (
            "at least 1",
            "a number of at least 0",
            "a positive number",
            "a share in [0, 1)",
        );
        let [beta1, beta2] = self.betas;
        let rows: [(_, bool, &dyn std::fmt::Debug, _); 10] = [
            ("dim", self.dim > 0, &self.dim, at_least_1),
            (
                "noise-std",
                at_least_0(self.noise_std),
                &self.noise_std,
                not_negative,
            ),
            ("n-epochs", self.n_epochs > 0, &self.n_epochs, at_least_1),
            (
                "batch-size",
                self.batch_size > 0,
                &self.batch_size,
                at_least_1,
            ),
            (
                "learning-rate",
                above_0(self.learning_rate),
                &self.learning_rate,
                positive,
            ),
            (
                "weight-decay",
                at_least_0(self.weight_decay),
                &self.weight_decay,
                not_negative,
            ),
            (
                "betas",
                is_share(beta1) && is_share(beta2),
                &self.betas,
                "two numbers in [0, 1)",
            ),
            ("epsilon", above_0(self.epsilon), &self.epsilon, positive),
            (
                "validation-share",
                is_share(self.validation_share),
                &self.validation_share,
                share,
            ),
            (
                "validate-every-steps",
                self.validate_every_steps > 0,
                &self.validate_every_steps,
                at_least_1,
            ),
        ];
        for (name, is_good, found, expected) in rows {
            if !is_good {
                return Err(Error::BadParameter {
                    name,
                    found: format!("{found:?}"),
                    expected,
                });
            }
        }
        Ok(CheckedMfParams(self))
    }
}

impl CheckedMfParams {
    /// The parameters as they were given.
    pub fn params(&self) -> &MfParams {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut MfParams);

    #[test]
    fn only_checked_parameters_can_fit() {
        let params = MfParams {
            dim: 128,
            noise_std: 0.05,
            intercept: false,
            n_epochs: 100,
            batch_size: 64,
            learning_rate: 3e-4,
            weight_decay: 1e-5,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            validation_share: 0.1,
            validate_every_steps: 10,
            seed: 42,
        };
        assert_eq!(params.clone().check().expect("good").params(), &params);
        let changes: [(Change, Option<&str>); 22] = [
            (|p| p.dim = 0, Some("dim")),
            (|p| p.noise_std = -0.1, Some("noise-std")),
            (|p| p.noise_std = f64::INFINITY, Some("noise-std")),
            (|p| p.noise_std = 0., None),
            (|p| p.n_epochs = 0, Some("n-epochs")),
            (|p| p.batch_size = 0, Some("batch-size")),
            (|p| p.learning_rate = 0., Some("learning-rate")),
            (|p| p.learning_rate = f64::NAN, Some("learning-rate")),
            (|p| p.weight_decay = -1e-5, Some("weight-decay")),
            (|p| p.weight_decay = 0., None),
            (|p| p.betas[0] = 1., Some("betas")),
            (|p| p.betas[1] = -0.1, Some("betas")),
            (|p| p.betas[1] = f64::NAN, Some("betas")),
            (|p| p.betas = [0., 0.], None),
            (|p| p.epsilon = 0., Some("epsilon")),
            (|p| p.validation_share = 1., Some("validation-share")),
            (|p| p.validation_share = -0.1, Some("validation-share")),
            (|p| p.validation_share = f64::NAN, Some("validation-share")),
            (|p| p.validation_share = 0., None),
            (|p| p.validate_every_steps = 0, Some("validate-every-steps")),
            (|p| p.validate_every_steps = 1, None),
            (|p| p.seed = 0, None),
        ];
        for (change, refused) in changes {
            let mut params = params.clone();
            change(&mut params);
            let found = match params.clone().check() {
                Ok(_) => None,
                Err(Error::BadParameter { name, .. }) => Some(name),
                Err(error) => panic!("{error}"),
            };
            assert_eq!(found, refused, "{params:?}");
        }
    }
}
