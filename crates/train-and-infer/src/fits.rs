//! All routers of a job, one after the other.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, bail};
use dataset::{Lock, atomic};
use saved_routers::NewFolder;
use tracing::error;

use crate::{
    args::FitArgs, cross_fit, data::Data, hint, job::Job, learning_curve, propensities,
    report::Report, router::Router, run::Run, sample::Sample,
};

/// The folder of the routers that are fitted on samples, among those of the data set.
pub(crate) const CURVES: &str = "learning-curve";

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
pub(crate) fn run(args: FitArgs) -> anyhow::Result<()> {
    let output = args.program.output;
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
        // All of them before the first fit: hours of it must not end at a router that another process is fitting.
        let locks = self.lock()?;
        for (&router, _lock) in self.routers.iter().zip(locks) {
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
        // Routers of samples are not kept, and the folder that held them, and the locks, goes with the last; it stays if it is not empty.
        _ = fs::remove_dir(
            self.setup
                .models_dir
                .join(self.setup.dir.name())
                .join(CURVES),
        );
        Ok(Fits { reports, failed })
    }

    /// Locks what the fit of each router writes, and removes what killed ones left.
    fn lock(&self) -> anyhow::Result<Vec<Vec<Lock>>> {
        let setup = &self.setup;
        atomic::sweep_tree(setup.dir.root());
        atomic::sweep_tree(&setup.models_dir.join(setup.dir.name()));
        let lock = |router: &&Router| {
            if self.cross_fit.is_some() {
                return Ok(vec![Lock::of(&setup.dir.cross_fit_dir(router.name))?]);
            }
            let [model, predictions] = self.places(router);
            if self.keeps_models() {
                NewFolder::check_place(&model)?;
            }
            Ok(vec![Lock::of(&model)?, Lock::of(&predictions)?])
        };
        self.routers.iter().map(lock).collect()
    }

    /// What the fit of a router writes: folders of fitted routers, and predictions, by their names without the ending.
    fn places(&self, router: &Router) -> [PathBuf; 2] {
        let setup = &self.setup;
        let models = setup.models_dir.join(setup.dir.name());
        match self.train_sizes.is_empty() {
            true => [
                models.join(router.name),
                setup.dir.predictions_dir().join(router.name),
            ],
            false => [
                models.join(CURVES).join(router.name),
                setup.dir.learning_curve_dir(router.name),
            ],
        }
    }

    fn keeps_models(&self) -> bool {
        self.train_sizes.is_empty() && self.cross_fit.is_none()
    }

    /// Fits one router on the whole train part, or on samples of it.
    fn fit(&self, router: &'static Router, data: &mut Data) -> anyhow::Result<Vec<Report>> {
        let mut reports = if let Some(plan) = &self.cross_fit {
            cross_fit::run(self, plan, router, data)?
        } else if self.train_sizes.is_empty() {
            let run = Run::new(&self.setup, router, &Sample::Whole, data)?;
            vec![run.run(data)?]
        } else {
            learning_curve::run(self, router, data)?
        };
        // After the fit, which needs none of it, and has the embeddings.
        if !router.needs_pair
            && let Some(line) = propensities::keep(&self.setup, router, data)?
            && let Some(report) = reports.last_mut()
        {
            report.summary.push(line);
        }
        Ok(reports)
    }
}
