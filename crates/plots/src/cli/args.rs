//! The command line as typed; `cli::job` checks it.

use charts::draw::look::Look;
use cli_support::{ConfigFile, DataDir, Output, PlotsDir, examples};

use crate::settings::{job::Format, product::Product};

const EXAMPLES: [&str; 5] = [
    "cargo run -p plots",
    "cargo run -p plots -- --figure vs_rb_zero metrics_table",
    "cargo run -p plots -- --figure routerbench_binary --look bw --format pdf",
    "cargo run -p plots -- --figure embedding_dim --dataset mmlu-pro --embedding minilm",
    "cargo run -p plots -- --dataset mmlu-pro open-llm --format pdf",
];

/// Draw accuracy-cost figures and tables from predictions
///
/// For each data set: plots/DATASET/FIGURE.{svg,pdf,png} with the CSV that the figure was drawn from, print versions in
/// plots/DATASET/bw/, and plots/DATASET/TABLE.{md,csv}. Over all data sets: plots/knn_accuracy_table.{md,csv}, and plots/report.html, a
/// single page with everything, to open in a browser. Prints the paths written, and logs what was skipped with the command that creates the
/// missing input. Figures that the paper shows keep the paper's name (`routerbench_binary`); for other data sets they are named by kind
/// (`binary`). --figure accepts both.
#[derive(Debug, clap::Parser)]
#[command(name = "plots", version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Data sets, separated by spaces or commas [default: all]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME")]
    pub(super) dataset: Vec<String>,
    /// Figures and tables, separated by spaces or commas [default: all]; a name from the paper also selects its data set
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME", long_help = figure_help())]
    pub(super) figure: Vec<String>,
    /// Embedders of `embedding_dim`, separated by spaces or commas [default: all whose embeddings a data set has]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME")]
    pub(super) embedding: Vec<String>,
    /// Also draw figures the way the reference implementation does, as FIGURE-reference: with its grids of lambda and thresholds, mean costs
    /// from the test split, and its zero router; for the figures that the settings list
    #[arg(long)]
    pub(super) reference_quirks: bool,
    /// Looks of the figures, separated by spaces or commas
    #[arg(long, num_args = 1.., value_delimiter = ',', default_values = ["color", "bw"])]
    pub(super) look: Vec<LookName>,
    /// Formats of the figures, separated by spaces or commas
    #[arg(long, num_args = 1.., value_delimiter = ',', default_values = ["svg", "pdf", "png"])]
    pub(super) format: Vec<Format>,
    #[command(flatten)]
    pub(super) data_dir: DataDir,
    #[command(flatten)]
    pub(super) plots_dir: PlotsDir,
    #[command(flatten)]
    pub(super) config: ConfigFile,
    #[command(flatten)]
    pub(super) output: Output,
}

impl Args {
    /// Whether only warnings and errors are logged.
    pub(crate) fn is_quiet(&self) -> bool {
        self.output.quiet
    }
}

/// For whom figures are drawn, as typed.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum LookName {
    /// Screens and papers in color
    Color,
    /// Print: black and grays, with markers along the curves; in a folder `bw`
    Bw,
}

// `charts` has no command line, so its looks get their names and their help here.
impl From<LookName> for Look {
    fn from(name: LookName) -> Self {
        match name {
            LookName::Color => Self::Color,
            LookName::Bw => Self::Bw,
        }
    }
}

/// What --figure takes.
fn figure_help() -> String {
    let mut help =
        "Figures and tables, separated by spaces or commas [default: all]; a name from the paper, such as `routerbench_binary`, also selects \
         its data set\n\n"
            .to_owned();
    for product in Product::ALL {
        help += &format!("- {}: {}\n", product.name(), product.about());
    }
    help
}
