//! Who makes what: one row per product.

use dataset::DatasetDir;

use super::{
    accuracy_cost, binary, embedding_dim, evaluated::Evaluated, knn_accuracy_table, metrics_table,
    rate_optimality, regret, report, spider, table, vs_rb,
};
use crate::{
    data::results::Results,
    output::outcome::Outcome,
    settings::{job::Job, product::Product},
};

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

impl Product {
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
}
