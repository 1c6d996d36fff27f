//! Fits the named routers on a data set's train split and predicts its test split.
//!
//! Holds the command line and the wiring: splits and embeddings come in from disk (embeddings are computed when they are not there),
//! predictions and manifests go out to `data/<dataset>/preds/`, fitted routers to `models/<dataset>/<router>/`. Must not know how a router
//! works inside, or how predictions are judged.

mod args;
mod config;
mod costs;
mod data;
mod embedder;
mod embeddings;
mod job;
mod knn;
mod learner;
mod learning_curve;
mod report;
mod rorf;
mod router;
mod run;
mod stopwatch;
mod torch;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use tracing::error;

use crate::{args::Args, data::Data, job::Job, report::Report, router::Router};

fn main() -> ExitCode {
    cli_support::run(|args: &Args| args.output.quiet, run)
}

/// A router that fails does not keep the others from being fitted.
fn run(args: Args) -> anyhow::Result<()> {
    let output = args.output;
    let mut job = Job::check(args)?;
    let mut data = Data::default();
    let (mut reports, mut failed) = (Vec::new(), Vec::new());
    for router in job.routers.clone() {
        let report = fit(&mut job, router, &mut data)
            .with_context(|| format!("router `{router}` on `{}` failed", job.dir.name()));
        match report {
            Ok(report) => reports.extend(report),
            Err(failure) if job.routers.len() == 1 => return Err(failure),
            Err(failure) => {
                error!("{failure:#}");
                failed.push(router.name());
            }
        }
    }
    output.print(&reports, &Report::table(&reports))?;
    if !failed.is_empty() {
        let n_routers = job.routers.len();
        bail!(
            "{} of {n_routers} routers failed: {}",
            failed.len(),
            failed.join(", ")
        );
    }
    Ok(())
}

/// One router on the whole train split, or on parts of it.
fn fit(job: &mut Job, router: Router, data: &mut Data) -> anyhow::Result<Vec<Report>> {
    if job.train_sizes.is_empty() {
        Ok(vec![run::run(job, router, data)?])
    } else {
        learning_curve::run(job, router, data)
    }
}
