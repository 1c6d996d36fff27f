//! Fits the named routers on a data set's train split and predicts its test split.

use std::process::ExitCode;

use anyhow::bail;
use train_and_infer::{Args, Fits, Job, Report};

fn main() -> ExitCode {
    cli_support::run(|args: &Args| args.output.quiet, run)
}

fn run(args: Args) -> anyhow::Result<()> {
    let output = args.output;
    let job = Job::check(args)?;
    let Fits { reports, failed } = job.run()?;
    output.print(&reports, &Report::table(&reports))?;
    if !failed.is_empty() {
        let names: Vec<&str> = failed.iter().map(|router| router.name).collect();
        bail!(
            "{} of {} routers failed: {}",
            names.len(),
            job.n_routers(),
            names.join(", ")
        );
    }
    Ok(())
}
