//! Whether the reproduction holds: every published number that is known, and what a known truth demands, against ours.
//!
//! In come the claims of configs/published.toml and configs/claims.toml, data sets, predictions and learning curves; out go verdict.md and
//! verdict.json, and the exit code. A claim is passed, failed, not run (with the reason), or only reported, where there is nothing to hold a
//! number against. Must not make what is missing, nor know how a prediction was made; whatever is measured is measured by `evaluation`.
//!
//! From claim to verdict: `claims` and `published` say what is claimed, `subject` reads a data set, `measure` finds our number or what keeps
//! it from being found, `judge` compares, `report` tells.

mod args;
mod claims;
mod judge;
mod measure;
mod published;
mod report;
mod subject;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use dataset::write_atomically;
use tracing::info;

use crate::{
    args::{Args, Job},
    report::Report,
};

fn main() -> ExitCode {
    cli_support::run(|args: &Args| args.output.quiet, run)
}

/// Judges, writes and prints; fails where a claim does, and where there was nothing to judge.
fn run(args: Args) -> anyhow::Result<()> {
    let job = Job::new(args)?;
    let verdicts = judge::judge(&job).context("cannot judge")?;
    let report = Report::new(verdicts);
    let markdown = report.markdown();
    for (file, text) in [("verdict.md", &markdown), ("verdict.json", &report.json()?)] {
        let path = job.plots_dir.join(file);
        write_atomically(&path, text.as_bytes())?;
        info!("wrote `{}`", path.display());
    }
    job.output.print(&report, &report.text())?;
    let counts = report.counts();
    if counts.failed > 0 {
        bail!(
            "{} of {} claims that were computed failed: {}",
            counts.failed,
            counts.failed + counts.passed,
            report.failed().join(", ")
        );
    }
    if counts.passed == 0 {
        bail!(
            "nothing was judged: {} claims were not run, and their reasons say what is missing",
            counts.not_run
        );
    }
    Ok(())
}
