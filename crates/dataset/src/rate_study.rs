use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Result, Source, json};

/// `rate-study.json`: excess risks of routers on problems whose truth is known, by number of training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateStudy {
    /// Program and version.
    pub made_by: String,
    /// The settings in force.
    pub settings: Source,
    /// Seed of everything random.
    pub seed: u64,
    /// Weight of the cost in the utility.
    pub mu: f64,
    /// Level of all intervals.
    pub level: f64,
    /// Test points of each repetition.
    pub n_test: usize,
    /// The least number of training rows that exponents are fitted on.
    pub fit_from_n: usize,
    /// The problems, by smoothness and dimension.
    pub problems: Vec<RateProblem>,
}

/// One problem in one dimension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateProblem {
    /// The name that the problem has in all dimensions.
    pub name: String,
    /// Number of dimensions of a prompt, d.
    pub dim: usize,
    /// Hoelder exponent of expected scores and costs, g.
    pub smoothness: f64,
    /// Margin exponent, a.
    pub margin_exponent: f64,
    /// The exponent of the bound on the excess risk, g (1 + a) / (2 g + d).
    pub bound_exponent: f64,
    /// The factor c of `k = ceil(c * n^(2g / (2g + d)))`.
    pub neighbors: f64,
    /// Repetitions for each n.
    pub n_repetitions: usize,
    /// One for each router.
    pub curves: Vec<RateCurve>,
}

/// The excess risk of one router by number of training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateCurve {
    /// The router: `carrot-knn`, `1-nn`, `random` or, in newer files, `carrot-knn-chosen-k`.
    pub router: String,
    /// Minus the slope of the logarithm of the excess risk over that of n; `None` where some excess risk is 0.
    pub exponent: Option<RateInterval>,
    /// The same of the excess risks that were predicted, where they were.
    pub predicted_exponent: Option<f64>,
    /// By ascending n.
    pub points: Vec<RatePoint>,
}

/// The excess risk of one router with one number of training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RatePoint {
    /// Training rows.
    pub n: usize,
    /// Neighbors averaged; `None` for a router that looks at none, or chooses the number anew for each training set.
    pub n_neighbors: Option<usize>,
    /// Mean over repetitions of the utility lost against the Bayes router.
    pub excess_risk: RateInterval,
    /// What it should be by a calculation without any draw, where there is one.
    pub predicted_excess_risk: Option<f64>,
}

/// An estimate and where the truth may lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RateInterval {
    /// The estimate.
    pub estimate: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl RateInterval {
    /// Whether a value lies between the ends.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

impl RateStudy {
    /// Reads `rate-study.json`.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Json`].
    pub fn read(path: &Path) -> Result<Self> {
        json::read(path)
    }

    /// Writes `rate-study.json` atomically.
    ///
    /// # Errors
    /// [`crate::Error::Io`].
    pub fn write(&self, path: &Path) -> Result<()> {
        json::write(path, self)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Error;

    #[test]
    fn a_study_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("rate-study.json");
        let interval = |estimate: f64| RateInterval {
            estimate,
            low: estimate / 3.0,
            high: 2.0 * estimate,
        };
        let curve = |exponent, n_neighbors| RateCurve {
            router: "carrot-knn".to_owned(),
            exponent,
            predicted_exponent: Some(0.1 + 0.2),
            points: vec![RatePoint {
                n: 256,
                n_neighbors,
                excess_risk: interval(1e-5),
                predicted_excess_risk: None,
            }],
        };
        let study = RateStudy {
            made_by: "rate-study 0.1.0".to_owned(),
            settings: Source {
                path: "configs/rate-study.toml".into(),
                sha256: "00".to_owned(),
                n_bytes: 1,
            },
            seed: u64::MAX,
            mu: 0.5,
            level: 0.95,
            n_test: 7,
            fit_from_n: 256,
            problems: vec![RateProblem {
                name: "root".to_owned(),
                dim: 8,
                smoothness: 0.5,
                margin_exponent: 2.0,
                bound_exponent: 1.0 / 6.0,
                neighbors: 4.0,
                n_repetitions: 2,
                curves: vec![curve(Some(interval(0.7)), Some(3)), curve(None, None)],
            }],
        };
        study.write(&path).expect("written");
        assert_eq!(RateStudy::read(&path).expect("read"), study);
        assert!(interval(0.7).holds(0.7) && !interval(0.7).holds(0.2));
        fs::write(&path, "{}").expect("written");
        assert!(matches!(RateStudy::read(&path), Err(Error::Json { .. })));
    }
}
