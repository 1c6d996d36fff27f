//! configs/published.toml: the numbers that CARROT published, to hold ours against.

use std::{collections::BTreeSet, path::Path};

use serde::Deserialize;

/// The file as it is in the repository, and its text.
const PATH: &str = "configs/published.toml";
const BUILT_IN: &str = include_str!("../../../configs/published.toml");

/// The embedder that a number may need.
pub const PAID_EMBEDDER: &str = "text-embedding-3-small";
/// What is appended to the name of a data set whose rows are in the order in which the Open LLM Leaderboard's matrix was published.
pub const AS_PUBLISHED: &str = "-as-published";

/// All published numbers; the head of configs/published.toml explains the keys.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Published {
    published: Vec<PublishedNumber>,
}

/// One number.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PublishedNumber {
    /// A unique name.
    pub id: String,
    /// The data set that it was published for.
    pub dataset: String,
    /// Whose number it is, by the name of its predictions.
    pub router: String,
    /// What was measured.
    pub metric: PublishedMetric,
    /// The number.
    pub value: f64,
    /// What it counts in.
    pub unit: PublishedUnit,
    /// The largest difference that still is the same number.
    pub tolerance: f64,
    /// Whether it holds only for embeddings of [`PAID_EMBEDDER`].
    pub needs_text_embedding_3_small: bool,
    /// Whether it holds only for the data set with the name's ending [`AS_PUBLISHED`].
    pub needs_published_order: bool,
    /// Where it is published.
    pub source: String,
}

/// A column of the CARROT repository's table of KNN accuracies; see [`crate::metric::PredictionAccuracy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishedMetric {
    /// Test prompts.
    NTest,
    /// LLMs.
    NModels,
    /// Share of right predictions of right answers.
    BinarizedAcc,
    /// Mean absolute error of scores.
    ScoreMae,
    /// Coefficient of determination of scores.
    ScoreR2,
    /// Mean score of the LLM with the best predicted score.
    RoutingAcc,
    /// Highest mean score of any LLM.
    BestSingle,
    /// Mean of the best score of each prompt.
    Oracle,
    /// Mean absolute error of what costs are predicted in.
    CostMae,
}

/// What a number counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PublishedUnit {
    /// Of rows or LLMs.
    Count,
    /// Of 1.
    Share,
    /// US dollars per prompt.
    UsdPerQuery,
    /// Output tokens per prompt.
    OutputTokensPerQuery,
}

/// What can be wrong with published numbers.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// The file cannot be read or is not of the expected form.
    #[error(transparent)]
    File(#[from] dataset::Error),
    /// Two numbers have the same id.
    #[error("duplicate published number `{id}`")]
    Duplicate {
        /// The id.
        id: String,
    },
    /// A number that nothing can be held against.
    #[error(
        "published number `{id}` is {value} with tolerance {tolerance}, expected finite numbers, and a tolerance of at least 0"
    )]
    BadNumber {
        /// The id.
        id: String,
        /// The number.
        value: f64,
        /// Its tolerance.
        tolerance: f64,
    },
    /// A count that is not whole.
    #[error("published number `{id}` is a count of {value}, expected a whole number")]
    BadCount {
        /// The id.
        id: String,
        /// The number.
        value: f64,
    },
}

impl Published {
    /// Reads and checks a file of this form, or the one that is built in.
    ///
    /// # Errors
    /// [`PublishedError`].
    pub fn read(path: Option<&Path>) -> Result<Self, PublishedError> {
        let all: Self = match path {
            Some(path) => dataset::toml::read(path)?,
            None => dataset::toml::parse(BUILT_IN, Path::new(PATH))?,
        };
        let mut ids = BTreeSet::new();
        for number in &all.published {
            number.check()?;
            if !ids.insert(&number.id) {
                let id = number.id.clone();
                return Err(PublishedError::Duplicate { id });
            }
        }
        Ok(all)
    }

    /// The numbers in the order of the file.
    pub fn numbers(&self) -> &[PublishedNumber] {
        &self.published
    }

    /// A router's number on a data set, by the name of its column. A data set that keeps the published order of the Open LLM Leaderboard's
    /// matrix has the numbers of the data set that it is the twin of: they were published of that order.
    pub fn of(&self, dataset: &str, router: &str, column: &str) -> Option<&PublishedNumber> {
        let dataset = dataset.strip_suffix(AS_PUBLISHED).unwrap_or(dataset);
        self.published.iter().find(|number| {
            number.dataset == dataset && number.router == router && number.metric.name() == column
        })
    }
}

impl PublishedNumber {
    fn check(&self) -> Result<(), PublishedError> {
        let Self {
            ref id,
            value,
            tolerance,
            unit,
            ..
        } = *self;
        if !(value.is_finite() && tolerance.is_finite() && tolerance >= 0.0) {
            return Err(PublishedError::BadNumber {
                id: id.clone(),
                value,
                tolerance,
            });
        }
        if unit == PublishedUnit::Count && value.fract() != 0.0 {
            let id = id.clone();
            return Err(PublishedError::BadCount { id, value });
        }
        Ok(())
    }

    /// The data set on which the number holds.
    pub fn holds_on(&self) -> String {
        let order = if self.needs_published_order {
            AS_PUBLISHED
        } else {
            ""
        };
        format!("{}{order}", self.dataset)
    }

    /// The embedder that the number needs, if it needs a certain one.
    pub fn embedder(&self) -> Option<&'static str> {
        self.needs_text_embedding_3_small.then_some(PAID_EMBEDDER)
    }

    /// What has to be so for the number to hold, in words.
    pub fn conditions(&self) -> Vec<&'static str> {
        let order = self.needs_published_order.then_some("rows as published");
        self.embedder().into_iter().chain(order).collect()
    }
}

impl PublishedMetric {
    /// The column's name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::NTest => "n_test",
            Self::NModels => "n_models",
            Self::BinarizedAcc => "binarized_acc",
            Self::ScoreMae => "score_mae",
            Self::ScoreR2 => "score_r2",
            Self::RoutingAcc => "routing_acc",
            Self::BestSingle => "best_single",
            Self::Oracle => "oracle",
            Self::CostMae => "cost_mae",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn published_numbers_are_found() {
        let all = Published::read(None).expect("good");
        for (dataset, metric, expected) in [
            ("routerbench", "n_test", Some(7143.0)),
            ("sprout", "cost_mae", Some(357.3613)),
            ("open-llm-lb-v2", "oracle", Some(0.9715)),
            ("open-llm-lb-v2-as-published", "oracle", Some(0.9715)),
            ("open-llm-lb-v2", "cost_mae", None),
            ("mmlu-pro", "oracle", None),
        ] {
            let found = all.of(dataset, "carrot-knn", metric);
            assert_eq!(
                found.map(|number| number.value),
                expected,
                "{dataset} {metric}"
            );
        }
        let oracle = all.of("open-llm-lb-v2", "carrot-knn", "oracle");
        let oracle = oracle.expect("there");
        assert_eq!(oracle.conditions(), ["rows as published"]);
        assert_eq!(oracle.holds_on(), "open-llm-lb-v2-as-published");
        assert_eq!(oracle.embedder(), None);
    }

    #[test]
    fn bad_numbers_are_refused() {
        let entry = |id: &str, metric: &str, value: &str, tolerance: &str| {
            format!(
                "[[published]]\nid = \"{id}\"\ndataset = \"d\"\nrouter = \"r\"\nmetric = \"{metric}\"\nvalue = {value}\nunit = \"count\"\n\
                 tolerance = {tolerance}\nneeds-text-embedding-3-small = false\nneeds-published-order = false\nsource = \"a test\"\n"
            )
        };
        let good = entry("a", "n_test", "3", "0");
        for (text, expected) in [
            (good.clone(), None),
            (
                format!("{good}{good}"),
                Some("duplicate published number `a`"),
            ),
            (entry("a", "n_test", "3.5", "0"), Some("a count of 3.5")),
            (
                entry("a", "n_test", "nan", "0"),
                Some("is NaN with tolerance 0"),
            ),
            (entry("a", "n_test", "3", "-1"), Some("with tolerance -1")),
            (
                entry("a", "color", "3", "0"),
                Some("unknown variant `color`"),
            ),
        ] {
            let file = tempfile::NamedTempFile::new().expect("a temporary file");
            fs::write(file.path(), &text).expect("written");
            let found = Published::read(Some(file.path())).err().map(|error| {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                format!("{error} {}", source.unwrap_or_default())
            });
            match (found, expected) {
                (None, None) => {}
                (Some(found), Some(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{found:?}, expected {expected:?}"),
            }
        }
    }
}
