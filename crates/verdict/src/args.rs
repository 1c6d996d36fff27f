//! The command line as typed.

use std::path::PathBuf;

use cli_support::{DataDir, Output, PlotsDir, examples, usage_error};
use dataset::DatasetName;
use verdict::{Error, Job, Selection};

const EXAMPLES: [&str; 3] = [
    "cargo run -p verdict",
    "cargo run -p verdict -- --dataset open-llm-lb-v2 open-llm-lb-v2-as-published",
    "cargo run -p verdict -- --claim routerbench/oracle --json",
];

/// Compare our numbers with the published ones, and with what a known truth demands
///
/// Writes plots/verdict.md and plots/verdict.json. A claim whose data set or predictions are missing, or were made from other embeddings than
/// its number needs, is listed as not run, and never counts as passed. Exit code 1 if a claim failed, or if none could be judged at all.
#[derive(Debug, clap::Parser)]
#[command(name = "verdict", version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Data sets whose claims are judged, separated by spaces or commas [default: all that there are claims about]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME")]
    dataset: Vec<String>,
    /// Claims to judge, by id, separated by spaces or commas [default: all]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "ID")]
    claim: Vec<String>,
    /// Why a data set is missing, for the report
    #[arg(long, num_args = 1.., value_name = "DATASET=REASON")]
    reason: Vec<String>,
    /// Claims to use instead of the built-in configs/claims.toml
    #[arg(long, value_name = "TOML")]
    claims: Option<PathBuf>,
    /// The published table of KNN accuracies to use instead of the built-in configs/published.toml
    #[arg(long, value_name = "TOML")]
    published: Option<PathBuf>,
    #[command(flatten)]
    data_dir: DataDir,
    #[command(flatten)]
    pub(crate) plots_dir: PlotsDir,
    #[command(flatten)]
    pub(crate) output: Output,
}

impl Args {
    /// Reads the claims and chooses among them.
    ///
    /// # Errors
    /// When a file of claims cannot be used; a usage error for a data set or an id that there is no claim about.
    pub(crate) fn job(&self) -> anyhow::Result<Job> {
        let reasons = self.reason.iter().map(|typed| {
            let pair = typed.split_once('=');
            let (name, reason) = pair.ok_or_else(|| {
                usage_error(format!(
                    "`--reason {typed}` is not of the form DATASET=REASON"
                ))
            })?;
            Ok((name.to_owned(), reason.to_owned()))
        });
        let datasets = names(&self.dataset);
        for name in &datasets {
            name.parse::<DatasetName>()
                .map_err(|error| usage_error(format!("--dataset: {error}")))?;
        }
        let selection = Selection {
            datasets,
            claims: names(&self.claim),
            reasons: reasons.collect::<anyhow::Result<_>>()?,
        };
        let (claims, published) = (self.claims.as_deref(), self.published.as_deref());
        let job = Job::new(claims, published, selection, &self.data_dir.data_dir);
        job.map_err(|error| match error {
            Error::UnknownDataset { .. } | Error::UnknownClaim { .. } => {
                usage_error(error.to_string())
            }
            other => other.into(),
        })
    }
}

/// `a, b` comes as `a`, an empty name and `b`.
fn names(typed: &[String]) -> Vec<String> {
    let names = typed.iter().map(|name| name.trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}
