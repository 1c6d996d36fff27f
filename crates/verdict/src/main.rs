//! The program: judges the claims, writes plots/verdict.md and plots/verdict.json, and says by its exit code whether all hold.

mod args;

use std::process::ExitCode;

use anyhow::{Context as _, bail};
use dataset::write_atomically;
use tracing::info;
use verdict::{Report, judge};

use crate::args::Args;

fn main() -> ExitCode {
    cli_support::run(|args: &Args| args.output.quiet, run)
}

/// Judges, writes and prints; fails where a claim does, and where there was nothing to judge.
fn run(args: Args) -> anyhow::Result<()> {
    let verdicts = judge(&args.job()?).context("cannot judge")?;
    let report = Report::new(verdicts);
    let markdown = report.markdown();
    for (file, text) in [("verdict.md", &markdown), ("verdict.json", &report.json()?)] {
        let path = args.plots_dir.plots_dir.join(file);
        write_atomically(&path, text.as_bytes())?;
        info!("wrote `{}`", path.display());
    }
    args.output.print(&report, &report.text())?;
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
            "nothing was judged: {} claims were not run; their reasons say what is missing",
            counts.not_run
        );
    }
    Ok(())
}
