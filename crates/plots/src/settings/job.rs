//! What a run is asked to do, checked; the command line becomes it in `cli::job`.

use std::{collections::BTreeSet, path::PathBuf};

use charts::draw::look::Look;
use cli_support::Output;

use super::{Settings, product::Product};

/// What a run does.
#[derive(Debug)]
pub(crate) struct Job {
    /// Data sets by name, each once; `None` for all.
    pub(crate) datasets: Option<BTreeSet<String>>,
    /// Figures and tables; never empty.
    pub(crate) wanted: BTreeSet<Wanted>,
    /// Embedders by name; `None` for all that a data set has embeddings of.
    pub(crate) embeddings: Option<BTreeSet<String>>,
    pub(crate) reference_quirks: bool,
    pub(crate) looks: BTreeSet<Look>,
    pub(crate) formats: BTreeSet<Format>,
    pub(crate) data_dir: PathBuf,
    pub(crate) plots_dir: PathBuf,
    pub(crate) settings: Settings,
    /// How the paths written are printed.
    pub(crate) output: Output,
}

/// A figure or a table that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) product: Product,
    /// Where it was asked for by the paper's name: the data sets that the name is of.
    pub(crate) datasets: Option<BTreeSet<String>>,
}

/// What a figure is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Format {
    /// Vector graphics with real text; the others are made from it
    Svg,
    /// Vector graphics with real text
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

impl Job {
    /// Where a data set's figures and tables go.
    pub(crate) fn folder(&self, dataset: &str) -> PathBuf {
        self.plots_dir.join(dataset)
    }
}

impl Wanted {
    /// Of every data set that the run is about.
    pub(crate) fn of_all(product: Product) -> Self {
        Self {
            product,
            datasets: None,
        }
    }
}
