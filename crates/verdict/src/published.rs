//! configs/published.toml: the CARROT repository's table of KNN accuracies, which `plots` shows beside ours.

use std::path::Path;

use anyhow::bail;
use cli_support::read_toml;
use serde::Deserialize;

use crate::claims::{Claim, Expect, Metric};

const BUILT_IN: &str = include_str!("../../../configs/published.toml");
/// The embedder that a number may need.
const PAID_EMBEDDER: &str = "text-embedding-3-small";
/// What is appended to the name of a data set whose rows stand as they were published; `gen-openllm --as-published` names it so.
pub(crate) const AS_PUBLISHED: &str = "-as-published";

/// The file as it is written; its head explains the keys.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct PublishedFile {
    published: Vec<Published>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Published {
    id: String,
    dataset: String,
    router: String,
    metric: String,
    value: f64,
    #[expect(
        dead_code,
        reason = "the metric tells; the key is for readers and for `plots`"
    )]
    unit: String,
    tolerance: f64,
    #[serde(rename = "needs-text-embedding-3-small")]
    needs_paid_embedder: bool,
    needs_published_order: bool,
    source: String,
}

impl PublishedFile {
    /// Reads the table.
    ///
    /// # Errors
    /// When the file cannot be read or is not of the expected form.
    pub(crate) fn read(path: Option<&Path>) -> anyhow::Result<Self> {
        read_toml(path, BUILT_IN)
    }

    /// The table's numbers as claims.
    ///
    /// # Errors
    /// For a column that there is not.
    pub(crate) fn claims(self) -> anyhow::Result<Vec<Claim>> {
        self.published.into_iter().map(Published::claim).collect()
    }
}

impl Published {
    fn claim(self) -> anyhow::Result<Claim> {
        let router = self.router;
        let metric = match self.metric.as_str() {
            "n_test" => Metric::NTest,
            "n_models" => Metric::NModels,
            "binarized_acc" => Metric::BinarizedAcc { router },
            "score_mae" => Metric::ScoreMae { router },
            "score_r2" => Metric::ScoreR2 { router },
            "routing_acc" => Metric::RoutingAcc { router },
            "best_single" => Metric::BestSingle,
            "oracle" => Metric::Oracle,
            "cost_mae" => Metric::CostMae { router },
            other => bail!(
                "published number `{}` is of `{other}`, which is no column of the table",
                self.id
            ),
        };
        let order = if self.needs_published_order {
            AS_PUBLISHED
        } else {
            ""
        };
        Ok(Claim {
            id: self.id,
            dataset: self.dataset + order,
            metric,
            expect: Some(Expect::Equal {
                value: self.value,
                tolerance: self.tolerance,
            }),
            embedder: self.needs_paid_embedder.then(|| PAID_EMBEDDER.to_owned()),
            source: self.source,
        })
    }
}
