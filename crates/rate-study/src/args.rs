use clap::Parser;
use cli_support::{ProgramArgs, examples};
use dataset::DatasetName;

const EXAMPLES: [&str; 3] = [
    "cargo run -p rate-study",
    "cargo run -p rate-study -- --quick",
    "cargo run -p plots -- --figure rate_optimality",
];

/// Measure how fast CARROT (KNN) learns on problems whose truth is known, and compare with the rate that theory promises
///
/// Writes data/NAME/rate-study.json, which `plots --figure rate_optimality` draws. For each problem and dimension, training sets of growing
/// size are drawn, and the excess risk of three routers against the Bayes router is estimated: CARROT (KNN) with the number of neighbors that
/// theory asks for, the same with one neighbor, and a random choice.
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    /// Only a first look: small training sets and few repetitions
    #[arg(long)]
    pub(crate) quick: bool,
    /// Name of the folder under the data folder [default: rate-study, with --quick rate-study-quick]
    #[arg(long)]
    pub(crate) name: Option<DatasetName>,
    #[command(flatten)]
    pub(crate) program: ProgramArgs,
}
