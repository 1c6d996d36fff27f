//! The command line: as typed ([`Args`]), then checked ([`Job`]).

use std::{collections::BTreeMap, path::PathBuf};

use cli_support::{DataDir, Output, PlotsDir, examples, usage_error};

use crate::{
    claims::{Claim, ClaimsFile, Settings},
    published::PublishedFile,
};

const EXAMPLES: [&str; 3] = [
    "cargo run -p verdict",
    "cargo run -p verdict -- --dataset open-llm-lb-v2 open-llm-lb-v2-as-published",
    "cargo run -p verdict -- --claim routerbench/oracle --json",
];

/// Hold our numbers against the published ones, and against what a known truth demands
///
/// Writes plots/verdict.md and plots/verdict.json. A claim whose data set or predictions are missing, or were made from other vectors than
/// its number needs, is listed as not run, and never as passed. Exit code 1 if a claim failed, or if none could be judged at all.
#[derive(Debug, clap::Parser)]
#[command(name = "verdict", version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Data sets whose claims are judged, separated by spaces or commas [default: all that there are claims about]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "NAME")]
    dataset: Vec<String>,
    /// Claims to judge, by id, separated by spaces or commas [default: all]
    #[arg(long, num_args = 1.., value_delimiter = ',', value_name = "ID")]
    claim: Vec<String>,
    /// Why a data set is not there, for the report
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
    plots_dir: PlotsDir,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What is to be judged.
#[derive(Debug)]
pub(crate) struct Job {
    /// Each with an id of its own, those of a data set together.
    pub(crate) claims: Vec<Claim>,
    pub(crate) settings: Settings,
    /// By data set.
    pub(crate) reasons: BTreeMap<String, String>,
    pub(crate) data_dir: PathBuf,
    pub(crate) plots_dir: PathBuf,
    pub(crate) output: Output,
}

impl Job {
    /// Reads the claims and chooses among them.
    ///
    /// # Errors
    /// When a file of claims cannot be used; a usage error for a data set or an id that there is no claim about.
    pub(crate) fn new(args: Args) -> anyhow::Result<Self> {
        let file = ClaimsFile::read(args.claims.as_deref())?;
        let published = PublishedFile::read(args.published.as_deref())?;
        let settings = file.settings;
        let claims = crate::claims::all(published.claims()?, file.groups)?;
        let reasons = args.reason.iter().map(|typed| {
            let pair = typed.split_once('=').filter(|(name, _)| is_known(&claims, name));
            let (name, reason) = pair.ok_or_else(|| {
                usage_error(format!(
                    "`--reason {typed}` is not of the form DATASET=REASON with a data set that there are claims about"
                ))
            })?;
            Ok((name.to_owned(), reason.to_owned()))
        });
        Ok(Self {
            reasons: reasons.collect::<anyhow::Result<_>>()?,
            claims: choose(claims, &args.dataset, &args.claim)?,
            settings,
            data_dir: args.data_dir.data_dir,
            plots_dir: args.plots_dir.plots_dir,
            output: args.output,
        })
    }
}

fn is_known(claims: &[Claim], dataset: &str) -> bool {
    claims.iter().any(|claim| claim.dataset == dataset)
}

/// The claims about the data sets named, and of those the ones with the ids named; all where none is named.
fn choose(claims: Vec<Claim>, datasets: &[String], ids: &[String]) -> anyhow::Result<Vec<Claim>> {
    // `a, b` comes as `a`, an empty name and `b`.
    let names = |typed: &[String]| -> Vec<String> {
        let names = typed.iter().map(|name| name.trim().to_owned());
        names.filter(|name| !name.is_empty()).collect()
    };
    let (datasets, ids) = (names(datasets), names(ids));
    if let Some(name) = datasets.iter().find(|name| !is_known(&claims, name)) {
        let mut known: Vec<&str> = claims.iter().map(|claim| claim.dataset.as_str()).collect();
        known.dedup();
        return Err(usage_error(format!(
            "no claim is about a data set `{name}`, but about {}",
            known.join(", ")
        )));
    }
    let is_meant = |claim: &Claim| datasets.is_empty() || datasets.contains(&claim.dataset);
    if let Some(id) = (ids.iter()).find(|id| {
        !claims
            .iter()
            .any(|claim| claim.id == **id && is_meant(claim))
    }) {
        return Err(usage_error(format!(
            "there is no claim `{id}` about the data sets asked for; verdict.json lists the ids"
        )));
    }
    let is_asked = |claim: &Claim| ids.is_empty() || ids.contains(&claim.id);
    Ok(claims
        .into_iter()
        .filter(|claim| is_meant(claim) && is_asked(claim))
        .collect())
}
