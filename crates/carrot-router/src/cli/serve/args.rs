use std::{net::SocketAddr, path::PathBuf};

use cli_support::examples;

use crate::cli::index::IndexArgs;

const EXAMPLES: [&str; 3] = [
    "cargo run -p carrot-router --features serve -- serve --config serve.toml --dry-run",
    "cargo run -p carrot-router --features serve -- serve --config serve.toml",
    "cargo run -p carrot-router --features serve -- serve --config serve.toml --shadow",
];

/// `carrot-router serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = examples(&EXAMPLES))]
pub(crate) struct ServeArgs {
    /// The configuration; configs/serve.toml explains every key. It is read again on SIGHUP, and when it or the router has changed
    #[arg(long, value_name = "TOML")]
    pub(super) config: PathBuf,

    /// Check the configuration, open the router, print the LLMs that would be served, and end
    #[arg(long)]
    pub(super) dry_run: bool,

    /// Forward requests as they are, change no byte, and log what routing would have done
    #[arg(long)]
    pub(super) shadow: bool,

    /// Send this share of requests, from 0 to 1, to an LLM drawn at random, with the probability in the log
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(super) explore: Option<f64>,

    /// Where to take requests, instead of the configuration's `listen`
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) listen: Option<SocketAddr>,

    /// Only warnings and errors on standard error
    #[arg(long, short)]
    pub(crate) quiet: bool,

    // Last, because clap puts everything after it under its heading.
    #[command(flatten)]
    pub(super) index: IndexArgs,
}

fn share(text: &str) -> Result<f64, String> {
    let share: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    match (0.0..=1.0).contains(&share) {
        true => Ok(share),
        false => Err("expected a number from 0 to 1".to_owned()),
    }
}
