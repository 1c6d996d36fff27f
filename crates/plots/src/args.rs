//! The command line: as typed ([`Args`]), then checked ([`Job`]).

use std::{collections::BTreeSet, path::PathBuf};

use clap::ValueEnum as _;
use cli_support::{ConfigFile, DataDir, Output, PlotsDir, examples};

use crate::settings::Settings;

const EXAMPLES: [&str; 4] = [
    "cargo run -p plots",
    "cargo run -p plots -- --figure vs_rb_zero metrics_table",
    "cargo run -p plots -- --figure embedding_dim --dataset mmlu-pro --embedding minilm",
    "cargo run -p plots -- --dataset mmlu-pro open-llm --format pdf",
];

/// Draw accuracy-cost figures and tables from predictions
///
/// For each data set: plots/DATASET/FIGURE.{svg,pdf,png} with the CSV that the figure was drawn from, and plots/DATASET/TABLE.{md,csv}.
/// Over all of them: plots/knn_accuracy_table.{md,csv}. Prints the paths written, and logs what was skipped with the command that would
/// make its input. A figure of the paper has the name of its data set and of its kind: the paper's `routerbench_vs_rb` is
/// plots/routerbench/vs_rb_zero, its `sprout_vs_rb_zero` is plots/sprout-o3mini/vs_rb_zero, and its `sprout_embedding_dim` is
/// plots/sprout/embedding_dim-EMBEDDER.
#[derive(Debug, clap::Parser)]
#[command(name = "plots", version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Data sets, separated by spaces or commas [default: all that have predictions]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME")]
    dataset: Vec<String>,
    /// Figures and tables, separated by spaces or commas [default: all that can be made of predictions]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME")]
    figure: Vec<Product>,
    /// Embedders of `embedding_dim`, separated by spaces or commas [default: all whose vectors a data set has]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME")]
    embedding: Vec<String>,
    /// Draw vs_rb_zero-reference beside vs_rb_zero: mean costs from the test split, the reference's grids of lambda and its zero router;
    /// for the data sets that the settings name
    #[arg(long)]
    reference_quirks: bool,
    /// Formats of the figures, separated by spaces or commas
    #[arg(long, num_args = 1.., value_delimiter = ',', default_values = ["svg", "pdf", "png"])]
    format: Vec<Format>,
    #[command(flatten)]
    data_dir: DataDir,
    #[command(flatten)]
    plots_dir: PlotsDir,
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What a figure is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Format {
    /// Vectors and real text; the others are made from it
    Svg,
    /// Vectors and real text
    Pdf,
    /// Pixels
    Png,
}

impl Format {
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
        }
    }
}

/// What can be made, by the name of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Product {
    /// Figure: all routers and LLMs
    AccuracyCost,
    /// Figure: per-LLM routers, the RouterBench rule with their scores (mean costs from the training split), the zero router
    VsRbZero,
    /// Table: peaks, areas and costs of all routers and LLMs
    Table,
    /// Table: the field's metrics with bootstrap intervals, and metrics_differences.csv with those of differences between routers
    MetricsTable,
    /// Table: how well the paper's KNN predicts, over all data sets
    KnnAccuracyTable,
    /// Figure: how many dimensions embeddings use (principal components, kernel ones, Isomap); drawn only when asked for
    EmbeddingDim,
    /// Figures and table: how fast CARROT (KNN) learns, of the folders that `rate-study` made; drawn only when asked for
    RateOptimality,
}

impl Product {
    /// Those that need predictions.
    pub(crate) const OF_PREDICTIONS: [Self; 5] = [
        Self::AccuracyCost,
        Self::VsRbZero,
        Self::Table,
        Self::MetricsTable,
        Self::KnnAccuracyTable,
    ];

    /// The stem of its files, which is also what the command line calls it.
    pub(crate) fn name(self) -> String {
        self.to_possible_value()
            .expect("no product is hidden from the command line")
            .get_name()
            .to_owned()
    }
}

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Job {
    /// Data sets by name, each once; `None` for all that have predictions.
    pub(crate) datasets: Option<BTreeSet<String>>,
    /// Figures and tables; never empty.
    pub(crate) products: BTreeSet<Product>,
    /// Embedders by name; `None` for all that are there.
    pub(crate) embeddings: Option<BTreeSet<String>>,
    pub(crate) reference_quirks: bool,
    pub(crate) formats: BTreeSet<Format>,
    pub(crate) data_dir: PathBuf,
    pub(crate) plots_dir: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) output: Output,
}

impl Job {
    /// Reads the settings and drops what was named twice.
    ///
    /// # Errors
    /// When the settings cannot be used.
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        Ok(Self {
            datasets: names(&args.dataset),
            embeddings: names(&args.embedding),
            reference_quirks: args.reference_quirks,
            products: if args.figure.is_empty() {
                Product::OF_PREDICTIONS.into()
            } else {
                args.figure.into_iter().collect()
            },
            formats: args.format.into_iter().collect(),
            data_dir: args.data_dir.data_dir,
            plots_dir: args.plots_dir.plots_dir,
            settings: Settings::read(args.config.config.as_deref())?,
            output: args.output,
        })
    }

    pub(crate) fn wants(&self, product: Product) -> bool {
        self.products.contains(&product)
    }

    pub(crate) fn wants_any(&self, products: &[Product]) -> bool {
        products.iter().any(|&product| self.wants(product))
    }
}

/// Names, each once; `None` where none was given.
fn names(typed: &[String]) -> Option<BTreeSet<String>> {
    // `a, b` comes as `a`, an empty name and `b`.
    let names: BTreeSet<String> = typed
        .iter()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn names_come_with_spaces_or_commas() {
        for line in [
            "plots --dataset a b",
            "plots --dataset a,b",
            "plots --dataset a --dataset b,a",
            "plots --dataset a, b",
        ] {
            let job = Args::try_parse_from(line.split(' '))
                .map_err(anyhow::Error::from)
                .and_then(Job::new);
            let datasets = job.expect(line).datasets.expect(line);
            assert_eq!(
                datasets.into_iter().collect::<Vec<_>>(),
                ["a", "b"],
                "{line}"
            );
        }
        let job = Args::try_parse_from(["plots"])
            .map_err(anyhow::Error::from)
            .and_then(Job::new)
            .expect("no names");
        assert_eq!(
            (job.datasets, job.formats.len(), job.products.len()),
            (None, 3, Product::OF_PREDICTIONS.len())
        );
        assert!(Args::try_parse_from(["plots", "--format", "gif"]).is_err());
        assert!(Args::try_parse_from(["plots", "--figure", "spider"]).is_err());
    }

    #[test]
    fn products_are_named_after_their_files() {
        let job = Args::try_parse_from(["plots", "--figure", "vs_rb_zero,metrics_table"])
            .map_err(anyhow::Error::from)
            .and_then(Job::new)
            .expect("two products");
        assert!(job.wants(Product::VsRbZero) && job.wants(Product::MetricsTable));
        assert!(!job.wants_any(&[Product::Table, Product::AccuracyCost]));
        assert_eq!(Product::VsRbZero.name(), "vs_rb_zero");
    }
}
