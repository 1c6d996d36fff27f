//! Who makes what: one row per product.

use dataset::DatasetDir;

use super::{
    accuracy_cost, binary, embedding_dim, evaluated::Evaluated, knn_accuracy_table, metrics_table,
    rate_optimality, regret, report, spider, table, vs_rb, worth,
};
use crate::{
    data::inputs::Inputs,
    output::outcome::Outcome,
    page::evaluation::Evaluations,
    settings::{job::Job, product::Product},
};

/// How something is made, by what it is made from.
#[derive(Clone, Copy)]
pub(crate) enum Maker {
    /// From the predictions for one data set.
    Predictions(fn(&Evaluated<'_>, &mut Outcome) -> anyhow::Result<()>),
    /// From one data set, with or without predictions.
    Dataset(fn(&Job, &DatasetDir, &mut Outcome) -> anyhow::Result<()>),
    /// From one data set, and the predictions for its test part where there are any.
    Whole(fn(&Job, &DatasetDir, Option<&Inputs>, &mut Outcome) -> anyhow::Result<()>),
    /// From studies of rates, which are not data sets.
    Studies(fn(&Job, &mut Outcome) -> anyhow::Result<()>),
    /// From all data sets that have predictions, after everything else.
    All(fn(&Job, &Evaluations, &mut Outcome) -> anyhow::Result<()>),
}

/// In the order of [`Product::ALL`].
const CATALOG: [(Product, Maker); Product::ALL.len()] = [
    (
        Product::AccuracyCost,
        Maker::Predictions(accuracy_cost::make),
    ),
    (Product::Binary, Maker::Predictions(binary::make)),
    (Product::VsRb, Maker::Predictions(vs_rb::make)),
    (
        Product::VsRbZero,
        Maker::Predictions(vs_rb::make_with_zero_router),
    ),
    (Product::Spider, Maker::Predictions(spider::make)),
    (Product::Worth, Maker::Whole(worth::make)),
    (Product::Table, Maker::Predictions(table::make)),
    (
        Product::MetricsTable,
        Maker::Predictions(metrics_table::make),
    ),
    (Product::Regret, Maker::Dataset(regret::make)),
    (Product::EmbeddingDim, Maker::Dataset(embedding_dim::make)),
    (
        Product::RateOptimality,
        Maker::Studies(rate_optimality::make),
    ),
    (
        Product::KnnAccuracyTable,
        Maker::All(knn_accuracy_table::make),
    ),
    (Product::Report, Maker::All(report::make)),
];

/// Who makes a product. Rows are in the order of the products, which a test checks.
pub(crate) fn maker(product: Product) -> Maker {
    CATALOG[product as usize].1
}

/// Whether a product is made from data sets: studies of rates are not.
pub(crate) fn is_of_data_sets(product: Product) -> bool {
    !matches!(maker(product), Maker::Studies(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_one_maker() {
        assert_eq!(CATALOG.map(|(product, _)| product), Product::ALL);
        assert!(is_of_data_sets(Product::Regret));
        assert!(!is_of_data_sets(Product::RateOptimality));
    }
}
