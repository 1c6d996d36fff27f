//! The command line: as typed ([`Args`]), then checked ([`Job`]).

use std::{collections::BTreeSet, path::PathBuf};

use cli_support::{ConfigFile, DataDir, Output, PlotsDir, examples};

use crate::settings::Settings;

const EXAMPLES: [&str; 2] = [
    "cargo run -p plots",
    "cargo run -p plots -- --dataset mmlu-pro open-llm --format pdf",
];

/// Draw accuracy-cost figures and tables from predictions
///
/// For each data set: plots/DATASET/accuracy_cost.{svg,pdf,png}, the CSV that the figure was drawn from, and table.{md,csv}. Over all of
/// them: plots/knn_accuracy_table.{md,csv}. Prints the paths written.
#[derive(Debug, clap::Parser)]
#[command(name = "plots", version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Data sets, separated by spaces or commas [default: all that have predictions]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME")]
    dataset: Vec<String>,
    /// Formats of the figure, separated by spaces or commas
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

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Job {
    /// Data sets by name, each once; `None` for all that have predictions.
    pub(crate) datasets: Option<BTreeSet<String>>,
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
        // `a, b` comes as `a`, an empty name and `b`.
        let names: BTreeSet<String> = args
            .dataset
            .iter()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        Ok(Self {
            datasets: (!names.is_empty()).then_some(names),
            formats: args.format.into_iter().collect(),
            data_dir: args.data_dir.data_dir,
            plots_dir: args.plots_dir.plots_dir,
            settings: Settings::read(args.config.config.as_deref())?,
            output: args.output,
        })
    }
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
        assert_eq!((job.datasets, job.formats.len()), (None, 3));
        assert!(Args::try_parse_from(["plots", "--format", "gif"]).is_err());
    }
}
