//! What can be made, and who makes it: one module per figure or table, and one line of each table below.

mod accuracy_cost;
pub(crate) mod binary;
mod embedding_dim;
mod knn_accuracy_table;
mod metrics_table;
mod rate_optimality;
mod regret;
mod report;
mod spider;
mod table;
mod vs_rb;

use dataset::DatasetDir;
use serde::Deserialize;

use crate::{args::Job, inputs::Inputs, outcome::Outcome, results::Results};

/// A figure or a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Product {
    AccuracyCost,
    Binary,
    VsRb,
    VsRbZero,
    Spider,
    Table,
    MetricsTable,
    Regret,
    EmbeddingDim,
    RateOptimality,
    KnnAccuracyTable,
    Report,
}

/// What the name of a spider's bars, its form for print, has after the spider's own.
pub(crate) const SPIDER_BARS: &str = "_bars";
/// The table of differences between routers, which `metrics_table` makes too.
pub(crate) const METRICS_DIFFERENCES: &str = "metrics_differences";

/// How something is made.
#[derive(Clone, Copy)]
pub(crate) enum Maker {
    /// Of the predictions for one data set.
    Predictions(fn(&Evaluated<'_>, &mut Outcome) -> anyhow::Result<()>),
    /// Of one data set, with or without predictions.
    Dataset(fn(&Job, &DatasetDir, &mut Outcome) -> anyhow::Result<()>),
    /// Of what is no data set.
    Studies(fn(&Job, &mut Outcome) -> anyhow::Result<()>),
    /// Of all data sets that have predictions, after all else.
    All(fn(&Job, &[Results], &mut Outcome) -> anyhow::Result<()>),
}

/// A data set with what its predictions are worth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evaluated<'a> {
    pub(crate) job: &'a Job,
    pub(crate) inputs: &'a Inputs,
    pub(crate) results: &'a Results,
}

impl Product {
    /// In the order in which they are made.
    pub(crate) const ALL: [Self; 12] = [
        Self::AccuracyCost,
        Self::Binary,
        Self::VsRb,
        Self::VsRbZero,
        Self::Spider,
        Self::Table,
        Self::MetricsTable,
        Self::Regret,
        Self::EmbeddingDim,
        Self::RateOptimality,
        Self::KnnAccuracyTable,
        Self::Report,
    ];

    /// What the command line calls it, and its files where the paper has no name for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AccuracyCost => "accuracy_cost",
            Self::Binary => "binary",
            Self::VsRb => "vs_rb",
            Self::VsRbZero => "vs_rb_zero",
            Self::Spider => "spider",
            Self::Table => "table",
            Self::MetricsTable => "metrics_table",
            Self::Regret => "regret",
            Self::EmbeddingDim => "embedding_dim",
            Self::RateOptimality => "rate_optimality",
            Self::KnnAccuracyTable => "knn_accuracy_table",
            Self::Report => "report",
        }
    }

    /// What it is, for `--help`.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::AccuracyCost => "figure: all routers and LLMs",
            Self::Binary => "figure: CARROT against routers of two LLMs, those of the paper",
            Self::VsRb => {
                "figure: per-LLM routers and the RouterBench rule with their scores (mean costs from the training split)"
            }
            Self::VsRbZero => "figure: the same, and the zero router",
            Self::Spider => {
                "figure: by benchmark, a per-LLM router at parts of the large LLM's cost against that LLM; as bars for print"
            }
            Self::Table => "table: peaks, areas and costs of all routers and LLMs",
            Self::MetricsTable => {
                "table: the field's metrics with bootstrap intervals, and metrics_differences.csv with those of differences between routers"
            }
            Self::Regret => {
                "figure and table: what routers lose against the known truth, by train prompts and by lambda; synthetic data only"
            }
            Self::EmbeddingDim => {
                "figure: how many dimensions embeddings use (principal components, kernel ones, Isomap)"
            }
            Self::RateOptimality => {
                "figures and table: how fast CARROT (KNN) learns against the rate of theory, of what rate-study measured"
            }
            Self::KnnAccuracyTable => {
                "table: how well the paper's KNN predicts, over all data sets, beside the published numbers"
            }
            Self::Report => {
                "page: all that lies in the folder of figures, an interactive chart per data set, and the manifests"
            }
        }
    }

    pub(crate) fn maker(self) -> Maker {
        match self {
            Self::AccuracyCost => Maker::Predictions(accuracy_cost::make),
            Self::Binary => Maker::Predictions(binary::make),
            Self::VsRb => Maker::Predictions(vs_rb::make),
            Self::VsRbZero => Maker::Predictions(vs_rb::make_with_zero_router),
            Self::Spider => Maker::Predictions(spider::make),
            Self::Table => Maker::Predictions(table::make),
            Self::MetricsTable => Maker::Predictions(metrics_table::make),
            Self::Regret => Maker::Dataset(regret::make),
            Self::EmbeddingDim => Maker::Dataset(embedding_dim::make),
            Self::RateOptimality => Maker::Studies(rate_optimality::make),
            Self::KnnAccuracyTable => Maker::All(knn_accuracy_table::make),
            Self::Report => Maker::All(report::make),
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_a_name_of_its_own() {
        for (i, product) in Product::ALL.into_iter().enumerate() {
            assert_eq!(Product::named(product.name()), Some(product));
            assert_eq!(product as usize, i, "all are in the list, in order");
        }
        assert_eq!(Product::named("routerbench_binary"), None);
    }
}
