//! `carrot-router pool`: a saved router with other prices, fewer LLMs, or more of them.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use cli_support::{DataDir, Output, examples, usage_error};
use dataset::{DatasetDir, ModelScores, Part, Prices, Split, sha256_file};
use saved_routers::{AddedModel, Addition, PoolEdit, Record, SavedRouter};
use serde::Serialize;
use tracing::warn;

const EXAMPLES: [&str; 3] = [
    "cargo run -p carrot-router -- pool --model models/sprout/carrot-knn --output models/sprout/carrot-knn-2027 --prices prices.toml",
    "cargo run -p carrot-router -- pool --model models/sprout/carrot-knn --output models/sprout/carrot-knn-small --remove openai-gpt-4o",
    "cargo run -p carrot-router -- pool --model models/sprout/carrot-knn --output models/sprout/carrot-knn-plus --add new-llm.parquet --prices prices.toml",
];

/// `carrot-router pool`.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&EXAMPLES))]
pub(crate) struct PoolArgs {
    /// The folder of a router of nearest neighbors that train-and-infer fitted
    #[arg(long, value_name = "DIR")]
    model: PathBuf,

    /// The folder to write; the old one stays as it is
    #[arg(long, value_name = "DIR")]
    output: PathBuf,

    /// Prices that come before the router's own, and those of LLMs that are added, in US dollars per million tokens
    #[arg(long, value_name = "TOML")]
    prices: Option<PathBuf>,

    /// LLMs to take out
    #[arg(long, value_name = "LLM", num_args = 1.., value_delimiter = ',')]
    remove: Vec<String>,

    /// LLMs to add, by how they did on some of the train prompts: a Parquet table with `id`, `<model>/score`, and `<model>/output_tokens` or
    /// `<model>/cost_usd` where the router predicts these; a split that a gen-* program wrote is one. The train split that the router was fitted on
    /// must be there, for its prompts' ids
    #[arg(long, value_name = "PARQUET")]
    add: Option<PathBuf>,

    /// Replace a folder that is there
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    data_dir: DataDir,

    #[command(flatten)]
    pub(crate) output_form: Output,
}

/// What was done, for the eye or as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Report<'a> {
    folder: &'a PathBuf,
    models: Vec<&'a str>,
    added: &'a [AddedModel],
}

pub(crate) fn run(args: &PoolArgs) -> anyhow::Result<()> {
    if args.prices.is_none() && args.remove.is_empty() && args.add.is_none() {
        return Err(usage_error(
            "nothing to change; give --prices, --remove or --add",
        ));
    }
    if args.output.exists() && !args.force {
        bail!(
            "`{}` is there already; --force replaces it",
            args.output.display()
        );
    }
    let router = SavedRouter::open(&args.model)?;
    let prices = args.prices.as_deref().map(Prices::read).transpose()?;
    let table = match &args.add {
        Some(path) => Some((ModelScores::read(path)?, train_ids(args, &router.record)?)),
        None => None,
    };
    let edited = router
        .edit(&PoolEdit {
            prices: prices.as_ref(),
            removed: &args.remove,
            added: table
                .as_ref()
                .map(|(table, train_ids)| Addition { table, train_ids }),
        })
        .with_context(|| format!("cannot make `{}`", args.output.display()))?;
    for added in edited.added() {
        if added.n_known_neighbors < 1.0 || added.r2.is_some_and(|r2| r2 < 0.0) {
            warn!(
                "`{}` has a score on {:.1} of a prompt's {} neighbors in the mean, too few: its mean score says as much or more than what is \
                 predicted of it; score it on more train prompts",
                added.name, added.n_known_neighbors, added.n_neighbors
            );
        }
    }
    edited.write(&args.output)?;
    let report = Report {
        folder: &args.output,
        models: edited
            .record()
            .models
            .iter()
            .map(|model| model.name.as_str())
            .collect(),
        added: edited.added(),
    };
    args.output_form.print(&report, &table_of(&report))
}

/// The ids of the prompts that the router was fitted on, row by row.
fn train_ids(args: &PoolArgs, record: &Record) -> anyhow::Result<Vec<String>> {
    let path = DatasetDir::existing(&args.data_dir.data_dir, &record.dataset)
        .context("the ids of the train prompts are in their split")?
        .split(Part::Train);
    if sha256_file(&path)? != record.train_sha256 {
        bail!(
            "`{}` is not the split that `{}` was fitted on; bring that one back, or fit the router anew",
            path.display(),
            args.model.display()
        );
    }
    Ok(Split::read(&path)?.ids)
}

fn table_of(report: &Report<'_>) -> String {
    let shown =
        |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |it| format!("{it:.4}"));
    let mut text = String::new();
    for added in report.added {
        text += &format!(
            "added `{}`: scored on {} train prompts, {:.1} of a prompt's {} neighbors; held-out R2 {}, mean absolute error {}\n",
            added.name,
            added.n_scored,
            added.n_known_neighbors,
            added.n_neighbors,
            shown(added.r2),
            shown(added.mae)
        );
    }
    text += &format!(
        "{} LLMs: {}\n{}\nnext: cargo run -p carrot-router -- route \"Why?\" --model {} --mu 0.3\n",
        report.models.len(),
        report.models.join(", "),
        report.folder.display(),
        report.folder.display()
    );
    text
}
