//! configs/published.toml: the numbers that CARROT published.

use anyhow::ensure;
use serde::Deserialize;

/// The numbers, which no flag replaces: they are what they are.
const BUILT_IN: &str = include_str!("../../../../configs/published.toml");
/// What gen-openllm adds to the name of a data set that keeps the published order.
const AS_PUBLISHED: &str = "-as-published";

/// All published numbers; the keys are explained in configs/published.toml.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Published {
    published: Vec<Number>,
}

/// One number.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Number {
    id: String,
    dataset: String,
    router: String,
    metric: String,
    pub(crate) value: f64,
    unit: Unit,
    tolerance: f64,
    needs_text_embedding_3_small: bool,
    needs_published_order: bool,
    pub(crate) source: String,
}

/// What a number counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unit {
    Count,
    Share,
    UsdPerQuery,
    OutputTokensPerQuery,
}

impl Published {
    /// Reads and checks the numbers.
    ///
    /// # Errors
    /// When an entry is not of the form, an id occurs twice, or a count is no whole number.
    pub(crate) fn read() -> anyhow::Result<Self> {
        let all: Self = cli_support::read_toml(None, BUILT_IN)?;
        for (i, number) in all.published.iter().enumerate() {
            ensure!(
                all.published[..i].iter().all(|other| other.id != number.id),
                "`{}` is published twice",
                number.id
            );
            ensure!(
                number.value.is_finite() && number.tolerance >= 0.0,
                "`{}` has no finite value, or a negative tolerance",
                number.id
            );
            ensure!(
                number.unit != Unit::Count || number.value.fract() == 0.0,
                "`{}` is a count of {}, expected a whole number",
                number.id,
                number.value
            );
        }
        Ok(all)
    }

    /// A router's number on a data set. One that keeps the published order of the Open LLM Leaderboard's matrix has those of the data set that
    /// it is the twin of: they were published of that order.
    pub(crate) fn of(&self, dataset: &str, router: &str, metric: &str) -> Option<&Number> {
        let dataset = dataset.strip_suffix(AS_PUBLISHED).unwrap_or(dataset);
        self.published.iter().find(|number| {
            number.dataset == dataset && number.router == router && number.metric == metric
        })
    }
}

impl Number {
    /// What has to be so for the number to hold, in words.
    pub(crate) fn conditions(&self) -> Vec<&'static str> {
        let mut conditions = Vec::new();
        if self.needs_text_embedding_3_small {
            conditions.push("text-embedding-3-small");
        }
        if self.needs_published_order {
            conditions.push("rows as published");
        }
        conditions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers_are_found() {
        let all = Published::read().expect("good");
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
        let oracle = all
            .of("open-llm-lb-v2", "carrot-knn", "oracle")
            .expect("there");
        assert_eq!(oracle.conditions(), ["rows as published"]);
    }
}
