//! The command line: as typed ([`Args`]), then checked ([`Job`]).

use std::{collections::BTreeSet, path::PathBuf};

use cli_support::{ConfigFile, DataDir, Output, PlotsDir, examples, usage_error};

use crate::{
    products::{Maker, Product},
    settings::Settings,
    theme::Look,
};

const EXAMPLES: [&str; 5] = [
    "cargo run -p plots",
    "cargo run -p plots -- --figure vs_rb_zero metrics_table",
    "cargo run -p plots -- --figure routerbench_binary --look bw --format pdf",
    "cargo run -p plots -- --figure embedding_dim --dataset mmlu-pro --embedding minilm",
    "cargo run -p plots -- --dataset mmlu-pro open-llm --format pdf",
];

/// Draw accuracy-cost figures and tables from predictions
///
/// For each data set: plots/DATASET/FIGURE.{svg,pdf,png} with the CSV that the figure was drawn from, the same for print in
/// plots/DATASET/bw/, and plots/DATASET/TABLE.{md,csv}. Over all of them: plots/knn_accuracy_table.{md,csv}, and
/// plots/report.html, one page to open in a browser with all of it. Prints the paths written, and logs what was skipped with the command that
/// would make its input. A figure that the paper shows has the paper's name
/// (`routerbench_binary`), of other data sets the name of its kind (`binary`); --figure takes both.
#[derive(Debug, clap::Parser)]
#[command(name = "plots", version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Data sets, separated by spaces or commas [default: all]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME")]
    dataset: Vec<String>,
    /// Figures and tables, separated by spaces or commas [default: all]; a name of the paper's selects its data set too
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME", long_help = figure_help())]
    figure: Vec<String>,
    /// Embedders of `embedding_dim`, separated by spaces or commas [default: all whose vectors a data set has]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME")]
    embedding: Vec<String>,
    /// Draw the reference's way beside ours, as FIGURE-reference: its grids of lambda and thresholds, mean costs from the test split, its
    /// zero router; for the figures that the settings name
    #[arg(long)]
    reference_quirks: bool,
    /// Looks of the figures, separated by spaces or commas
    #[arg(long, num_args = 1.., value_delimiter = ',', default_values = ["color", "bw"])]
    look: Vec<Look>,
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

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Job {
    /// Data sets by name, each once; `None` for all.
    pub(crate) datasets: Option<BTreeSet<String>>,
    /// Figures and tables; never empty.
    pub(crate) wanted: BTreeSet<Wanted>,
    /// Embedders by name; `None` for all that are there.
    pub(crate) embeddings: Option<BTreeSet<String>>,
    pub(crate) reference_quirks: bool,
    pub(crate) looks: BTreeSet<Look>,
    pub(crate) formats: BTreeSet<Format>,
    pub(crate) data_dir: PathBuf,
    pub(crate) plots_dir: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) output: Output,
}

/// A figure or a table that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wanted {
    pub(crate) product: Product,
    /// Where it was asked for by the paper's name: the data sets that the name is of.
    pub(crate) datasets: Option<BTreeSet<String>>,
}

impl Job {
    /// Reads the settings and drops what was named twice.
    ///
    /// # Errors
    /// When the settings cannot be used, or a figure is asked for that there is not.
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let settings = Settings::read(args.config.config.as_deref())?;
        let datasets = names(&args.dataset);
        let everything = || Product::ALL.into_iter().map(Wanted::of_all);
        let wanted = match names(&args.figure) {
            Some(names) => names
                .iter()
                .map(|name| wanted(name, datasets.as_ref(), &settings))
                .collect::<anyhow::Result<BTreeSet<_>>>()?,
            None => everything().collect(),
        };
        Ok(Self {
            datasets,
            wanted,
            embeddings: names(&args.embedding),
            reference_quirks: args.reference_quirks,
            looks: args.look.into_iter().collect(),
            formats: args.format.into_iter().collect(),
            data_dir: args.data_dir.data_dir,
            plots_dir: args.plots_dir.plots_dir,
            settings,
            output: args.output,
        })
    }

    /// All that is wanted of a data set, in the order of [`Product::ALL`].
    pub(crate) fn products(&self, dataset: &str) -> impl Iterator<Item = Product> {
        let is_wanted = |product: Product| {
            self.wanted.iter().any(|wanted| {
                let datasets = wanted.datasets.as_ref().or(self.datasets.as_ref());
                wanted.product == product && datasets.is_none_or(|names| names.contains(dataset))
            })
        };
        Product::ALL.into_iter().filter(move |&p| is_wanted(p))
    }

    /// What makes all that is wanted of any data set.
    pub(crate) fn all_makers(&self) -> impl Iterator<Item = Maker> {
        let is_wanted =
            |&product: &Product| self.wanted.iter().any(|wanted| wanted.product == product);
        let products = Product::ALL.into_iter().filter(is_wanted);
        products.map(Product::maker)
    }

    /// Where a data set's figures and tables go.
    pub(crate) fn folder(&self, dataset: &str) -> PathBuf {
        self.plots_dir.join(dataset)
    }
}

impl Wanted {
    fn of_all(product: Product) -> Self {
        Self {
            product,
            datasets: None,
        }
    }
}

/// What a name given to --figure means.
fn wanted(
    name: &str,
    datasets: Option<&BTreeSet<String>>,
    settings: &Settings,
) -> anyhow::Result<Wanted> {
    if let Some(product) = Product::named(name) {
        return Ok(Wanted::of_all(product));
    }
    let Some((product, of_paper)) = settings.named_by_paper(name) else {
        let names: Vec<&str> = Product::ALL.into_iter().map(Product::name).collect();
        return Err(usage_error(format!(
            "--figure: there is no figure or table `{name}`, but {}, and the paper's names of the settings (`paper-names`)",
            names.join(", ")
        )));
    };
    let of_both: BTreeSet<String> = match datasets {
        Some(datasets) => of_paper.intersection(datasets).cloned().collect(),
        None => of_paper.clone(),
    };
    if of_both.is_empty() {
        let of_paper: Vec<String> = of_paper.into_iter().collect();
        return Err(usage_error(format!(
            "--figure: `{name}` is of the data set {}, which --dataset does not name; `{}` is the figure of any data set",
            of_paper.join(" or "),
            product.name()
        )));
    }
    Ok(Wanted {
        product,
        datasets: Some(of_both),
    })
}

/// What --figure takes.
fn figure_help() -> String {
    let mut help =
        "Figures and tables, separated by spaces or commas [default: all]; a name of the paper's, as `routerbench_binary`, selects its data set \
         too\n\n"
            .to_owned();
    for product in Product::ALL {
        help += &format!("- {}: {}\n", product.name(), product.about());
    }
    help
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
            (
                job.datasets,
                job.formats.len(),
                job.looks.len(),
                job.wanted.len()
            ),
            (None, 3, 2, Product::ALL.len())
        );
        assert!(Args::try_parse_from(["plots", "--format", "gif"]).is_err());
    }

    #[test]
    fn figures_have_two_names() {
        let of = |datasets: &[&str]| Some(datasets.iter().map(|&name| name.to_owned()).collect());
        for (line, expected) in [
            ("--figure vs_rb_zero", Some((Product::VsRbZero, None))),
            (
                "--figure routerbench_binary",
                Some((Product::Binary, of(&["routerbench"]))),
            ),
            (
                "--figure sprout_vs_rb_zero",
                Some((Product::VsRbZero, of(&["sprout", "sprout-o3mini"]))),
            ),
            (
                "--figure sprout_vs_rb_zero --dataset sprout mmlu-pro",
                Some((Product::VsRbZero, of(&["sprout"]))),
            ),
            ("--figure routerbench_binary --dataset sprout", None),
            ("--figure pie", None),
        ] {
            let words = ["plots"].into_iter().chain(line.split(' '));
            let args = Args::try_parse_from(words).expect("words");
            let found = Job::new(args).map(|job| job.wanted);
            match (found, expected) {
                (Ok(found), Some((product, datasets))) => {
                    assert_eq!(found, [Wanted { product, datasets }].into(), "{line}");
                }
                (Err(error), None) => assert!(error.is::<cli_support::UsageError>(), "{line}"),
                (found, _) => panic!("{line}: {found:?}"),
            }
        }
    }
}
