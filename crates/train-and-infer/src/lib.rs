//! Fits the named routers on a data set's train split and predicts its test split.
//!
//! Holds the table of routers ([`ROUTERS`]), the command line ([`Args`], checked: [`Job`]) and the wiring: splits and embeddings come in from
//! disk (embeddings are computed where none fit), predictions and manifests go out to `data/<dataset>/preds/`, fitted routers to
//! `models/<dataset>/<router>/`. Each router is fitted, saved, opened again, and predicts with what was opened. Must not know how a router
//! works inside, or how predictions are judged.

mod args;
mod config;
mod data;
mod embedder;
mod embeddings;
mod hint;
mod job;
mod learner;
mod learners;
mod learning_curve;
mod predict;
mod report;
mod roberta_args;
mod router;
mod run;
mod sample;
mod setup;
mod stopwatch;
mod torch;

use anyhow::Context as _;
use tracing::error;

pub use crate::{
    args::Args,
    job::Job,
    report::{Report, Status},
    roberta_args::{RobertaArgs, Trainer},
    router::{ROUTERS, Router, RouterChoice},
};
use crate::{data::Data, run::Run, sample::Sample};

/// What came of all routers of a job.
#[derive(Debug)]
pub struct Fits {
    /// One report for each router, or for each router and number of train prompts.
    pub reports: Vec<Report>,
    /// The routers that failed; why is in the log.
    pub failed: Vec<&'static Router>,
}

impl Job {
    /// Fits the job's routers, one after the other. A router that fails does not keep the others from being fitted.
    ///
    /// # Errors
    /// What went wrong with the router, if there is only one.
    pub fn run(&self) -> anyhow::Result<Fits> {
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
                Err(failure) if self.routers.len() == 1 => return Err(failure),
                Err(failure) => {
                    error!("{failure:#}");
                    failed.push(router);
                }
            }
        }
        Ok(Fits { reports, failed })
    }

    /// Number of routers to fit.
    pub fn n_routers(&self) -> usize {
        self.routers.len()
    }

    /// One router on the whole train split, or on samples of it.
    fn fit(&self, router: &'static Router, data: &mut Data) -> anyhow::Result<Vec<Report>> {
        if self.train_sizes.is_empty() {
            let run = Run::new(&self.setup, router, &Sample::Whole, data)?;
            Ok(vec![run.run(data)?])
        } else {
            learning_curve::run(self, router, data)
        }
    }
}
