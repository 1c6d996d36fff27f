use std::path::PathBuf;

use cli_support::{ModelsDir, ProgramArgs, examples};
use dataset::{DatasetName, FolderName};

const EXAMPLES: [&str; 5] = [
    "cargo run -p carrot-router -- worth --dataset my-logs",
    "cargo run -p carrot-router -- worth --dataset my-logs --at-least 0.01 --embed-usd-per-1k 0.02",
    "cargo run -p carrot-router -- worth --dataset my-logs --time created_at",
    "cargo run -p carrot-router -- worth --dataset my-logs --group conversation --repeats 3 --json",
    "cargo run -p carrot-router -- worth --dataset open-llm --router carrot-knn --null 99 --output worth.json",
];

fn after_help() -> String {
    let codes = "0 routing is worth it, 1 failed, 2 bad usage, 3 not worth it: use the LLM that is named, 4 cannot tell, also where a log's scores do not carry an answer, 130 interrupted, 143 \
                 terminated.";
    let text = examples(&EXAMPLES);
    // The codes of the other subcommands do not hold here.
    let (commands, _) = text.split_once("Exit codes:").unwrap_or((&text, ""));
    format!("{commands}Exit codes: {codes}")
}

/// `carrot-router worth`.
#[derive(Debug, clap::Args)]
#[command(after_help = after_help())]
pub(crate) struct WorthArgs {
    /// The data set: a folder under the data folder, made by a gen-* program. All its rows are used, of the train and of the test part
    #[arg(long, value_name = "NAME")]
    pub(super) dataset: DatasetName,

    /// The router to judge, one that is fitted on embeddings. Default: carrot-blend, which decides by itself whether to route
    #[arg(long, value_name = "ROUTER")]
    pub(super) router: Option<FolderName>,

    /// The embeddings to predict from: a name from the settings (minilm, static), a folder with a model, or the name of
    /// embeddings in the data set's folder. Those that do not exist are computed where the model is on this machine. Default:
    /// text-embedding-3-small where the data set has it, else what the settings say
    #[arg(long, value_name = "NAME")]
    pub(super) embedding: Option<String>,

    /// Parts of the rows: each is predicted by a router that was fitted on the others
    #[arg(long, value_name = "N")]
    pub(super) folds: Option<usize>,

    /// How often to divide the rows into folds, each time in another way
    #[arg(long, value_name = "N")]
    pub(super) repeats: Option<usize>,

    /// Seed of the folds and of the resamples
    #[arg(long, value_name = "SEED")]
    pub(super) seed: Option<u32>,

    /// Resamples behind the intervals
    #[arg(long, value_name = "N")]
    pub(super) resamples: Option<usize>,

    /// Do the same N times with the prompts permuted against their scores, over all rows and within tasks, to see what comes of nothing. Each
    /// takes as long as the fits themselves; 99 are a good number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) null: u32,

    /// Say how many prompts it takes to tell a gain of this many scores per prompt from none: 0.01 is one point of accuracy
    #[arg(long, value_name = "GAIN", value_parser = gain)]
    pub(super) at_least: Option<f64>,

    /// What the router itself costs, in US dollars per 1,000 prompts, such as the embeddings of a server; it is taken off the gain
    #[arg(long, value_name = "USD", default_value_t = 0.0, value_parser = usd)]
    pub(super) embed_usd_per_1k: f64,

    /// Judge on later rows than the router was fitted on: a column of numbers or ISO 8601 dates that orders the rows, one that gen-custom kept
    /// with `--keep COLUMN`
    #[arg(long, value_name = "COLUMN", conflicts_with = "repeats")]
    pub(super) time: Option<String>,

    /// Keep rows with the same value of this column together, in folds and in intervals: `task`, or a column that gen-custom kept with
    /// `--keep COLUMN`
    #[arg(long, value_name = "COLUMN")]
    pub(super) group: Option<String>,

    /// Also write the JSON of `--json` to this file
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Do not write data/DATASET/worth.json, with which plots/report.html begins
    #[arg(long)]
    pub(super) no_record: bool,

    /// Where the model that computes missing embeddings runs: auto, cpu, cuda, cuda:INDEX or mps
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    pub(super) device: String,

    #[command(flatten)]
    pub(super) models_dir: ModelsDir,

    #[command(flatten)]
    pub(crate) program: ProgramArgs,
}

fn gain(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(gain) if gain > 0.0 && gain < 1.0 => Ok(gain),
        _ => Err(
            "expected a number of scores above 0 and below 1, such as 0.01 for one point"
                .to_owned(),
        ),
    }
}

fn usd(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(usd) if usd >= 0.0 && f64::is_finite(usd) => Ok(usd),
        _ => Err("expected dollars, a finite number of at least 0".to_owned()),
    }
}
