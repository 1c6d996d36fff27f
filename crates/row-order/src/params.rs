use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Parameters of an audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuditParams {
    /// Numbers of ranks that an LLM may have been evaluated on. Among explanations that fit equally well the one with smaller widths is reported.
    pub candidate_widths: Vec<NonZeroUsize>,
    /// Random orders that each LLM and each task is compared with; the smallest p-value is one by this plus one.
    pub n_permutations: usize,
    /// Seed of the random orders. Each of them has a stream of its own, so that the number of threads does not matter.
    pub seed: u64,
    /// The chance, over all LLMs together, with which a width may be reported that the data do not show.
    pub significance: f64,
}

/// Parameters that can be audited with.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedAuditParams(AuditParams);

impl AuditParams {
    /// Rejects what no audit can use.
    ///
    /// # Errors
    /// [`Error::BadParameter`] unless there are at least two candidate widths in ascending order, at least one permutation that a stream's number
    /// can name (below 2^32), and a significance strictly between 0 and 1.
    pub fn check(self) -> Result<CheckedAuditParams> {
        let ascends = self
            .candidate_widths
            .windows(2)
            .all(|pair| pair[0] < pair[1]);
        if self.candidate_widths.len() < 2 || !ascends {
            return Err(Error::BadParameter {
                name: "candidate-widths",
                found: format!("{:?}", self.candidate_widths),
                expected: "an ascending list of at least two numbers",
            });
        }
        if self.n_permutations == 0 || u32::try_from(self.n_permutations).is_err() {
            return Err(Error::BadParameter {
                name: "n-permutations",
                found: self.n_permutations.to_string(),
                expected: "a number from 1 to 4294967295",
            });
        }
        if !(self.significance > 0.0 && self.significance < 1.0) {
            return Err(Error::BadParameter {
                name: "significance",
                found: self.significance.to_string(),
                expected: "a number between 0 and 1",
            });
        }
        Ok(CheckedAuditParams(self))
    }
}

impl CheckedAuditParams {
    /// The parameters as they were given.
    pub fn params(&self) -> &AuditParams {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_checked_parameters_can_audit() {
        for (widths, n_permutations, significance, is_good) in [
            (&[1, 2, 4, 8][..], 1000, 0.05, true),
            (&[2, 3], 1, 0.5, true),
            (&[], 1000, 0.05, false),
            (&[1], 1000, 0.05, false),
            (&[2, 1], 1000, 0.05, false),
            (&[1, 1], 1000, 0.05, false),
            (&[1, 2], 0, 0.05, false),
            (&[1, 2], 1 << 32, 0.05, false),
            (&[1, 2], 1000, 0.0, false),
            (&[1, 2], 1000, 1.0, false),
            (&[1, 2], 1000, f64::NAN, false),
        ] {
            let params = AuditParams {
                candidate_widths: widths
                    .iter()
                    .filter_map(|&w| NonZeroUsize::new(w))
                    .collect(),
                n_permutations,
                seed: 42,
                significance,
            };
            assert_eq!(params.clone().check().is_ok(), is_good, "{params:?}");
        }
    }
}
