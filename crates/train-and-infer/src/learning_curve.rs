//! Routers fitted on samples of the train part, to see what more prompts are worth: predictions and manifests are kept, fitted routers are not.

use anyhow::Context as _;
use dataset::permutation;

use crate::{data::Data, job::Job, report::Report, router::Router, run::Run, sample::Sample};

/// Fits a router on each of the job's numbers of train prompts, except where existing results were made from the same.
///
/// Train prompts are taken in a seeded order, so that each sample contains the smaller ones, and kept in the order of the train part: the
/// largest sample, all of it, gives the predictions that the router has without `--train-sizes`. If the end of the train part is for
/// validation, the sampled prompts among those validate.
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
