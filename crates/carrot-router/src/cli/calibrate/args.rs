use cli_support::{ModelsDir, ProgramArgs, examples};
use dataset::{DatasetName, FolderName};

const EXAMPLES: [&str; 6] = [
    "cargo run -p carrot-router -- calibrate --dataset sprout --router carrot-knn --usd-per-1k 2.5",
    "cargo run -p carrot-router -- calibrate --dataset sprout --router carrot-knn --usd-per-1k 2.5 --confidence .95 --new-prompts 10000",
    "cargo run -p carrot-router -- calibrate --dataset sprout --router carrot-knn --relative-cost 30%:openai-gpt-4o --name cheap",
    "cargo run -p carrot-router -- calibrate --dataset sprout --router mf --share openai-gpt-4o:40%",
    "cargo run -p carrot-router -- calibrate --dataset sprout --router carrot-knn --accuracy 0.8 --check 100",
    "cargo run -p carrot-router -- route \"Why?\" --model models/sprout/carrot-knn --calibration cheap",
];

/// `carrot-router calibrate`.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&EXAMPLES))]
pub(crate) struct CalibrateArgs {
    /// The data set that the router was fitted on
    #[arg(long, value_name = "NAME")]
    pub(super) dataset: DatasetName,

    /// The router, by its name in train-and-infer. Its setting is chosen on its predictions for the test prompts, which it was not fitted on
    #[arg(long, value_name = "NAME")]
    pub(super) router: FolderName,

    #[command(flatten)]
    pub(super) goal: GoalArgs,

    /// Keep to the goal with this probability, such as .95, over as many new prompts as --new-prompts says or more; with --share, at most that share
    /// is sent. Without it the goal is met in the mean, and new prompts cost more than a budget in 16 to 46 of 100 cases and miss an accuracy in
    /// 52 to 54, on three real tables
    #[arg(long, value_name = "P")]
    pub(super) confidence: Option<f64>,

    /// The calibration's name. Default: derived from the goal, such as usd-per-1k-2.5
    #[arg(long, value_name = "NAME")]
    pub(super) name: Option<String>,

    /// Overwrite a calibration of that name that is for a different goal
    #[arg(long)]
    pub(super) force: bool,

    /// The number of new prompts over whose mean the goal is kept and predictions are made. Default: the number of untouched test prompts
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(super) new_prompts: Option<usize>,

    /// The share of the test prompts that is kept from choosing the setting and used to check it. Default: in configs/calibration.toml
    #[arg(long, value_name = "SHARE")]
    pub(super) holdout_share: Option<f64>,

    /// Seed for drawing these prompts. Default: in configs/calibration.toml
    #[arg(long, value_name = "SEED")]
    pub(super) seed: Option<u32>,

    /// Store nothing; calibrate N times, each time leaving different prompts untouched, and count how often these miss the goal, and how often their
    /// results fall within the predicted intervals
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with_all = ["name", "force", "new_prompts"])]
    pub(super) check: Option<usize>,

    #[command(flatten)]
    pub(super) models_dir: ModelsDir,

    #[command(flatten)]
    pub(crate) program: ProgramArgs,
}

/// What to calibrate to: exactly one of these.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct GoalArgs {
    /// Cost at most this many US dollars per 1,000 prompts: the most accurate such setting
    #[arg(long, value_name = "USD")]
    pub(super) usd_per_1k: Option<f64>,

    /// Send this share of the prompts to an LLM, such as gpt-4o:30%
    #[arg(long, value_name = "LLM:P%")]
    pub(super) share: Option<String>,

    /// Reach at least this mean score, from 0 to 1: the cheapest such setting
    #[arg(long, value_name = "SCORE")]
    pub(super) accuracy: Option<f64>,

    /// Cost at most this part of what one LLM alone costs, such as 30%:gpt-4o: the most accurate such setting
    #[arg(long, value_name = "P%:LLM")]
    pub(super) relative_cost: Option<String>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".to_owned()),
        Ok(n) => Ok(n),
        Err(error) => Err(format!("{error}")),
    }
}
