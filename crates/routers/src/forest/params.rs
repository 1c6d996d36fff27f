use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// Hyper-parameters of [`crate::Forest`], as configs/routers.toml has them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ForestParams {
    /// Number of trees.
    pub n_trees: usize,
    /// Most splits between the root and a leaf; unlimited when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_depth: Option<usize>,
    /// How many features are drawn for each split.
    pub max_features: MaxFeatures,
    /// Fewest rows in a leaf; a row that the bootstrap drew several times counts once, as in scikit-learn.
    pub min_samples_leaf: usize,
    /// Whether each tree sees as many rows as there are, drawn with replacement, or just all of them.
    pub bootstrap: bool,
    /// Decides every draw.
    pub seed: u64,
}

/// How many features are drawn for a split.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MaxFeatures {
    /// The square root of their number, rounded down.
    Sqrt,
    /// All of them.
    All,
    /// A share in (0, 1] of their number, rounded down, but at least one.
    Share(f64),
    /// So many.
    Count(usize),
}

impl MaxFeatures {
    pub(super) fn of(self, n_features: usize) -> usize {
        let count = match self {
            Self::Sqrt => n_features.isqrt(),
            Self::All => n_features,
            Self::Share(share) => (share * n_features as f64) as usize,
            Self::Count(count) => count,
        };
        count.clamp(1, n_features)
    }
}

/// Hyper-parameters that can be fitted with.
#[derive(Debug, Clone)]
pub struct CheckedForestParams(pub(super) ForestParams);

impl ForestParams {
    /// Refuses what no fit can use.
    ///
    /// # Errors
    /// [`Error::BadParameter`] unless there is a tree, room for a split, a feature to draw and a row in each leaf.
    pub fn check(self) -> Result<CheckedForestParams> {
        let bad = |name, found: String, expected| {
            Err(Error::BadParameter {
                name,
                found,
                expected,
            })
        };
        if self.n_trees == 0 {
            return bad("n-trees", self.n_trees.to_string(), "at least 1");
        }
        if let Some(0) = self.max_depth {
            let expected = "at least 1, or left out for no limit";
            return bad("max-depth", "0".to_owned(), expected);
        }
        match self.max_features {
            MaxFeatures::Share(share) if !(share > 0.0 && share <= 1.0) => {
                return bad(
                    "max-features",
                    format!("a share of {share}"),
                    "a share above 0 and up to 1",
                );
            }
            MaxFeatures::Count(0) => {
                return bad("max-features", "a count of 0".to_owned(), "at least 1");
            }
            _ => {}
        }
        if self.min_samples_leaf == 0 {
            let found = self.min_samples_leaf.to_string();
            return bad("min-samples-leaf", found, "at least 1");
        }
        Ok(CheckedForestParams(self))
    }
}

impl CheckedForestParams {
    /// The parameters as they were given.
    pub fn params(&self) -> &ForestParams {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> ForestParams {
        ForestParams {
            n_trees: 100,
            max_depth: None,
            max_features: MaxFeatures::Sqrt,
            min_samples_leaf: 1,
            bootstrap: true,
            seed: 42,
        }
    }

    #[test]
    fn only_checked_parameters_can_fit() {
        let changed = |change: fn(&mut ForestParams)| {
            let mut params = params();
            change(&mut params);
            params
        };
        for (params, is_good) in [
            (params(), true),
            (changed(|params| params.n_trees = 0), false),
            (changed(|params| params.max_depth = Some(1)), true),
            (changed(|params| params.max_depth = Some(0)), false),
            (changed(|params| params.min_samples_leaf = 0), false),
            (
                changed(|params| params.max_features = MaxFeatures::Count(0)),
                false,
            ),
            (
                changed(|params| params.max_features = MaxFeatures::Share(1.0)),
                true,
            ),
            (
                changed(|params| params.max_features = MaxFeatures::Share(0.0)),
                false,
            ),
            (
                changed(|params| params.max_features = MaxFeatures::Share(1.1)),
                false,
            ),
            (
                changed(|params| params.max_features = MaxFeatures::Share(f64::NAN)),
                false,
            ),
        ] {
            assert_eq!(params.clone().check().is_ok(), is_good, "{params:?}");
        }
    }

    #[test]
    fn features_are_counted_as_sklearn_counts_them() {
        for (max_features, n_features, count) in [
            (MaxFeatures::Sqrt, 384, 19),
            (MaxFeatures::Sqrt, 1_536, 39),
            (MaxFeatures::Sqrt, 1, 1),
            (MaxFeatures::All, 384, 384),
            (MaxFeatures::Share(0.5), 7, 3),
            (MaxFeatures::Share(0.01), 7, 1),
            (MaxFeatures::Count(3), 7, 3),
        ] {
            assert_eq!(max_features.of(n_features), count, "{max_features:?}");
        }
    }

    #[test]
    fn settings_are_read_as_they_are_written() {
        for (text, max_depth, max_features) in [
            (r#""max-features": "sqrt""#, None, MaxFeatures::Sqrt),
            (
                r#""max-features": "all", "max-depth": 20"#,
                Some(20),
                MaxFeatures::All,
            ),
            (
                r#""max-features": {"share": 0.5}"#,
                None,
                MaxFeatures::Share(0.5),
            ),
            (
                r#""max-features": {"count": 9}"#,
                None,
                MaxFeatures::Count(9),
            ),
        ] {
            let text = format!(
                r#"{{"n-trees": 100, "min-samples-leaf": 1, "bootstrap": true, "seed": 42, {text}}}"#
            );
            let expected = ForestParams {
                max_depth,
                max_features,
                ..params()
            };
            let found: ForestParams = serde_json::from_str(&text).expect("good settings");
            assert_eq!(found, expected, "{text}");
            let again = serde_json::to_string(&found).expect("written");
            let again: ForestParams = serde_json::from_str(&again).expect("read back");
            assert_eq!(again, expected, "{text}");
        }
        assert!(serde_json::from_str::<ForestParams>(r#"{"n-trees": 100}"#).is_err());
    }
}
