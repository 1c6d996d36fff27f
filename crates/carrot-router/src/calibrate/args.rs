use cli_support::{ConfigFile, DataDir, ModelsDir, Output, examples};

const EXAMPLES: [&str; 5] = [
    "cargo run -p carrot-router -- calibrate --dataset sprout --router carrot-knn --usd-per-1k 2.5",
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
    pub(crate) dataset: String,

    /// The router, by its name in train-and-infer: the setting is chosen on its predictions for the test split, which it was not fitted on
    #[arg(long, value_name = "NAME")]
    pub(crate) router: String,

    #[command(flatten)]
    pub(crate) target: TargetArgs,

    /// What to call the calibration. Default: made of the target, usd-per-1k-2.5 say
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,

    /// Replace a calibration of that name that is for another target
    #[arg(long)]
    pub(crate) force: bool,

    /// The number of new prompts whose means the intervals are for. Default: as many as are left untouched
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub(crate) new_prompts: Option<usize>,

    /// Which part of the test prompts has no share in the choice and checks it. Default: in configs/calibration.toml
    #[arg(long, value_name = "SHARE")]
    pub(crate) holdout_share: Option<f64>,

    /// Which prompts those are. Default: in configs/calibration.toml
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: Option<u32>,

    /// Store nothing; calibrate so many times, each time with other prompts left untouched, and count how often what comes of them lies within
    /// the intervals
    #[arg(long, value_name = "N", value_parser = at_least_one, conflicts_with_all = ["name", "force", "new_prompts"])]
    pub(crate) check: Option<usize>,

    #[command(flatten)]
    pub(crate) data_dir: DataDir,

    #[command(flatten)]
    pub(crate) models_dir: ModelsDir,

    #[command(flatten)]
    pub(crate) config: ConfigFile,

    #[command(flatten)]
    pub(crate) output: Output,
}

/// What to calibrate to: exactly one.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct TargetArgs {
    /// At most so many US dollars per 1,000 prompts: the most accurate such setting
    #[arg(long, value_name = "USD")]
    pub(crate) usd_per_1k: Option<f64>,

    /// An LLM's share of the prompts, such as gpt-4o:30%
    #[arg(long, value_name = "LLM:P%")]
    pub(crate) share: Option<String>,

    /// At least this mean score, from 0 to 1: the cheapest such setting
    #[arg(long, value_name = "SCORE")]
    pub(crate) accuracy: Option<f64>,

    /// At most a part of what one LLM alone costs, such as 30%:gpt-4o: the most accurate such setting
    #[arg(long, value_name = "P%:LLM")]
    pub(crate) relative_cost: Option<String>,
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("expected at least 1".to_owned()),
        Ok(n) => Ok(n),
        Err(error) => Err(format!("{error}")),
    }
}
