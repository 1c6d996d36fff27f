//! What can be made: the names of figures and tables, a row each. Who makes them is in `products::catalog`.

use serde::Deserialize;

/// A figure or a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Product {
    AccuracyCost,
    Binary,
    VsRb,
    VsRbZero,
    Spider,
    Worth,
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

/// What a product is called.
struct Row {
    product: Product,
    name: &'static str,
    /// For `--help`; the part after the first colon is the caption in the report.
    about: &'static str,
}

const fn row(product: Product, name: &'static str, about: &'static str) -> Row {
    Row {
        product,
        name,
        about,
    }
}

/// All products, in the order in which they are made.
const ROWS: [Row; 13] = [
    row(
        Product::AccuracyCost,
        "accuracy_cost",
        "figure: all routers and LLMs",
    ),
    row(
        Product::Binary,
        "binary",
        "figure: CARROT against routers of two LLMs, those of the paper",
    ),
    row(
        Product::VsRb,
        "vs_rb",
        "figure: per-LLM routers and the RouterBench rule with their scores (mean costs from the train part)",
    ),
    row(
        Product::VsRbZero,
        "vs_rb_zero",
        "figure: the same, and the zero router",
    ),
    row(
        Product::Spider,
        "spider",
        "figure: by benchmark, a per-LLM router at shares of the large LLM's cost, compared with that LLM; bars in the print version",
    ),
    row(
        Product::Worth,
        "worth",
        "figure: what routers gain over the best single LLM, by dollars per right answer and by task",
    ),
    row(
        Product::Table,
        "table",
        "table: peaks, areas and costs of all routers and LLMs",
    ),
    row(
        Product::MetricsTable,
        "metrics_table",
        "table: the field's metrics with bootstrap intervals, and metrics_differences.csv with paired differences between routers",
    ),
    row(
        Product::Regret,
        "regret",
        "figure and table: what routers lose against the known truth, by train prompts and by lambda; synthetic data only",
    ),
    row(
        Product::EmbeddingDim,
        "embedding_dim",
        "figure: how many dimensions embeddings use (principal components, kernel ones, Isomap)",
    ),
    row(
        Product::RateOptimality,
        "rate_optimality",
        "figures and table: how fast CARROT (KNN) learns, as measured by rate-study, compared with the theoretical rate",
    ),
    row(
        Product::KnnAccuracyTable,
        "knn_accuracy_table",
        "table: how well the paper's KNN predicts, over all data sets, beside the published numbers",
    ),
    row(
        Product::Report,
        "report",
        "page: everything in the folder of figures, an interactive chart per data set, and the manifests",
    ),
];

impl Product {
    /// In the order in which they are made.
    pub(crate) const ALL: [Self; ROWS.len()] = {
        let mut all = [Self::AccuracyCost; ROWS.len()];
        // Iterators do not run in constants, and a list typed by hand might lack a product.
        let mut i = 0;
        while i < ROWS.len() {
            all[i] = ROWS[i].product;
            i += 1;
        }
        all
    };

    /// What the command line calls it, and its files where the paper has no name for it.
    pub(crate) fn name(self) -> &'static str {
        self.row().name
    }

    /// What it is, for `--help`.
    pub(crate) fn about(self) -> &'static str {
        self.row().about
    }

    /// The product of a name of ours, not of the paper's.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.name() == name)
    }

    /// Rows are in the order of the enum, which a test checks.
    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_a_row_and_a_name_of_its_own() {
        for (i, product) in Product::ALL.into_iter().enumerate() {
            assert_eq!(Product::named(product.name()), Some(product));
            assert_eq!(product as usize, i, "all are in the list, in order");
        }
        assert_eq!(Product::named("routerbench_binary"), None);
    }
}
