//! All routers of a job, one after the other.

use anyhow::{Context as _, bail};
use tracing::error;

use crate::{
    args::Args, data::Data, hint, job::Job, learning_curve, report::Report, router::Router,
    run::Run, sample::Sample,
};

/// The results of a job's routers.
struct Fits {
    /// One report for each router, or for each router and number of train prompts.
    reports: Vec<Report>,
    /// The routers that failed; the log says why.
    failed: Vec<&'static Router>,
}

/// Does what the command line asks for, and prints a report.
///
/// # Errors
/// A usage error for a command line that makes no sense, or a failure of any router. The routers that did not fail have their results.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let output = args.output;
    let job = Job::check(args)?;
    let Fits { reports, failed } = job.fit_all()?;
    // Before the failures: what succeeded is on disk, and a script that reads the report wants to know about it.
    output.print(&reports, &Report::table(&reports))?;
    if !failed.is_empty() {
        let names: Vec<&str> = failed.iter().map(|router| router.name).collect();
        bail!(
            "{} of {} routers failed: {}",
            names.len(),
            job.routers.len(),
            names.join(", ")
        );
    }
    Ok(())
}

impl Job {
    /// Fits the job's routers. If one fails, the others still run: hours of training must not depend on a typo in another router's settings.
    ///
    /// # Errors
    /// The router's error, if it is the only one.
    fn fit_all(&self) -> anyhow::Result<Fits> {
        let mut data = Data::default();
        let (mut reports, mut failed) = (Vec::new(), Vec::new());
        for &router in &self.routers {
            let report = self
                .fit(router, &mut data)
                .map_err(hint::add)
                .with_context(|| {
                    format!("router `{router}` on `{}` failed", self.setup.dir.name())
                });
            match report {
                Ok(report) => reports.extend(report),
                // The error is all there is to report, so the program ends with it instead of with a count of failures.
                Err(failure) if self.routers.len() == 1 => return Err(failure),
                Err(failure) => {
                    error!("{failure:#}");
                    failed.push(router);
                }
            }
        }
        Ok(Fits { reports, failed })
    }

    /// Fits one router on the whole train part, or on samples of it.
    fn fit(&self, router: &'static Router, data: &mut Data) -> anyhow::Result<Vec<Report>> {
        if self.train_sizes.is_empty() {
            let run = Run::new(&self.setup, router, &Sample::Whole, data)?;
            Ok(vec![run.run(data)?])
        } else {
            learning_curve::run(self, router, data)
        }
    }
}
