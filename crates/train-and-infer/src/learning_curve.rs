//! Routers fitted on parts of the train split, to see what more prompts are worth: predictions and manifests, and no fitted router.

use std::{collections::BTreeMap, fs, io, path::Path};

use anyhow::Context as _;
use cli_support::peak_memory_bytes;
use dataset::{RunManifest, permutation};
use serde_json::json;
use tracing::info;

use crate::{
    data::Data,
    job::Job,
    learner,
    report::{Report, Status},
    router::Router,
    run::{MADE_BY, Run, as_read, n_threads},
    stopwatch::Stopwatch,
};

/// Fits a router on each of the job's numbers of train prompts, but where what is there was made from the same.
///
/// Train prompts are taken in a seeded order, so that each part holds the smaller ones, and are left in the order of the split: the largest
/// part, the split itself, gives the predictions that the router has without `--train-sizes`. Of a validation part at the end of the split,
/// those of its prompts that were taken validate.
pub(crate) fn run(job: &mut Job, router: Router, data: &mut Data) -> anyhow::Result<Vec<Report>> {
    let (splits, _) = data.splits(job)?;
    let n_rows = u32::try_from(splits.train.n_prompts()).context("too many train prompts")?;
    let order = permutation(n_rows, job.train_sizes_seed);
    let mut reports = Vec::new();
    for n_train in job.train_sizes.clone() {
        let mut rows: Vec<usize> = order[..n_train].iter().map(|&row| row as usize).collect();
        rows.sort_unstable();
        let whole = job.info.clone();
        job.narrow(&rows);
        let report = fit(job, router, data, &rows);
        job.info = whole;
        job.train_size = None;
        reports.push(report.with_context(|| format!("cannot fit on {n_train} train prompts"))?);
    }
    Ok(reports)
}

impl Job {
    /// Speaks of some rows of the train split from now on.
    fn narrow(&mut self, rows: &[usize]) {
        self.train_size = Some(rows.len());
        let first_validation = |n| self.info.n_train.saturating_sub(n);
        self.info.n_validation = self.info.n_validation.map(|n| {
            let first = first_validation(n);
            rows.iter().filter(|&&row| row >= first).count()
        });
        self.info.n_train = rows.len();
    }
}

fn fit(job: &Job, router: Router, data: &mut Data, rows: &[usize]) -> anyhow::Result<Report> {
    let n_train = rows.len();
    let path = job.dir.learning_curve_predictions(router.name(), n_train);
    let manifest_path = job.dir.learning_curve_manifest(router.name(), n_train);
    let mut run = Run::new(job, router, data)?;
    run.config["train-prompts"] = json!({ "n": n_train, "seed": job.train_sizes_seed });
    let is_there = path.is_file() && manifest_path.is_file();
    if let (true, false, Ok(manifest)) = (is_there, job.force, RunManifest::read(&manifest_path)) {
        let is_same = manifest.made_by == MADE_BY
            && manifest.config == as_read(&run.config)?
            && manifest.seed == run.recipe.seed
            && Some(&manifest.inputs) == run.inputs(data)?.as_ref();
        if is_same {
            info!(
                "keeping `{router}` on {n_train} train prompts: nothing it depends on has changed"
            );
            return Ok(report(
                job,
                Status::Kept,
                path,
                n_train,
                Vec::new(),
                manifest,
            ));
        }
    }
    let mut stopwatch = Stopwatch::start();
    let mut part = stopwatch.time("take prompts", || {
        data.of_train_rows(job, job.embedder_of(router), rows)
    })?;
    let outcome = learner::run(job, router, &mut part, &mut stopwatch)?;
    // An older manifest must not stand beside newer predictions, should this be the end.
    gone(&manifest_path, fs::remove_file(&manifest_path))?;
    let inputs = run.inputs(data)?.context("the embeddings went away")?;
    let made_from = run.made_from(&inputs);
    stopwatch.time("write", || {
        Ok(outcome.predictions.write(&path, &made_from)?)
    })?;
    let mut environment = BTreeMap::from([("threads".to_owned(), n_threads())]);
    environment.extend(outcome.environment);
    let manifest = RunManifest {
        dataset: job.dir.name().to_owned(),
        router: router.name().to_owned(),
        embedder: job
            .embedder_of(router)
            .map(|embedder| embedder.name.clone()),
        seed: run.recipe.seed,
        made_by: MADE_BY.to_owned(),
        inputs,
        config: run.config,
        results: outcome.results,
        stages: stopwatch.stages(),
        peak_memory_bytes: peak_memory_bytes(),
        environment,
    };
    manifest.write(&manifest_path)?;
    // The fitted router goes, and with it the checkpoints of its training.
    drop(outcome.fitted);
    forget(&job.model_folder(router))?;
    let status = Status::Fitted;
    Ok(report(
        job,
        status,
        path,
        n_train,
        outcome.summary,
        manifest,
    ))
}

fn report(
    job: &Job,
    status: Status,
    predictions: std::path::PathBuf,
    n_train: usize,
    summary: Vec<String>,
    manifest: RunManifest,
) -> Report {
    Report {
        status,
        predictions,
        model: None,
        n_train,
        n_test: job.info.n_test,
        summary,
        manifest,
    }
}

/// Removes the folder that a router worked in, and those above it that were made for it and are empty.
fn forget(folder: &Path) -> anyhow::Result<()> {
    gone(folder, fs::remove_dir_all(folder))?;
    for above in folder.ancestors().skip(1).take(2) {
        // Another size may be at work in it.
        if fs::remove_dir(above).is_err() {
            break;
        }
    }
    Ok(())
}

/// Whether something is gone, be it that it was not there before.
fn gone(path: &Path, removed: io::Result<()>) -> anyhow::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}
