//! Routers fitted on parts of the train part, to see what more prompts are worth: predictions and manifests, and no fitted router.

use anyhow::Context as _;
use dataset::permutation;

use crate::{data::Data, job::Job, report::Report, router::Router, run::Run, sample::Sample};

/// Fits a router on each of the job's numbers of train prompts, except where existing results were made from the same.
///
/// Train prompts are taken in a seeded order, so that each part holds the smaller ones, and are left in the order of the split: the largest
/// part, the split itself, gives the predictions that the router has without `--train-sizes`. Of a validation part at the end of the split,
/// those of its prompts that were taken validate.
pub(crate) fn run(
    job: &Job,
    router: &'static Router,
    data: &mut Data,
) -> anyhow::Result<Vec<Report>> {
    let setup = &job.setup;
    let n_rows = u32::try_from(setup.info.n_train).context("too many train prompts")?;
    let order = permutation(n_rows, setup.train_sizes_seed);
    let mut reports = Vec::new();
    for &n_train in &job.train_sizes {
        let mut rows: Vec<usize> = order[..n_train].iter().map(|&row| row as usize).collect();
        rows.sort_unstable();
        let sample = Sample::Rows(rows);
        let report = Run::new(setup, router, &sample, data).and_then(|run| run.run(data));
        reports.push(report.with_context(|| format!("cannot fit on {n_train} train prompts"))?);
    }
    Ok(reports)
}
