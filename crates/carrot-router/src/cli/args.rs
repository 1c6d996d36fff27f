use clap::{Parser, Subcommand};
use cli_support::examples;

#[cfg(feature = "serve")]
use super::serve::ServeArgs;
use super::{
    arena::ArenaArgs, calibrate::CalibrateArgs, pool::PoolArgs, replay::ReplayArgs,
    route::RouteArgs, worth::WorthArgs,
};

const EXAMPLES: [&str; 4] = [
    "cargo run -p carrot-router -- worth --dataset my-logs",
    "cargo run -p carrot-router -- route \"Explain entropy in one sentence.\" --mu 0.3",
    "cargo run -p carrot-router -- calibrate --dataset sprout --router carrot-knn --usd-per-1k 2.5",
    "cargo run -p carrot-router -- pool --model models/sprout/carrot-knn --output models/sprout/carrot-knn-2027 --prices prices.toml",
];

/// Pick the LLM that should answer a prompt
#[derive(Debug, Parser)]
#[command(version, after_help = examples(&EXAMPLES))]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Pick an LLM for each prompt: the one with the highest predicted utility, (1 - mu) * score - mu * 100 * cost in US dollars
    Route(RouteArgs),
    /// Find the mu, or threshold, at which a router meets a budget, an accuracy or a share of calls, with the results to expect
    Calibrate(CalibrateArgs),
    /// Change a saved router's prices, or remove and add LLMs, without refitting it
    Pool(PoolArgs),
    /// Write the files that RouterArena takes of a router: its config, and the LLM for each of its prompts
    Arena(ArenaArgs),
    /// Sum up a log of decisions: what routing cost against always taking each LLM, and how good it was, as far as feedback says
    Replay(ReplayArgs),
    /// Answer requests in the formats of OpenAI and Anthropic by the LLM that each should go to, and log what routing costs and saves
    #[cfg(feature = "serve")]
    Serve(ServeArgs),
    /// Say whether routing is worth it on a data set, or which LLM to use for everything, by predictions for prompts that were not fitted on
    Worth(WorthArgs),
}

impl Args {
    /// Whether only warnings and errors are logged.
    pub(crate) fn is_quiet(&self) -> bool {
        match &self.command {
            Command::Route(args) => args.output.quiet,
            Command::Calibrate(args) => args.program.output.quiet,
            Command::Pool(args) => args.output_form.quiet,
            Command::Arena(args) => args.output_form.quiet,
            Command::Replay(args) => args.output.quiet,
            #[cfg(feature = "serve")]
            Command::Serve(args) => args.quiet,
            Command::Worth(args) => args.program.output.quiet,
        }
    }
}
