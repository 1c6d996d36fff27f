//! Fits the named routers on a data set's train split and predicts its test split.
//!
//! Holds the command line and the wiring: splits and embeddings come in from disk (embeddings are computed when they are not there),
//! predictions and manifests go out to `data/<dataset>/preds/`. Must not know how a router works inside, or how predictions are judged.

mod args;
mod config;
mod embed;
mod embedder;
mod embeddings;
mod job;
mod knn;
mod report;
mod stopwatch;

use std::process::ExitCode;

use anyhow::Context as _;

use crate::{
    args::{Args, Router},
    job::Job,
    report::Report,
};

fn main() -> ExitCode {
    cli_support::run(|args: &Args| args.output.quiet, run)
}

fn run(args: Args) -> anyhow::Result<()> {
    let output = args.output;
    let job = Job::check(args)?;
    let mut reports = Vec::new();
    for &router in &job.routers {
        let report = match router {
            Router::CarrotKnn | Router::CarrotKnnSbert => knn::run(&job, router),
        };
        reports.push(
            report.with_context(|| format!("router `{router}` on `{}` failed", job.dir.name()))?,
        );
    }
    output.print(&reports, &Report::table(&reports))
}
